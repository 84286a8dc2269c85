"""A town that goes on by itself: it waits for the platform, lives at the speed of life, and takes up again after a restart."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from anju.kernel import clock
from anju.town import runfile
from anju.town.people import HomeSeed
from anju.town.simulate import Plan, Town

LOOK: Final = 10.0
"""Seconds between two looks at `run.json`: another address or key there means that the platform was started anew."""
NUMBERS: Final = 300
"""Seconds that one number of a device stands for: no device reports more often, so a town started again repeats none."""


async def going_on(homes: list[HomeSeed], plan: Plan, run_file: str, say: Callable[[str], object]) -> None:
    """Live until told to stop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await live(homes, plan, run_file, say, stop)


async def live(
    homes: list[HomeSeed], plan: Plan, run_file: str, say: Callable[[str], object], stop: asyncio.Event
) -> None:
    """The same with an event that stops it."""
    waiting = False
    while not stop.is_set():
        doors = _doors(run_file)
        if doors is None:
            if not waiting:
                say("小镇在等平台启动。")
            waiting = True
            await _wait(stop, LOOK / 5)
            continue
        waiting = False
        say(f"小镇 {len(homes)} 户开始过日子。")
        seq = int(clock.now().timestamp() // NUMBERS) % 60_000 + 1
        town = Town(homes, doors.http, replace(plan, seq=seq), keys=doors.keys, broker=doors.broker)
        over = asyncio.Event()
        running = asyncio.create_task(town.run(over))
        while not stop.is_set() and not running.done():
            await _wait(stop, LOOK)
            now = _doors(run_file)
            if now is not None and now != doors:
                say("平台重新启动过，小镇接上新地址。")
                break
        over.set()
        await running


def _doors(run_file: str) -> runfile.Doors | None:
    try:
        return runfile.read(run_file)
    except runfile.NotRunning:
        return None


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
