"""From what happens in a home to what its devices post. Each device keeps its own number of the report (`Seq`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final

from anju.town import bodies, catalogue, frames
from anju.town.kits import DeviceSeed
from anju.town.people import HomeSeed

OFF: Final = 60.0
"""Seconds by which a clock that is off is off (standard deviation)."""
STUCK: Final = 0.01
"""Share of door contacts that stick and tell nothing."""
WEAK: Final = 5
"""Percent of battery from which on a device reports more rarely."""
FIRST_CELL: Final = 330_100
CELLS: Final = 24


@dataclass(frozen=True, slots=True)
class Post:
    """One body for one door. `precious` bodies carry an SOS."""

    channel: str  # ctwing | onenet | mqtt
    body: bytes
    what: str
    device: DeviceSeed
    precious: bool = False
    cell: int = 0


@dataclass(frozen=True, slots=True)
class Keys:
    """What OneNET's platform and ours share: the token that signs and the key (16 bytes, or none) that seals."""

    token: str = ""
    aes_key: str = ""


@dataclass(slots=True)
class Voice:
    """One device that talks."""

    device: DeviceSeed
    keys: Keys
    rng: Random
    seq: int = 0
    battery: int = 90
    cell: int = 0
    offset: float = 0.0
    stuck: bool = False
    records: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, device: DeviceSeed, seed: int, keys: Keys, *, cell: int = 0) -> Voice:
        """A device with a battery somewhere in its life, a clock that is a little off, and a contact that may stick."""
        rng = Random(f"{seed}/{device.imei}")
        seq, battery = rng.randrange(200, 3000), 13 if device.trouble == "low" else rng.randrange(55, 100)
        offset = rng.gauss(0, OFF) if rng.random() < 0.3 else 0.0
        return cls(device, keys, rng, seq, battery, cell, offset, device.kind == "door" and rng.random() < STUCK)

    @property
    def dead(self) -> bool:
        """An empty battery says nothing any more."""
        return self.battery <= 0

    @property
    def weak(self) -> bool:
        """A battery near its end reports four times more rarely."""
        return self.battery <= WEAK

    def say(self, what: str, *, at: datetime, count: int = 1) -> Iterator[Post]:
        """Post what happened; a batching motion detector keeps it until it has eight records."""
        if self.dead or (self.stuck and what in {"door_open", "door_closed"}):
            return
        speech = catalogue.product(self.device.product)
        at_ms = round((at.timestamp() + (0.0 if what == "sos" else self.offset)) * 1000)
        if what == "motion" and speech.batches:
            self.records.append((at_ms, count))
            if len(self.records) < 8 and at_ms - self.records[0][0] < 20 * 60 * 1000:
                return
            fact: bodies.Fact = self._emptied()
        else:
            fact = catalogue.fact(speech, what, count) | (self._emptied() if speech.batches and self.records else {})
        self.seq += 1
        if speech.batches:
            fact["Seq"] = self.seq
        fact |= {"Battery_Level": self.battery} | bodies.radio(
            self.rng, weak=self.device.trouble == "weak", cell=self.cell
        )
        if self.rng.random() < 0.0004:  # a healthy battery lasts for years, a low one for weeks
            self.battery -= 1
        yield Post(
            speech.channel,
            self._body(speech.channel, what, fact, at_ms),
            what,
            self.device,
            precious=what == "sos",
            cell=self.cell,
        )

    def _emptied(self) -> bodies.Fact:
        """The records that it kept, for one report."""
        kept, self.records = self.records, []
        return {"Motion_Records": [{"t": t, "n": n} for t, n in kept]}

    def _body(self, channel: str, what: str, fact: bodies.Fact, at_ms: int) -> bytes:
        speaker = catalogue.speaker(self.device)
        if channel == "onenet":
            nonce = f"{self.rng.getrandbits(40):010x}"
            return bodies.onenet(speaker, fact, at_ms, token=self.keys.token, aes_key=self.keys.aes_key, nonce=nonce)
        if channel == "mqtt":
            return bodies.mqtt(fact, at_ms)
        frame = frames.bing(what, fact, at_ms, self.seq) if speaker.form == "binary" else b""
        return bodies.ctwing(speaker, fact, at_ms, binary=frame)


@dataclass(slots=True)
class Household:
    """All devices of a home."""

    home: HomeSeed
    voices: list[Voice]
    down_until: datetime | None = None

    @classmethod
    def of(cls, home: HomeSeed, seed: int, keys: Keys, *, seq: int = 0) -> Household:
        """The devices that still talk (silent ones do not). `seq` = where their numbers begin, 0 = anywhere."""
        cell = FIRST_CELL + home.n % CELLS
        voices = [Voice.of(d, seed, keys, cell=cell) for d in home.devices if d.trouble != "silent"]
        for voice in voices:
            voice.seq = seq or voice.seq
        return cls(home, voices)

    @property
    def hung(self) -> str:
        """Where the first motion sensor hangs."""
        return next((v.device.position for v in self.voices if v.device.kind == "motion"), "")

    def said(self, what: str, *, at: datetime, count: int, rng: Random) -> Iterator[Post]:
        """The posts that follow from an event in the home (none if no device notices it)."""
        if self.down_until is not None and at < self.down_until and what in {"motion", "door_open", "door_closed"}:
            return
        kind = {"door_open": "door", "door_closed": "door", "sos": "sos", "sos_reset": "sos"}.get(what, "motion")
        able = [v for v in self.voices if v.device.kind == kind]
        if what in {"battery", "tamper", "tamper_clear", "vitals"}:
            able = self.voices
        if able:
            yield from rng.choice(able).say(what, at=at, count=count)
