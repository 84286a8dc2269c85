"""How long until a seat rings, how many calls a second, how many at once: the platform against Asterisk's own queue.

    python -m benchmarks.telephony.run ratio | burst | media [--seconds N]

Starts a PostgreSQL of its own that waits for the disk, an Asterisk from the platform's generator, the real switchboard,
and SIPp for callers and seats; all times are read from one capture. Needs root (tcpdump) and a quiet machine: the load
before the run is printed with the result.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")

if TYPE_CHECKING:
    from tests.telephony.centre import Centre
    from tests.telephony.engine_room import EngineRoom

SEATS = 200
OURS = tuple(str(n) for n in range(5001, 5001 + SEATS))
THEIRS = tuple(str(n) for n in range(6001, 6001 + SEATS))
"""Seats of the platform, and members of Asterisk's own queue: as many, and the same SIPp behind both."""
QUEUE = "8000"
SEAT_PORT = 5470


def seat_scenario(voice: Path | None) -> str:
    """Rings at once, is lifted at once."""
    from tests.telephony.sipp import telephone

    return telephone(voice)


class Capture:
    """SIP on loopback."""

    def __init__(self, folder: Path, room: EngineRoom) -> None:
        self.path = folder / "sip.pcap"
        self.callers, self.agents = room.ground.callers, room.ground.agents
        port = room.machine.sip_port
        self._process = subprocess.Popen(
            ["tcpdump", "-i", "lo", "-Z", "root", "-s", "700", "-B", "65536", "-w", str(self.path), f"udp and port {port}"],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        if self._process.stderr is not None:
            while b"listening" not in self._process.stderr.readline():
                pass

    def close(self) -> None:
        """Everything is on disk afterwards."""
        self._process.terminate()
        self._process.wait(10)

    def packets(self) -> Iterator[tuple[float, str, bytes]]:
        """Time, source address, SIP message."""
        data = self.path.read_bytes()
        at = 24
        while at + 16 <= len(data):
            second, micro, size, _ = struct.unpack_from("<IIII", data, at)
            packet, at = data[at + 16 : at + 16 + size], at + 16 + size
            head = 14 + (packet[14] & 15) * 4
            yield second + micro / 1e6, ".".join(map(str, packet[26:30])), packet[head + 8 :]

    def rings(self) -> dict[str, list[float]]:
        """For each caller's number the seconds from her INVITE to the 180 of each seat that rang, the first one first."""
        invited: dict[str, float] = {}
        rang: dict[str, dict[bytes, float]] = {}
        for at, source, message in self.packets():
            found = re.search(rb"(?im)^From:.*?sip:(\d+)@", message)
            leg = re.search(rb"(?im)^Call-ID:\s*(\S+)", message)
            if found is None or leg is None:
                continue
            number = found[1].decode()
            if source == self.callers and message.startswith(b"INVITE "):
                invited.setdefault(number, at)
            elif source == self.agents and message.startswith(b"SIP/2.0 180"):
                rang.setdefault(number, {}).setdefault(leg[1], at)
        return {number: sorted(t - at for t in rang.get(number, {}).values()) for number, at in invited.items()}


class Load:
    """The machine with everything on it."""

    def __init__(self, room: EngineRoom, centre: Centre, folder: Path, *, sound: bool) -> None:
        from tests.telephony.sipp import Sipp, write_voices

        self.room, self.centre, self.folder, self.sound = room, centre, folder, sound
        write_voices(folder)
        self._register()
        voice = folder / "8001.al" if sound else None
        self.seats = Sipp(folder, "seats", seat_scenario(voice), room.ground.agents, SEAT_PORT, room=room, media=32000)

    def _register(self) -> None:
        """Every seat from one port: its telephones are one SIPp."""
        from tests.telephony.engine_room import SECRET
        from tests.telephony.sipp import register

        for extension in (*OURS, *THEIRS):
            register(self.room.sip, self.room.ground.agents, SEAT_PORT, extension, f"{SECRET}-{extension}")

    def callers(self, name: str, first: int, called: str, *, rate: float, calls: int, hold_ms: int, port: int) -> Any:
        """SIPp that dials `calls` times, `rate` a second, each number another one."""
        from tests.telephony.sipp import Sipp, caller

        table = self.folder / f"{name}.csv"
        table.write_text("SEQUENTIAL\n" + "".join(f"{first + n};{called}\n" for n in range(calls)))
        voice = self.folder / "caller.al" if self.sound else None
        return Sipp(
            self.folder, name, caller(voice, hold=True), self.room.ground.callers, port, "-inf", str(table), "-m", str(calls), "-r", str(rate),
            "-d", str(hold_ms), "-l", "1000", room=self.room, media=40000 if port == 5110 else 50000,
        )  # fmt: skip

    def close(self) -> None:
        """The seats are gone."""
        self.seats.crash()


def quantile(values: list[float], q: float) -> float:
    """Of sorted or unsorted values, in milliseconds, one decimal."""
    ordered = sorted(values)
    return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * q))], 1)


