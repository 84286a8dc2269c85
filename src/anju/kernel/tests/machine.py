"""The machine that tries everything on an object of any process; see tests/contracts/test_flows.py."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from anju.kernel import clock, testing
from anju.kernel.flow import engine, ticker
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.flow.table import CLOCK, STATE, Flow, State
from anju.kernel.models import Due, Movement
from anju.kernel.scope import EVERYWHERE, seen_by


class AnyoneDoesAnything(RuleBasedStateMachine):
    """Any role tries any move or duty of the process at any time; between them the clock runs."""

    flow: Flow

    @initialize()
    def begin(self) -> None:
        self.scope = seen_by(EVERYWHERE)
        self.scope.__enter__()
        self.travel = time_machine.travel(testing.NOON, tick=False)
        self.time = self.travel.start()
        Due.objects.all().delete()  # of the examples before
        opener = testing.opener(self.flow.name)
        assert opener is not None, f"tests/subjects.py says nothing of {self.flow.name}"
        self.it = opener()
        self.moves = sorted({m.name for _, m in self.flow.arrows()})
        self.duties = sorted({d.name for s in self.flow.states for d in s.duties})
        self.roles = sorted({str(r) for _, m in self.flow.arrows() for r in m.by} | {"stranger"})

    @rule(data=st.data(), note=st.sampled_from(["", "有理由"]))
    def try_a_move(self, data: st.DataObject, note: str) -> None:
        before = self.now()
        move = data.draw(st.sampled_from([m.name for m in before.moves] * 3 + self.moves))
        listed = before.move(move)
        role = data.draw(st.sampled_from([*(listed.by if listed else ()), *self.roles]))
        by = Actor("测试员", frozenset({role}))
        may = listed is not None and role in listed.by
        lacks = bool(may and listed and any(engine.unmet(self.it, c, by) for c in listed.needs))
        wants = bool(may and listed and not note and any(engine.unmet(self.it, c, by) for c in listed.asks))
        refused: NotAllowed | None = None
        try:
            engine.make(self.it, move, by, note=note)
        except NotAllowed as error:
            refused = error
        if refused is None:
            assert may
            assert not lacks
            assert not wants
            assert any(m.move == move and m.by == "测试员" for m in self.story())
        else:
            assert not may or lacks or wants
            assert refused.code in {"not_here", "not_you", "needs", "reason"}
            assert "请" in str(refused), "a refusal says what to do"
            assert self.now() == before

    @rule(data=st.data())
    def try_a_duty(self, data: st.DataObject) -> None:
        if not self.duties:
            return
        name = data.draw(st.sampled_from([d.name for d in self.now().duties] * 3 + self.duties))
        duty = self.now().duty(name)
        role = data.draw(st.sampled_from([*(duty.by if duty else ()), *self.roles]))
        may = duty is not None and role in duty.by and self.it.has_duty(duty)
        try:
            engine.tick(self.it, name, Actor("测试员", frozenset({role})))
        except NotAllowed:
            assert not may
        else:
            assert may

    @rule(seconds=st.one_of(st.integers(1, 120), st.integers(1, 400_000)))
    def time_passes(self, seconds: int) -> None:
        steps = 0
        end = clock.now() + timedelta(seconds=seconds)
        while steps < 6 and (first := Due.objects.filter(fire_at__lte=end).order_by("fire_at").first()):
            self.time.move_to(max(first.fire_at, clock.now()))
            fired = ticker.ring()
            assert fired >= 1 or not Due.objects.filter(pk=first.pk, problem="").exists()
            assert not Due.objects.exclude(problem="").exists(), Due.objects.exclude(problem="").first().problem
            steps += max(fired, 1)
        if steps < 6:
            self.time.move_to(end)

    @invariant()
    def the_right_clocks_run(self) -> None:
        if not hasattr(self, "it"):
            return
        state = self.now()
        rows = {d.slot: d for d in Due.objects.filter(flow=self.flow.name, subject_id=self.it.pk)}
        assert all(d.nth == self.it.nth for d in rows.values())
        assert (STATE in rows) == (state.deadline is not None)
        if state.deadline:
            assert rows[STATE].move == state.deadline.move
            assert rows[STATE].at == self.it.due_at
        assert set(rows) - {STATE} <= {d.name for d in state.duties if d.clock}
        every = {d.name for d in state.duties if d.every and self.it.has_duty(d)}
        assert every <= set(rows), "a duty that repeats always has its clock"

    @invariant()
    def the_story_has_no_gap(self) -> None:
        if not hasattr(self, "it"):
            return
        story = self.story()
        assert [m.nth for m in story] == list(range(len(story)))
        assert all(a.now == b.was for a, b in pairwise(story))
        assert story[-1].now == self.it.state
        assert story[0].was == ""
        clock_moves = [m for m in story if m.kind == "move" and m.by == engine.THE_CLOCK.name]
        assert all(CLOCK in self.flow.state(m.was).move(m.move).by for m in clock_moves)

    def now(self) -> State:
        self.it = type(self.it).unscoped.get(pk=self.it.pk)
        return self.it.now_in

    def story(self) -> list[Movement]:
        return list(Movement.objects.filter(flow=self.flow.name, subject_id=self.it.pk).order_by("nth"))

    def teardown(self) -> None:
        if hasattr(self, "travel"):
            self.travel.stop()
            self.scope.__exit__(None, None, None)


def try_everything(flow: Flow, *, examples: int = 12, steps: int = 20, shrink: bool = True) -> None:
    """Let the machine look for a sequence that breaks this process."""
    run_state_machine_as_test(
        type(f"{flow.name}_machine", (AnyoneDoesAnything,), {"flow": flow}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not shrink or settings.default.derandomize,
            phases=list(Phase) if shrink else [Phase.generate],
        ),
    )
