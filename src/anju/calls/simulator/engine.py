"""The port over the simulated world."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

from anju.calls.exchange import (
    BridgeView,
    Cause,
    Direction,
    Endpoint,
    EngineDown,
    Event,
    Fenced,
    Gone,
    Health,
    Kind,
    Number,
    Order,
    Phone,
    Seat,
    Snapshot,
    Spy,
    Unreachable,
)
from anju.calls.simulator.world import Leg, World
from anju.kernel import clock

_LONGEST_NAP = 0.2
"""Seconds: a clock that a test moves is noticed so soon where `auto` runs."""


class _Everybody(dict[str, bool]):
    """Every seat is there: in the demo the desk itself is the telephone."""

    def __missing__(self, extension: str) -> bool:
        return True

    def get(self, extension: str, default: object = None) -> bool:  # noqa: ARG002
        return self[extension]


class Simulator:
    """One switchboard's connection. All of a process share one world, unless they name another.

    `auto=True` is the demo: time runs by itself, every seat is registered, and the desk lifts with `answer`. Otherwise
    `tick()` lets happen what is due, and seats are registered by `world.registered`.
    """

    name = "simulator"
    shared: ClassVar[World] = World()
    dialled: ClassVar[list[Order]] = []
    hung_up: ClassVar[list[str]] = []
    behaviour: ClassVar[dict[str, tuple[str, ...]]] = shared.behaviour
    broken: ClassVar[bool] = False

    @classmethod
    def forget(cls) -> None:
        """A fresh start for a test: an empty world in which nobody is known."""
        cls.dialled.clear()
        cls.hung_up.clear()
        cls.behaviour.clear()
        cls.broken = False
        cls.shared = World()
        cls.shared.behaviour = cls.behaviour

    @classmethod
    def will(cls, number: str, *events: str) -> None:
        """What happens when this number or extension is dialled, e.g. will("138…", "answered", "key:1", "ended").

        Also: "busy", "refused", "no_answer", "wait:3" (seconds), "hears" (a prompt to its end), "says:2". Nothing
        foreseen: it rings until its time is over.
        """
        cls.behaviour[number] = events

    def __init__(self, world: World | None = None, *, auto: bool = False) -> None:
        self._world = world
        self._auto = auto
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._fenced = False
        self._pump: asyncio.Task[None] | None = None

    @property
    def world(self) -> World:
        """What it is connected to."""
        return self._world or type(self).shared

    def tick(self) -> int:
        """Let happen what is due by the clock; how many things did."""
        return self.world.tick()

    # ---- the connection

    async def connect(self) -> None:
        """Listen; whoever listened before is told that it was replaced."""
        if not self.world.running or self.broken:
            raise EngineDown("模拟话机已断开")
        if (before := self.world.listener) is not None and before != self._hear:
            before(Event(Kind.REPLACED, "", clock.now()))
        self.world.listener = self._hear
        self._hear(Event(Kind.CONNECTED, "", clock.now(), {"restarted": False}))
        if self._auto:
            self._pump = asyncio.create_task(self._run(), name="simulator")

    async def close(self) -> None:
        """Stop listening; the world goes on."""
        if self.world.listener == self._hear:
            self.world.listener = None
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        self._queue.put_nowait(None)

    def _hear(self, event: Event) -> None:
        if event.kind is Kind.REPLACED:
            self._fenced = True
        self._queue.put_nowait(event)

    async def _run(self) -> None:
        while True:
            self.tick()
            due = self.world.next_due()
            left = (due - clock.now()).total_seconds() if due else _LONGEST_NAP
            await asyncio.sleep(min(max(left, 0.0), _LONGEST_NAP))

    async def events(self) -> AsyncIterator[Event]:
        """What happens, in order."""
        while (event := await self._queue.get()) is not None:
            yield event

    def heard(self) -> list[Event]:
        """What happened since the last look, for tests without a reader."""
        found: list[Event] = []
        while not self._queue.empty():
            event = self._queue.get_nowait()
            if event is not None:
                found.append(event)
        return found

    async def _reach(self) -> World:
        """The world, or why it cannot be reached. Others run first: answers come late in life, too."""
        await asyncio.sleep(0)
        if self._fenced:
            raise Fenced("another switchboard acts")
        if not self.world.running or self.broken:
            raise EngineDown("模拟话机已断开")
        return self.world

    async def _leg(self, leg_id: str, verb: str) -> Leg:
        return (await self._reach()).touched(leg_id, verb)

    async def _room(self, bridge_id: str) -> World:
        world = await self._reach()
        if bridge_id not in world.bridges:
            raise Gone(bridge_id)
        return world

    # ---- what is

    async def snapshot(self) -> Snapshot:
        """Legs and bridges that are ours."""
        world = await self._reach()
        return Snapshot(
            tuple(leg.view() for leg in world.legs.values() if leg.ours and not leg.spied),
            tuple(
                BridgeView(b, tuple(leg.leg_id for leg in world.legs.values() if leg.bridge == b and not leg.spied))
                for b in world.bridges
            ),
            world.started_at,
        )

    async def health(self) -> Health:
        """There unless it was broken, and honest about what it is."""
        ok = self.world.running and not self.broken and not self._fenced
        return Health(ok, "模拟话务：不能接打真实电话", real=False, version="simulator", legs=len(self.world.legs))

    async def seat_states(self) -> dict[str, bool]:
        """Who is registered."""
        known = (await self._reach()).registered
        return _Everybody(known) if self._auto else dict(known)

    # ---- legs

    async def dial(  # who calls is nobody's business here: nobody's telephone shows it
        self,
        *,
        leg_id: str,
        to: Endpoint,
        caller_id: str = "",  # noqa: ARG002
        ring_for: int = 30,
        variables: Mapping[str, str] | None = None,
        args: Sequence[str] = (),
    ) -> None:
        """Ring, once an id."""
        world = await self._reach()
        if leg_id in world.ever:
            return
        if not await self._is_there(to):
            raise Unreachable(to)
        line = to.trunk if isinstance(to, Number) else to.extension if isinstance(to, Seat) else to.name
        number = to.number if isinstance(to, Number) else line
        world.ring_out(leg_id, line, number, ("out", *args), ring_for, variables or {})

    async def _is_there(self, to: Endpoint) -> bool:
        match to:
            case Seat(extension):
                return (await self.seat_states()).get(extension, False)
            case Phone(name):
                return self.world.registered.get(name, True)
            case Number():
                return to.trunk not in self.world.dead

    async def answer(self, leg_id: str) -> None:
        """Lift, also a telephone that rings: where no telephone is, the desk's button is one."""
        leg = await self._leg(leg_id, "answer")
        self.world.lift(leg)

    async def ring(self, leg_id: str) -> None:
        """The caller hears ringing."""
        await self._leg(leg_id, "ring")

    async def hang_up(self, leg_id: str, reason: Cause = Cause.NORMAL) -> None:
        """End."""
        world = await self._reach()
        if (leg := world.legs.get(leg_id)) is not None:
            world.end(leg, reason)

    async def redirect(self, leg_id: str, context: str, exten: str = "s") -> None:
        """Back to the dialplan."""
        leg = await self._leg(leg_id, "redirect")
        self.world.give(leg, context, exten)

    async def press(self, leg_id: str, digits: str) -> None:
        """Keys to the party."""
        leg = await self._leg(leg_id, "press")
        leg.variables["pressed"] = leg.variables.get("pressed", "") + digits

    async def listen(self, leg_id: str, *, on: bool = True) -> None:
        """Report speech."""
        (await self._leg(leg_id, "listen")).listened = on

    async def mute(self, leg_id: str, direction: Direction = "in") -> None:
        """Silence one way."""
        leg = await self._leg(leg_id, "mute")
        leg.muted |= {"in", "out"} if direction == "both" else {direction}
        self.world.listen_again()

    async def unmute(self, leg_id: str, direction: Direction = "in") -> None:
        """The opposite."""
        leg = await self._leg(leg_id, "unmute")
        leg.muted -= {"in", "out"} if direction == "both" else {direction}
        self.world.listen_again()

    async def music(self, leg_id: str, *, on: bool) -> None:
        """Waiting music."""
        (await self._leg(leg_id, "music")).music = on
        self.world.listen_again()

    async def put(self, leg_id: str, name: str, value: str) -> None:
        """A variable."""
        (await self._leg(leg_id, "put")).variables[name] = value

    # ---- prompts and recordings

    async def play(self, target: str, prompts: Sequence[str], *, play_id: str) -> None:
        """Sound."""
        world = await self._reach()
        if target not in world.bridges:
            world.touched(target, "play")
        world.play(target, prompts, play_id)

    async def stop_playing(self, play_id: str) -> None:
        """Stop."""
        (await self._reach()).played(play_id, complete=False)

    async def record(self, bridge_id: str, name: str) -> None:
        """Record."""
        (await self._room(bridge_id)).record(bridge_id, f"bridge/{name}")

    async def stop_recording(self, name: str) -> None:
        """End of the tape."""
        world = await self._reach()
        self._end_tapes(world, [f"bridge/{name}"] if f"bridge/{name}" in world.tapes else [])

    def _end_tapes(self, world: World, names: list[str]) -> None:
        for name in names:
            seconds = world.stop_tape(name)
            world.tell(Kind.RECORDING_DONE, name=name.removeprefix("bridge/"), seconds=seconds, ok=True)

    # ---- bridges

    async def bridge(self, bridge_id: str) -> None:
        """A room."""
        (await self._reach()).bridges.setdefault(bridge_id)

    async def join(self, bridge_id: str, *leg_ids: str) -> None:
        """Into the room, all who are there."""
        world = await self._room(bridge_id)
        gone: list[str] = []
        for leg_id in leg_ids:
            try:
                leg = world.touched(leg_id, "join")
            except Gone:
                gone.append(leg_id)
                continue
            if not leg.up:
                gone.append(leg_id)
                continue
            leg.bridge = bridge_id
        world.listen_again()
        if gone:
            raise Gone(gone[0])

    async def part(self, leg_id: str) -> None:
        """Out of the room."""
        (await self._leg(leg_id, "part")).bridge = ""
        self.world.listen_again()

    async def unbridge(self, bridge_id: str) -> None:
        """No room."""
        world = await self._reach()
        world.bridges.pop(bridge_id, None)
        self._end_tapes(world, [name for name, tape in world.tapes.items() if tape.target == bridge_id])
        for leg in world.legs.values():
            if leg.bridge == bridge_id:
                leg.bridge = ""
        world.listen_again()

    async def hold(self, leg_id: str) -> None:
        """Out of the room, with music."""
        leg = await self._leg(leg_id, "hold")
        leg.bridge, leg.music = "", True
        self.world.listen_again()

    async def unhold(self, leg_id: str, bridge_id: str) -> None:
        """Into the room again."""
        leg = await self._leg(leg_id, "unhold")
        leg.music = False
        await self.join(bridge_id, leg_id)

    async def snoop(self, leg_id: str, snoop_id: str, *, spy: Spy = "both", whisper: Spy = "none") -> None:
        """An ear."""
        target = await self._leg(leg_id, "snoop")
        ear = self.world.open_ear(snoop_id, target)
        ear.spy, ear.whisper = spy, whisper
