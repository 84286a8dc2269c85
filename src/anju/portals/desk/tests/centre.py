"""A whole centre for the stories: the real switchboard in a thread, with a simulated or a real engine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from anju.calls import actions
from anju.calls.control.board import Board
from anju.calls.control.teller import Teller
from anju.calls.exchange import Engine
from anju.calls.lines.models import AccessNumber
from anju.calls.models import Switchboard
from anju.calls.simulator import Simulator, World
from anju.kernel.scope import EVERYWHERE, seen_by

T = TypeVar("T")
HOTLINE, EMERGENCY = "962899", "962890"


def numbers(hotline: str = HOTLINE, emergency: str = EMERGENCY) -> None:
    """Two queues, two numbers."""
    with seen_by(EVERYWHERE):
        actions.ensure_queues()
        AccessNumber.objects.get_or_create(number=hotline, defaults={"label": "服务热线", "queue": "service"})
        AccessNumber.objects.get_or_create(
            number=emergency, defaults={"label": "紧急", "emergency": True, "queue": "emergency"}
        )


class Centre:
    """The switchboard that runs, and the people outside."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.loop = asyncio.new_event_loop()
        self._board: Board | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self._board = Board(self.engine, Silent())
        self.loop.run_until_complete(self._board.run())

    def start(self) -> None:
        """Begin, and wait until it says that it is there."""
        self._thread.start()
        wait_for(
            lambda: Switchboard.objects.filter(engine_ok=True, beat_at__isnull=False).exists(), "the switchboard runs"
        )

    def stop(self) -> None:
        """As SIGTERM does."""
        if self._board is not None:
            self.loop.call_soon_threadsafe(self._board.stop.set)
        self._thread.join(15)
        if self._thread.is_alive():  # an engine that is gone may hold it up: it must not outlive its test
            self.loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(self.loop)])
            self._thread.join(15)
        if self._board is not None:
            self._board.pool.shutdown(wait=True)

    def do(self, what: Callable[[], T]) -> T:
        """Something in the switchboard's own thread (the simulated world belongs to it)."""

        async def now() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(now(), self.loop).result(10)

    # ---- of a simulated centre

    @property
    def world(self) -> World:
        """Everybody outside."""
        assert isinstance(self.engine, Simulator)
        return self.engine.world

    def calls_in(self, number: str, called: str = EMERGENCY, **more: Any) -> str:
        """Somebody dials us; her leg."""
        return self.do(lambda: self.world.call_in(number, called, **more))

    def does(self, who: str, *steps: str) -> None:
        """Somebody outside does something."""
        self.do(lambda: self.world.does(who, *steps))


def wait_for(ask: Callable[[], object], what: str, within: float = 30) -> None:
    """Until it is so."""
    pause = threading.Event()
    end = time.monotonic() + within
    while time.monotonic() < end:
        if ask():
            return
        pause.wait(0.05)
    raise AssertionError(f"{what}: not within {within:g} s")


class Silent(Teller):
    """The desk's tests press the pages; what the platform does of itself when a call rings or ends is proved elsewhere
    (incidents/tests/test_with_switchboard.py, tests/telephony)."""

    def start(self) -> None:
        """Nobody tells."""

    def wake(self) -> None:
        """And nobody is waked."""


@contextmanager
def simulated() -> Iterator[Centre]:
    """Nobody's telephone rings; time runs by itself."""
    numbers()
    centre = Centre(Simulator(World(), auto=True))
    centre.start()
    try:
        yield centre
    finally:
        centre.stop()
