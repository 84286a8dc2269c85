"""An Asterisk of the tests' own: the platform's generator writes its configuration, it listens on loopback only.

Whoever runs it must end it (`stop`); `kill` is what a power cut does. Everything waits for what it waits for, nothing
sleeps for a time that somebody guessed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

from anju.calls.asterisk.engine import AsteriskEngine
from anju.calls.lines.config import writing
from anju.calls.lines.config.plan import APP, Lines, Machine, Number, Phone, Plan, Seat, Trunk
from anju.calls.simulator import tones
from anju.ops import asterisk
from anju.ops.secrets import Secrets
from tests.telephony import nanny
from tests.telephony.ground import Ground

T = TypeVar("T")
_NAP = threading.Event()
PROMPTS = Path(writing.__file__).parents[1] / "prompts"
SECRET = "tests-own-secret-0001"
ARI_SECRET = Secrets.for_tests().ari
HOTLINE, EMERGENCY = "96219", "962190"
RARELY = 86_400
"""Seconds between signs of life that are asked of a trunk. Tests ask when its state matters to them: a question that was
sent before somebody was there would count him as dead three seconds later, in the middle of the story."""
SEATS = ("8001", "8002", "8003", "8004", "8009")
"""Nobody ever sits at 8004."""


def until(ask: Callable[[], T], what: str, within: float = 30.0) -> T:
    """The first answer that is true, asked again and again; a failure names what was waited for."""
    end = time.monotonic() + within
    while True:
        if found := ask():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {within:g} s")
        _NAP.wait(0.01)


def lines(
    ground: Ground, town_port: int, seats: tuple[str, ...] = SEATS, rescue: tuple[str, ...] = ("8001", "8002")
) -> Lines:
    """Two trunks (one of them leads nowhere), two numbers, the seats, one telephone with one key."""
    here = (ground.callers, ground.town)
    return Lines(
        trunks=(
            Trunk("trunk", addresses=here, host=ground.town, port=town_port, caller_number=HOTLINE),
            Trunk("dead", addresses=(ground.nowhere,), host=ground.nowhere, port=5999),
        ),
        numbers=(Number(HOTLINE), Number(EMERGENCY, emergency=True)),
        seats=tuple(Seat(one, f"{SECRET}-{one}", f"seat{one}", rescue=one in rescue) for one in seats),
        phones=(Phone("phone1", f"{SECRET}-phone1", "13700000001"),),
    )


class EngineRoom:
    """One Asterisk with its folders, on ground of its own; `lines` is what it serves."""

    def __init__(
        self,
        home: Path,
        *,
        seats: tuple[str, ...] = SEATS,
        rescue: tuple[str, ...] = ("8001", "8002"),
        ports: int = 600,
    ) -> None:
        tree = asterisk.find()
        if tree is None:
            raise AssertionError("these tests need Asterisk: ./run --telephony installs it")
        self.tree, self.owner = tree, asterisk.user()
        base = home / "asterisk"
        self.ground = Ground()
        self.town_port = self.ground.port()
        self.lines = lines(self.ground, self.town_port, seats, rescue)
        ari_port, sip_port, rtp = self.ground.port(), self.ground.port(), self.ground.sound(ports)
        self.machine = Machine(
            home=base, recordings=home / "recordings", modules=tree.modules, documentation=tree.documentation,
            control=asterisk.control_folder(base), ari_port=ari_port, ari_password=ARI_SECRET, sip_port=sip_port,
            rtp_first=rtp[0], rtp_last=rtp[1], qualify_seconds=RARELY,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{ari_port}"
        self.sip = f"127.0.0.1:{sip_port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._sounds = {path.stem: path for path in PROMPTS.glob("*.wav") if path.stem != "tune"}
        self.tune = home / "tune.wav"
        tones.write(self.tune, [(2.0, frozenset({300}))])
        self.write(self.lines)

    def write(self, wanted: Lines) -> None:
        """Its configuration, with the tests' own music."""
        writing.write(Plan(self.machine, wanted), self._sounds, self.tune, owner=self.owner)

    def start(self) -> None:
        """Start and wait until it answers."""
        for old in self.machine.control.glob("*"):
            old.unlink()
        who = self.owner
        with (self.machine.home / "log" / "stdout").open("ab") as out:
            self.process = nanny.start(
                self.tree.start(self.machine.etc / "asterisk.conf"),
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                user=who.uid if who else None, group=who.gid if who else None, extra_groups=[] if who else None,
            )  # fmt: skip
        until(self._answers, "Asterisk answers", 30)

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            said = (self.machine.home / "log" / "stdout").read_text(errors="replace")
            raise AssertionError(f"Asterisk ended at once:\n{said[-3000:]}")
        return self.is_up()

    def is_up(self) -> bool:
        """Whether its interface for us answers, and its configuration is loaded."""
        return self.ask("endpoints/PJSIP/trunk") is not None

    def ask(self, path: str) -> Any:
        """What its interface says; None when it does not."""
        request = urllib.request.Request(f"{self.url}/ari/{path}")  # noqa: S310  our own loopback address
        request.add_header("Authorization", "Basic " + b64encode(f"{APP}:{ARI_SECRET}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer)
        except (OSError, urllib.error.URLError):
            return None

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In order."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """Stopped, and its ground is for others."""
        self.stop()
        self.ground.close()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, how)
            self.process.wait(60)

    def cli(self, words: str) -> str:
        """What the running server says to a command."""
        return subprocess.run(
            self.tree.remote(self.machine.etc / "asterisk.conf", words),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout

    def engine(self, app: str = APP) -> AsteriskEngine:
        """The port to this Asterisk."""
        return AsteriskEngine(url=self.url, user=APP, secret=ARI_SECRET, app=app)


@contextmanager
def engine_room(
    *,
    seats: tuple[str, ...] = SEATS,
    rescue: tuple[str, ...] = ("8001", "8002"),
    before: Callable[[EngineRoom], None] = lambda _room: None,
    ports: int = 600,
) -> Iterator[EngineRoom]:
    """A running one, gone afterwards. `before` may add to its configuration."""
    home = Path(mkdtemp(prefix="anju-tel-"))
    home.chmod(0o755)
    room = EngineRoom(home, seats=seats, rescue=rescue, ports=ports)
    try:
        before(room)
        room.start()
        yield room
    finally:
        room.close()
        shutil.rmtree(home, ignore_errors=True)