def told(rings: dict[str, list[float]], of: str) -> dict[str, Any]:
    """Figures of the callers whose number begins so: until the first seat rang, and until all that rang for her did."""
    mine = [legs for number, legs in rings.items() if number.startswith(of)]
    first, last = ([legs[n] for legs in mine if legs] for n in (0, -1))
    figures = {f"p{int(q * 100)}_ms": quantile(first, q) for q in (0.5, 0.9, 0.99)} if first else {}
    more = (
        {"seats_each": round(sum(map(len, mine)) / len(first), 2), "all_seats_p50_ms": quantile(last, 0.5)}
        if last
        else {}
    )
    return {"calls": len(mine), "rang": len(first), **figures, "max_ms": quantile(first, 1) if first else None, **more}


@contextmanager
def capturing(load: Load) -> Iterator[Capture]:
    """While something is measured."""
    ears = Capture(load.folder, load.room)
    try:
        yield ears
    finally:
        ears.close()


def ratio(load: Load, seconds: int) -> dict[str, Any]:
    """10 calls a second to each, at the same time: ordinary callers (one seat rings, as in the queue), then callers in need."""
    from tests.telephony.engine_room import EMERGENCY, HOTLINE

    found: dict[str, Any] = {}
    for kind, called, first in (("ordinary", HOTLINE, 71_000_000), ("in_need", EMERGENCY, 72_000_000)):
        with capturing(load) as ears:
            _both_at_ten(load, seconds, kind, called, first)
        rings = ears.rings()
        ours, theirs = told(rings, str(first)[:2]), told(rings, str(first + 10_000_000)[:2])
        found[kind] = {"ours": ours, "app_queue": theirs, "p50_ratio": round(ours["p50_ms"] / theirs["p50_ms"], 2)}
    return found


def _both_at_ten(load: Load, seconds: int, kind: str, called: str, first: int) -> None:
    calls = 10 * seconds
    both = [load.callers(f"ours-{kind}", first, called, rate=10, calls=calls, hold_ms=2000, port=5110)]
    pause(0.05)  # one caller of each after the other, fifty milliseconds apart
    both += [load.callers(f"theirs-{kind}", first + 10_000_000, QUEUE, rate=10, calls=calls, hold_ms=2000, port=5112)]
    for one in both:
        one.over(seconds + 60)


def burst(load: Load, seconds: int) -> dict[str, Any]:
    """40 calls a second."""
    from tests.telephony.engine_room import EMERGENCY

    with capturing(load) as ears:
        calls = load.callers("ours", 71_000_000, EMERGENCY, rate=40, calls=40 * seconds, hold_ms=1000, port=5110)
        calls.over(seconds + 90)
    return {"ours": told(ears.rings(), "71")}


def media(load: Load, seconds: int) -> dict[str, Any]:
    """100 calls at once, each with sound both ways and three files of recording."""
    from tests.telephony.engine_room import EMERGENCY

    calls = load.callers("ours", 71_000_000, EMERGENCY, rate=5, calls=100, hold_ms=1000 * (seconds + 30), port=5110)
    wait_until(lambda: len(load.room.ask("channels") or ()) >= 200, 60)
    before = statistics(load.room)
    pause(seconds)
    after = statistics(load.room)
    both = before.keys() & after.keys()
    sizes = sorted(load.room.machine.recordings.glob("*-in.wav"))
    result = {
        "channels": len(after),
        "received": sum(after[c]["rxcount"] - before[c]["rxcount"] for c in both),
        "lost_by_the_way_in": sum(after[c].get("rxploss", 0) - before[c].get("rxploss", 0) for c in both),
        "sent": sum(after[c]["txcount"] - before[c]["txcount"] for c in both),
        "expected_each_way": len(both) * 50 * seconds,
        "worst_jitter_ms": round(max(after[c].get("rxjitter", 0) for c in both) * 1000, 2),
        "recordings": len(sizes),
    }
    calls.over(seconds + 120)
    return result


def statistics(room: EngineRoom) -> dict[str, Any]:
    """RTP counters of every telephone."""
    found = {c["id"]: room.ask(f"channels/{c['id']}/rtp_statistics") for c in room.ask("channels")}
    return {leg: counted for leg, counted in found.items() if counted}


def wait_until(ask: Any, within: float) -> None:
    """As the tests do."""
    from tests.telephony.engine_room import until

    until(ask, "ready to be measured", within)


