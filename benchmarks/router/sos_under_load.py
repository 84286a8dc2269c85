"""How long an SOS takes from its durable receipt to a committed incident while telemetry flows through the same router.

Feeds the log as the gateway does (COPY, one lane each for urgent and telemetry, NOTIFY), with the router as a process of its
own. Needs an empty database of its own: DATABASE_URL names it; it is migrated and filled with invented devices.

    DATABASE_URL=postgresql://… python benchmarks/router/sos_under_load.py --rate 1000 --seconds 30
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")
os.environ.setdefault("ANJU_MODE", "test")

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from anju.alarms.tests.heard import a_device, lane, sig  # noqa: E402
from anju.devices.models import Device  # noqa: E402
from anju.kernel import clock  # noqa: E402
from anju.kernel.scope import EVERYWHERE, seen_by  # noqa: E402
from anju.signals import log  # noqa: E402
from anju.signals.signal import message_id  # noqa: E402

COLUMNS = ("id, received_at, device_at, uid, source, product_id, device_key, operator_id, kind, outcome, n, windowed, dedup, "
           "decoded, raw, note")  # fmt: skip


class Feed:
    """One gateway connection."""

    def __init__(self, *, urgent: bool) -> None:
        self.lane, self.seq, self.bell = lane(urgent=urgent, gateway="bench").pk, 0, "urgent" if urgent else ""

    def say(self, bodies: list[tuple[str, list]]) -> int:
        """Commit these messages in one COPY; the id of the last one."""
        with connection.cursor() as cursor:
            now = clock.now()
            cursor.execute("BEGIN")
            with cursor.copy(f"COPY signals_message ({COLUMNS}) FROM STDIN") as copy:
                for key, signals in bodies:
                    self.seq += 1
                    text = log.write_signals(signals, {"battery": 80, "rsrp": -95}).decode()
                    dedup = hashlib.blake2b(uuid4().bytes, digest_size=16).digest()
                    copy.write_row((message_id(self.lane, self.seq), now, now, uuid4(), "ctwing", "P", key, "", "report", "pending",
                                    len(signals), False, dedup, text, b"x" * 400, ""))  # fmt: skip
            cursor.execute("SELECT pg_notify('anju_heard', %s)", [self.bell])
            cursor.execute("COMMIT")
        return message_id(self.lane, self.seq)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--homes", type=int, default=100)
    parser.add_argument("--routers", type=int, default=1)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two presses")
    args = parser.parse_args()
    call_command("migrate", verbosity=0)
    with seen_by(EVERYWHERE):
        if not Device.objects.filter(imei__startswith="bench").exists():
            for n in range(args.homes):
                a_device(f"bench{n:05d}", product="cord-nb1")
        telemetry, urgent = Feed(urgent=False), Feed(urgent=True)
    home = tempfile.mkdtemp()
    names = ["urgent", *["router"] * args.routers]
    routers = [
        subprocess.Popen([sys.executable, str(ROOT / "manage.py"), name], env=os.environ | {"ANJU_HOME": home})
        for name in names
    ]
    beats = [Path(home) / "run" / f"{name}.beat" for name in ("urgent", "router")]
    try:
        while not all(beat.exists() for beat in beats):
            time.sleep(0.2)  # noqa: TID251
        measure(args, telemetry, urgent)
    finally:
        for router in routers:
            router.terminate()
        for router in routers:
            router.wait(10)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"routers used {used.ru_utime + used.ru_stime:.1f} s of CPU; load average {os.getloadavg()[0]:.1f}")


def measure(args: argparse.Namespace, telemetry: Feed, urgent: Feed) -> None:
    began, sent, presses, n = time.monotonic(), 0, [], 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
    while (passed := time.monotonic() - began) < args.seconds:
        due = int(passed * args.rate) - sent
        if due >= 20:
            telemetry.say([(f"bench{(sent + i) % args.homes:05d}", [sig("motion")]) for i in range(due)])
            sent += due
        if passed > n * args.every:
            presses.append(urgent.say([(f"bench{n % args.homes:05d}", [sig("sos")])]))
            n += 1
        time.sleep(0.005)  # noqa: TID251
    deadline = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM signals_message WHERE outcome = 'pending' AND id >> 40 = ANY(%s)",
                           [[telemetry.lane, urgent.lane]])  # fmt: skip
            waiting = cursor.fetchone()[0]
            if not waiting:
                break
            time.sleep(0.2)  # noqa: TID251
        behind = time.monotonic() - began - args.seconds
        cursor.execute(
            "SELECT extract(epoch FROM raised_at - received_at)::float FROM alarms_alarm WHERE message_id = ANY(%s)",
            [presses],
        )
        raised = [row[0] for row in cursor.fetchall()]
    since = clock.now() - timedelta(seconds=args.seconds + 90)
    from anju.alarms.ledger import ledger

    before = time.monotonic()
    books = ledger(since, clock.now() + timedelta(seconds=1))
    print(f"telemetry {sent} in {args.seconds} s ({sent / args.seconds:.0f}/s), caught up {behind:.1f} s after the end")
    print(
        f"SOS {len(presses)}, alarms {len(raised)}: receipt → alarm p50 {percentile(raised, 0.5) * 1000:.0f} ms, "
        f"p95 {percentile(raised, 0.95) * 1000:.0f} ms, p99 {percentile(raised, 0.99) * 1000:.0f} ms, max {max(raised) * 1000:.0f} ms"
    )
    print(f"ledger balances: {books.balances} ({time.monotonic() - before:.2f} s for {books.total.messages} messages)")


if __name__ == "__main__":
    main()
