"""From what happens in a home to what its devices post. Each device keeps its own number of the report (`Seq`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from anju.town import bodies, catalogue, frames
from anju.town.kits import DeviceSeed
from anju.town.people import HomeSeed


@dataclass(frozen=True, slots=True)
class Post:
    """One body for one door. `precious` bodies carry an SOS."""

    channel: str  # ctwing | onenet | mqtt
    body: bytes
    what: str
    device: DeviceSeed
    precious: bool = False


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
    records: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, device: DeviceSeed, seed: int, keys: Keys) -> Voice:
        """A device with a battery somewhere in its life."""
        rng = Random(f"{seed}/{device.imei}")
        return cls(
            device, keys, rng, rng.randrange(200, 3000), 13 if device.trouble == "low" else rng.randrange(55, 100)
        )

    def say(self, what: str, *, at: datetime, count: int = 1) -> Iterator[Post]:
        """Post what happened; a batching motion detector keeps it until it has eight records."""
        speech = catalogue.product(self.device.product)
        at_ms = round(at.timestamp() * 1000)
        if what == "motion" and speech.batches:
            self.records.append((at_ms, count))
            if len(self.records) < 8 and at_ms - self.records[0][0] < 20 * 60 * 1000:
                return
            fact: bodies.Fact = {"Motion_Records": [{"t": t, "n": n} for t, n in self.records]}
            self.records = []
        else:
            fact = catalogue.fact(speech, what, count)
        self.seq += 1
        if speech.batches:
            fact["Seq"] = self.seq
        fact |= {"Battery_Level": self.battery} | bodies.radio(self.rng, weak=self.device.trouble == "weak")
        if self.rng.random() < 0.01 and self.battery > 6:
            self.battery -= 1
        yield Post(
            speech.channel, self._body(speech.channel, what, fact, at_ms), what, self.device, precious=what == "sos"
        )

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

    @classmethod
    def of(cls, home: HomeSeed, seed: int, keys: Keys) -> Household:
        """The devices that still talk (silent ones do not)."""
        return cls(home, [Voice.of(d, seed, keys) for d in home.devices if d.trouble != "silent"])

    def said(self, what: str, *, at: datetime, count: int, rng: Random) -> Iterator[Post]:
        """The posts that follow from an event in the home (none if no device notices it)."""
        kind = {"door_open": "door", "door_closed": "door", "sos": "sos", "sos_reset": "sos"}.get(what, "motion")
        able = [v for v in self.voices if v.device.kind == kind]
        if what in {"battery", "tamper", "tamper_clear", "vitals"}:
            able = self.voices
        if able:
            yield from rng.choice(able).say(what, at=at, count=count)
