"""The written form of decoded signals, and the rows of the log. Shared by the gateway (which writes by COPY) and Django."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from anju.signals.signal import Signal

_encode = msgspec.json.Encoder().encode


class _Line(msgspec.Struct, omit_defaults=True, array_like=True):
    """One signal, short: kind, at in ms since 1970, dty, stc, lco, count, value, seq."""

    kind: str
    at: int
    dty: str
    stc: str
    lco: str = ""
    count: int = 1
    value: Any = None
    seq: int | None = None


class Decoded(msgspec.Struct, omit_defaults=True):
    """What a body meant: its signals and the readings that came along."""

    s: list[_Line]
    v: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(Decoded)


def millis(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def from_millis(ms: int) -> datetime:
    """The other way."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def write(lines: list[tuple[Any, ...]], vitals: dict[str, Any]) -> bytes:
    """Signals as they are stored (JSON)."""
    return _encode({"s": lines, "v": vitals})


def write_signals(signals: Iterable[Signal], vitals: dict[str, Any]) -> bytes:
    """The same from Signal values."""
    return write([(s.kind, millis(s.at), s.dty, s.stc, s.lco, s.count, s.value, s.seq) for s in signals], vitals)


def read(text: str | bytes) -> tuple[tuple[Signal, ...], dict[str, Any]]:
    """Signals and readings of a stored message."""
    decoded = _decoder.decode(text)
    return tuple(
        Signal(x.kind, from_millis(x.at), x.dty, x.stc, x.lco, x.count, x.value, x.seq) for x in decoded.s
    ), decoded.v
