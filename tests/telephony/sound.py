"""Who hears whom: the sound on the wire, not what a program believes.

Everything that goes over loopback is captured. A party is known by the tone that it says from its address and port; what
the engine sends back to that address and port is what the party hears.
"""

from __future__ import annotations

import os
import struct
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from anju.calls.simulator import tones
from tests.telephony import nanny
from tests.telephony.engine_room import EngineRoom, until
from tests.telephony.sipp import TONES, voice_of

_ALAW = 8
_LISTENS = 20
_ENOUGH = 60
"""Packets of 20 ms: 1.2 s of sound, of which the first part may still hold the sound of before."""


Address = tuple[str, int]


class Ears:
    """A capture that runs."""

    def __init__(self, room: EngineRoom, folder: Path) -> None:
        self.path = folder / "sound.pcap"
        self._from = room.machine.rtp_first, room.machine.rtp_last
        where = f"udp and net {room.ground.net} and portrange {self._from[0]}-{self._from[1]}"
        self._process = nanny.start(
            ["tcpdump", "-i", "lo", "-Z", "root", "-s", "300", "-B", "16384", "-U", "-w", str(self.path), where],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        line = self._process.stderr.readline() if self._process.stderr else b""
        while b"listening" not in line:
            if not line:
                raise AssertionError("tcpdump does not run: the proof by sound needs the right to capture on lo")
            line = self._process.stderr.readline() if self._process.stderr else b""

    def close(self) -> None:
        """No more."""
        self._process.terminate()
        self._process.wait(5)

    def _packets(self, since: float) -> Iterator[tuple[Address, Address, bytes]]:
        data = self.path.read_bytes()
        at = 24
        while at + 16 <= len(data):
            second, micro, size, _ = struct.unpack_from("<IIII", data, at)
            packet, at = data[at + 16 : at + 16 + size], at + 16 + size
            if len(packet) < size or second + micro / 1e6 < since:
                continue
            head = 14 + (packet[14] & 15) * 4
            source, target = struct.unpack_from(">HH", packet, head)
            rtp = packet[head + 8 :]
            if len(rtp) >= 12 + 80 and rtp[0] & 0xC0 == 0x80 and rtp[1] & 0x7F == _ALAW:
                yield (
                    (".".join(map(str, packet[26:30])), source),
                    (".".join(map(str, packet[30:34])), target),
                    rtp[12:],
                )

    def _streams(self, since: float) -> tuple[Mapping[Address, list[bytes]], Mapping[Address, list[bytes]]]:
        said: dict[Address, list[bytes]] = defaultdict(list)
        heard: dict[Address, list[bytes]] = defaultdict(list)
        first, last = self._from
        for source, target, sound in self._packets(since):
            if first <= source[1] <= last:
                heard[target].append(sound)
            else:
                said[source].append(sound)
        return said, heard

    def find(self, expected: Mapping[str, set[str]], why: str = "") -> None:
        """It comes to be so: who (by voice) hears which voices. What is not so yet is listened to again, for a while."""
        found: list[Mapping[str, set[str]]] = []
        for _ in range(_LISTENS):
            found.append(self.hears(parties=len(expected)))
            if found[-1] == expected:
                return
        raise AssertionError(f"{why or 'who hears whom'}: expected {expected}, found {found[-3:]}")

    def hears(self, *, parties: int) -> dict[str, set[str]]:
        """From now on, until enough was said by so many parties: who (by voice) hears which voices."""
        begin = time.time()
        said = until(lambda: self._enough(begin, parties), f"{parties} parties talk")
        _, heard = self._streams(begin)
        result: dict[str, set[str]] = {}
        for address, sounds in said.items():
            name = next(iter(voice_of(sounds[-_ENOUGH + 10 :])), "")
            result[name] = voice_of(heard.get(address, [])[-_ENOUGH + 10 :])
        return result

    def _enough(self, since: float, parties: int) -> Mapping[Address, list[bytes]]:
        said, _ = self._streams(since)
        full = {address: sounds for address, sounds in said.items() if len(sounds) >= _ENOUGH}
        return full if len(full) >= parties else {}


def voices_in(path: Path, since: float = 0.0) -> set[str]:
    """Whose tones are in a WAV file from that second on."""
    found = tones.heard(tones.samples_of(path, since), TONES.values())
    return {name for name, tone in TONES.items() if tone in found}


def may_capture() -> bool:
    """Whether this user may listen on loopback."""
    return os.geteuid() == 0
