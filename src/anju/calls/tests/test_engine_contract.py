"""The simulator passes the contract that Asterisk passes (tests/telephony/test_contract.py)."""

import asyncio

import pytest
import time_machine

from anju.calls.exchange import Kind
from anju.calls.simulator import Simulator, World
from anju.calls.simulator.world import Leg
from anju.calls.testing.engine import ENGINE_CONTRACT
from anju.kernel import clock


class Person:
    """Somebody in the simulated world."""

    def __init__(self, stage, name, who):
        self.stage, self.name, self.who = stage, name, who
        self.leg_id = ""

    @property
    def rung(self):
        return sum(e.kind is Kind.RINGING for e in self.stage.all)

    def leg(self) -> Leg:
        return self.stage.world.legs.get(self.leg_id) or self.stage.world.party(self.who)

    def dial(self, called):
        self.leg_id = self.stage.world.call_in(self.who, called)
        self.stage.names[self.leg_id] = self.name

    def _does(self, *steps):
        leg = self.leg()
        self.stage.names[leg.leg_id] = self.name
        self.leg_id = leg.leg_id
        self.stage.world.does(leg.leg_id, *steps)

    def lift(self):
        self._does("answered")

    def refuse(self):
        self._does("refused")

    def is_busy(self):
        Simulator.will(self.who, "busy")

    def hang_up(self):
        leg = self.leg()
        self.stage.world.does(leg.leg_id, "ended") if leg.ours else self.stage.world.end(leg, "normal")

    def press(self, digit):
        self._does(f"key:{digit}")

    async def hears(self):
        return {self.stage.names.get(one, one) for one in self.stage.world.hears(self.leg().leg_id)}


class SimulatedStage:
    hotline = "96219"

    def __init__(self, traveller):
        self.world, self.traveller, self.names, self.all, self._unread = World(), traveller, {}, [], []
        self.world.behaviour = Simulator.behaviour
        self.engine = Simulator(self.world)

    def _read(self):
        new = self.engine.heard()
        self.all += new
        self._unread += new

    async def event(self, *kinds, leg_id=""):
        while True:
            await asyncio.sleep(0)
            self._read()
            while self._unread:
                event = self._unread.pop(0)
                if event.kind in kinds and leg_id in {"", event.leg_id}:
                    return event
            due = self.world.next_due()
            assert due, f"{kinds} of {leg_id or 'any leg'} never comes; so far {self.all}"
            self.traveller.shift(max(due - clock.now(), due - due))
            self.world.tick()

    async def seen(self):
        self._read()
        return self.all

    def caller(self, name="caller", number="13800000001"):
        return Person(self, name, number)

    def seat(self, extension):
        self.world.registered[extension] = True
        return Person(self, extension, extension)

    def town(self, name="family"):
        return Person(self, name, "13900000001")

    async def next_switchboard(self):
        self.all, self._unread = [], []
        self.engine = Simulator(self.world)
        await self.engine.connect()
        return self.engine

    async def power_cut(self):
        self.world.crash()
        self.traveller.shift(1)
        self.world.start()


@pytest.mark.req("CALL-01")
@pytest.mark.parametrize("promise", ENGINE_CONTRACT, ids=lambda p: p.__name__)
def test_the_simulator_keeps_the_engines_contract(promise):
    Simulator.forget()

    async def play():
        stage = SimulatedStage(traveller)
        await stage.engine.connect()
        await promise(stage)
        await stage.engine.close()

    with time_machine.travel("2026-11-20T04:00:00Z", tick=False) as traveller:
        asyncio.run(play())
    Simulator.forget()