def pause(seconds: float) -> None:
    """A stretch of time that is measured."""
    import threading

    threading.Event().wait(seconds)


def prepare(centre: Centre) -> None:
    """All our seats are ready; a call is written up in a second, and nothing is said before an ordinary call rings."""
    from anju.calls.models import Queue

    for extension in OURS:
        centre.agent_row(extension)
    Queue.objects.update(wrap_up_seconds=1, survey=False)
    Queue.objects.filter(emergency=False).update(prompt="")  # `Queue()` says nothing before it rings either


def with_a_queue(room: EngineRoom) -> None:
    """Asterisk's own: nothing but Queue() with as many members."""
    members = "".join(f"member => PJSIP/{extension}\n" for extension in THEIRS)
    etc = room.machine.etc
    queues = etc / "queues.conf"
    queues.write_text(
        f"{queues.read_text()}\n[bench]\nstrategy = rrmemory\ntimeout = 15\nretry = 1\nringinuse = no\nautofill = yes\n{members}"
    )
    plan = etc / "extensions.conf"
    own = "[bench]\nexten => s,1,Answer(,i)\n same => n,Queue(bench,,,,60)\n same => n,Hangup()\n"
    way = (
        f"[trunk]\nexten => {QUEUE},1,Goto(bench,s,1)\n"  # a context of its own: nothing is told to us when it hangs up
    )
    plan.write_text(own + plan.read_text().replace("[trunk]\n", way, 1))


def main() -> None:
    """One run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("ratio", "burst", "media"))
    parser.add_argument("--seconds", type=int, default=15)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="anju-bench-"))
    folder.chmod(0o755)
    try:
        measure(chosen.what, chosen.seconds, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(what: str, seconds: int, folder: Path) -> None:
    """Start everything, measure, stop everything."""
    from anju.ops.postgres import Server, server_user

    (folder / "db").mkdir()
    if user := server_user():
        os.chown(folder / "db", user.uid, user.gid)
    server = Server(folder / "db", "bench", "bench", durable=True, may_create_databases=True)
    database = server.start()
    os.environ["DATABASE_URL"] = server.url
    import django

    django.setup()
    from django.core.management import call_command

    from anju.kernel.scope import EVERYWHERE, seen_by

    try:
        call_command("migrate", verbosity=0)
        with seen_by(EVERYWHERE):
            _measure(what, seconds, folder)
    finally:
        import signal

        database.send_signal(signal.SIGINT)  # a fast shutdown: whoever is still connected is cut off
        database.wait(30)


def _measure(what: str, seconds: int, folder: Path) -> None:
    from tests.telephony.centre import centre as open_centre
    from tests.telephony.engine_room import engine_room
    from tests.telephony.handset import Hands

    load_before = os.getloadavg()[0]
    with engine_room(seats=(*OURS, *THEIRS), rescue=(), before=with_a_queue, ports=4000) as room:
        hands = Hands(room)
        with open_centre(room, hands, with_door=False) as centre:
            prepare(centre)
            load = Load(room, centre, folder, sound=what == "media")
            try:
                centre.opens("switchboard", cold=True)
                wait_until(lambda: _ready() >= len(OURS), 60)
                began, cpu = time.monotonic(), _processor(centre)
                result = {"ratio": ratio, "burst": burst, "media": media}[what](load, seconds)
                result |= {
                    "what": what, "seconds": round(time.monotonic() - began, 1), "load_before": round(load_before, 1),
                    "load_after": round(os.getloadavg()[0], 1), "written": _written(),
                    "processor_seconds": {name: round(used - cpu[name], 1) for name, used in _processor(centre).items()},
                }  # fmt: skip
                sys.stdout.write(json.dumps(result, indent=1) + "\n")
            finally:
                load.close()


def _processor(centre: Centre) -> dict[str, float]:
    """Seconds of processor that each has used."""
    import psutil

    pids = {"switchboard": centre.switchboard.process.pid}
    if centre.room.process is not None:
        pids["asterisk"] = centre.room.process.pid
    return {name: sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in pids.items()}


def _ready() -> int:
    from anju.calls.models import SeatState

    return SeatState.objects.filter(registered=True, state="ready").count()


def _written() -> dict[str, int]:
    """Every leg that rang has a row that is older than its ringing."""
    from django.db.models import F

    from anju.calls.models import Call, Leg

    rung = Leg.objects.filter(role="agent", ringing_at__isnull=False)
    return {
        "calls": Call.objects.count(),
        "seats_rung": rung.count(),
        "intent_first": rung.filter(planned_at__lt=F("ringing_at")).count(),
    }


if __name__ == "__main__":
    main()
