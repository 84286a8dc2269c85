"""What a device said, in the platform's own words: pure values, no storage.

A *message* is one body that a sender had acknowledged. It carries one or more *signals*. A message is named by its lane
(one stream of commits) and its number in it; both together are its `id`, so that one column orders a lane.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

LANE_BITS = 40  # a lane holds 2**40 messages; 2**23 lanes fit a bigint

SOS = "sos"
# Kinds whose message takes the urgent lane: they must never wait behind telemetry.
URGENT = frozenset({"sos", "gas", "smoke", "co", "fall", "flood", "help", "scene"})


def message_id(lane_id: int, seq: int) -> int:
    """The id of the `seq`-th message (from 1) of a lane."""
    return (lane_id << LANE_BITS) | seq


def lane_of(ident: int) -> int:
    """Which lane a message came on."""
    return ident >> LANE_BITS


def seq_of(ident: int) -> int:
    """Its number in the lane: consecutive from 1, without gaps."""
    return ident & ((1 << LANE_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing a device said. `dty`/`stc`/`lco` are SCAIP codes (device type, status, location)."""

    kind: (
        str  # sos, sos_reset, motion, door_open, door_closed, tamper, tamper_clear, battery, vitals, online, offline, …
    )
    at: datetime  # when it happened: the device's time if it is sane, else the operator's, else when we received it
    dty: str
    stc: str
    lco: str = ""
    count: int = 1
    value: Any = None  # the reading (battery: percent); JSON-able
    seq: int | None = None  # the device's own number of the report


@dataclass(frozen=True, slots=True)
class Heard:
    """One stored message as the router reads it. `signals` is None when nobody could decode it."""

    lane_id: int
    seq: int
    received_at: datetime
    urgent: bool
    source: str  # ctwing, onenet, generic, mqtt, platform
    device_key: str  # the IMEI if the message has one, else the operator's device id; "" if it has neither
    operator_id: str  # the operator's device id, "" if none
    product_id: str  # the operator's product id, "" if none
    device_at: datetime | None  # the operator's or device's sane time stamp
    uid: UUID
    dedup: bytes
    windowed: bool  # no time stamp: the same content counts as a duplicate only within 10 s
    kind: str  # report, online, event, response, unknown
    signals: tuple[Signal, ...] | None
    vitals: dict[str, Any] = field(default_factory=dict)  # battery %, rsrp dBm, snr dB, cell_id, tamper, seq, firmware
    note: str = ""  # what was odd about it, for people

    @property
    def id(self) -> int:
        """The message's id in the log."""
        return message_id(self.lane_id, self.seq)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every name the device may be known by."""
        return tuple(k for k in (self.device_key, self.operator_id) if k)


@dataclass(frozen=True, slots=True)
class RoutedSignal:
    """What became of one signal. `outcome`: no_alarm, opened, joined, drill, quarantined, pending."""

    nth: int
    signal: Signal
    outcome: str
    place: str
    device_id: int | None = None
    home_id: int | None = None
    reason: str = ""
    alarm_id: int | None = None
    attempts: int = 0
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of one message. `outcome`: signals, duplicate, undecodable, pending."""

    heard: Heard
    outcome: str
    signals: tuple[RoutedSignal, ...] | list[RoutedSignal] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One settled signal of an invented past (the demo's week of history)."""

    received_at: datetime
    at: datetime
    source: str
    device_id: int | None
    device_key: str
    home_id: int | None
    place: str
    kind: str
    dty: str
    stc: str
    lco: str = ""
    count: int = 1
    value: Any = None
    raw: bytes = b""
    outcome: str = "no_alarm"
    reason: str = ""
    alarm_id: int | None = None
