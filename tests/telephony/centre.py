"""A centre that works: the real switchboard and its watch as processes of their own, over a real Asterisk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from django.db import connection

from anju.accounts.models import User
from anju.calls import actions, queries
from anju.calls.control import books as reading
from anju.calls.models import Call, CallBack, Command, Leg, News, SeatState, Switchboard
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.ops.home import ROOT
from tests import warm
from tests.telephony import nanny
from tests.telephony.door import Door
from tests.telephony.engine_room import EMERGENCY, HOTLINE, EngineRoom, until
from tests.telephony.handset import Hands, Handset

ROLES = frozenset({"agent", "lead"})


class Worker:
    """One of our processes: it can be killed, and frozen. `cold`: started as the supervisor starts it."""

    def __init__(self, name: str, env: dict[str, str], log: Path, *, cold: bool = False) -> None:
        self.name, self.log = name, log
        self.process: subprocess.Popen[bytes] | warm.Process
        with log.open("ab") as out:
            if cold:
                command = [sys.executable, "manage.py", name]
                self.process = nanny.start(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
            else:
                self.process = warm.start([name], env=env, stdout=out, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        """SIGKILL."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    def freeze(self) -> None:
        """It hangs: connections stay open, nothing is done."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on as if nothing had been."""
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """In order; by force when it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


class Centre:
    """Seats, callers, verbs, and what the tables say."""

    def __init__(self, room: EngineRoom, hands: Hands, home: Path, *, with_door: bool = True) -> None:
        self.room, self.hands, self.home = room, hands, home
        to = connection.settings_dict
        self.door = Door(to["HOST"] or "127.0.0.1", int(to["PORT"] or 5432))
        account = f"{to['USER']}:{to['PASSWORD']}" if to["PASSWORD"] else to["USER"]
        way = f"127.0.0.1:{self.door.port}" if with_door else f"{to['HOST'] or '127.0.0.1'}:{to['PORT'] or 5432}"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ANJU_")},
            "ANJU_MODE": "test",
            "ANJU_HOME": str(home),
            "DATABASE_URL": f"postgresql://{account}@{way}/{to['NAME']}",
            "ANJU_ARI_URL": room.url,
            "ANJU_RECORDINGS": str(room.machine.recordings),
            "ANJU_ASTERISK_HOME": str(room.machine.home),
            "ANJU_TEST_DB": to["NAME"],
            "PYTHONPATH": str(ROOT / "src"),
        }
        self.workers: dict[str, Worker] = {}
        reading.read()

    # ---- our processes

    def opens(self, *names: str, cold: bool = False) -> None:
        """The switchboard (and the watch) start; returns when calls are taken. `cold`: the start itself is of concern."""
        row = Switchboard.objects.filter(pk=1).first()
        self._epoch = row.epoch if row else 0
        for name in names or ("switchboard",):
            self.workers[name] = Worker(name, self.env, self.home / f"{name}.log", cold=cold)
        if "switchboard" in self.workers:
            until(self._acts, "the switchboard acts", 30)

    def _acts(self) -> bool:
        worker = self.workers["switchboard"].process
        if worker.poll() is not None:
            raise AssertionError(f"the switchboard ended:\n{self.words()}")
        here = Switchboard.objects.filter(pk=1, engine_ok=True, epoch__gt=self._epoch).exists()
        return here and bool(self.room.ask("applications")) and queries.switchboard_runs()

    @property
    def switchboard(self) -> Worker:
        """The one that acts."""
        return self.workers["switchboard"]

    def words(self) -> str:
        """The last lines of every log."""
        return "\n".join(f"--- {w.name}\n{w.log.read_text()[-3000:]}" for w in self.workers.values())

    def close(self) -> None:
        """All of it."""
        for worker in self.workers.values():
            worker.end()
        self.room.cli("channel request hangup all")
        self.door.close()

    # ---- people

    def agent_row(self, extension: str, *, lead: bool = False, state: str = "ready") -> None:
        """An agent at her seat; her telephone is the test's own business."""
        user, _ = User.objects.get_or_create(
            username=f"seat{extension}", defaults={"name": f"坐席{extension}", "seat_number": extension}
        )
        SeatState.objects.update_or_create(
            user=user,
            defaults={
                "extension": extension, "state": state, "wants": state, "since": clock.now(), "mic_ok": True,
                "is_lead": lead,
            },
        )  # fmt: skip

    def agent(self, extension: str, *, auto: str = "", lead: bool = False, state: str = "ready") -> Handset:
        """An agent at her seat, with her telephone."""
        self.agent_row(extension, lead=lead, state=state)
        return self.hands.seat(extension, auto=auto)

    def by(self, extension: str) -> Actor:
        """Who sits there."""
        user = User.objects.get(seat_number=extension)
        return Actor(user.name, ROLES, user.pk)

    def calls(self, called: str = EMERGENCY, *, number: str = "13800000001", voice: str = "caller") -> Handset:
        """Somebody calls."""
        return self.hands.caller(number, voice=voice).call(called)

    def seat(self, extension: str) -> str:
        """How the seat stands."""
        return SeatState.objects.get(extension=extension).state

    def rests(self, extension: str) -> None:
        """Wait until the seat is free: ready, or writing up."""
        until(
            lambda: self.seat(extension) in {"ready", "wrap_up"}, f"{extension} is free again ({self.seat(extension)})"
        )

    def ready_again(self, extension: str) -> None:
        """The agent has written up."""
        self.rests(extension)
        if self.seat(extension) == "wrap_up":
            actions.wrap_up_done(by=self.by(extension), note="", resolved=True, tags=[])
        until(lambda: self.seat(extension) == "ready", f"{extension} is ready")

    # ---- the tables

    def call(self, **which: Any) -> Call:
        """The newest call."""
        found = until(lambda: Call.objects.filter(**which).order_by("-id").first(), f"a call {which} in the table")
        assert found is not None
        return found

    def call_is(self, state: str, within: float = 30.0, **which: Any) -> Call:
        """Wait until the newest call is in this state."""
        try:
            until(lambda: self.call(**which).state == state, f"the call is {state}", within)
        except AssertionError as late:
            raise AssertionError(f"{late}; {self.story(self.call(**which))}\n{self.words()}") from late
        return self.call(**which)

    def talk(self, agent: Handset, caller: Handset) -> Call:
        """The seat lifts, and both talk."""
        agent.waits_for("ringing").lift()
        caller.waits_for("answered")
        return self.call_is("talking")

    def story(self, call: Call) -> str:
        """What the tables say of a call: for whoever reads a failure."""
        legs = "".join(
            f"\n  {leg.role} {leg.endpoint}: rung {leg.ringing_at}, up {leg.answered_at}, over {leg.ended_at} {leg.cause}"
            for leg in Leg.objects.filter(call=call).order_by("id")
        )
        asked = "".join(
            f"\n  {c.verb}: asked {c.asked_at}, taken {c.taken_at}, done {c.done_at} {c.result} {c.error}"
            for c in Command.objects.order_by("id")
        )
        seats = ", ".join(f"{s.extension} {s.state}" for s in SeatState.objects.order_by("extension"))
        return f"it is {call.state} {call.result}{legs}{asked}\n  seats: {seats}"

    def nothing_is_left(self) -> None:
        """No channel, no bridge, no call that is not over, no seat that is busy, no party that is still on."""
        until(lambda: self.room.cli("core show channels count").startswith("0 active channels"), "no channel is left")
        until(
            lambda: not Call.objects.exclude(state="ended").exists(),
            f"no call is open: {_open_calls()}\n{self.words()}",
        )
        until(lambda: not Leg.objects.filter(ended_at=None).exists(), "no party is on in the tables")
        try:
            until(
                lambda: not SeatState.objects.filter(state__in=["ringing", "talking"]).exists(),
                "no seat is forgotten as busy",
            )
        except AssertionError as late:
            stories = "\n".join(f"{c.call_id} {self.story(c)}" for c in Call.objects.order_by("id"))
            raise AssertionError(f"{late}\n{stories}\n{self.words()}") from late

    def is_rung_back(self, times: int = 1) -> None:
        """So many callers must be rung back: the news of it is written right after the call's end."""
        until(lambda: not News.objects.filter(told_at=None).exists(), f"all news is told\n{self.words()}")
        found = list(CallBack.objects.all())
        if len(found) != times:
            raise AssertionError(f"{times} to be rung back, not {found}\n{self.words()}")


def _open_calls() -> list[str]:
    return [f"{c.call_id} {c.state}" for c in Call.objects.exclude(state="ended")]


@contextmanager
def centre(room: EngineRoom, hands: Hands, *, with_door: bool = True) -> Iterator[Centre]:
    """For one test. Without a door in the way to the database nothing stands between (measurements)."""
    home = Path(mkdtemp(prefix="anju-centre-"))
    made = Centre(room, hands, home, with_door=with_door)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(home, ignore_errors=True)


__all__ = ["EMERGENCY", "HOTLINE", "Centre", "centre"]
