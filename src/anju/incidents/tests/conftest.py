"""One home of an invented elder, the people of the centre, and a finger on the button."""

from __future__ import annotations

import pytest

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.alarms import actions as alarms
from anju.alarms.rules import RULES
from anju.calls.simulator import Simulator
from anju.elders.tests.factories import ElderFactory, complete
from anju.incidents import actions, queries
from anju.incidents.models import Incident
from anju.incidents.tests.phone import Phone
from anju.kernel import clock
from anju.kernel.flow import queries as flow
from anju.places.tests.factories import LOTUS, make_district


class Story:
    """What a test tells: who presses, who answers, what time it is."""

    def __init__(self, let_pass):
        self.let_pass = let_pass
        make_district()
        self.elder = complete(ElderFactory(name="沈玉芬", sex="女"))
        self.home = self.elder.home
        self.users = {}
        for name, role in (("agent", Role.AGENT), ("mate", Role.AGENT), ("lead", Role.LEAD)):
            user = make_user(role)
            self.users[name] = user
            setattr(self, name, accounts.actor_of(user))

    def press(self, kind="sos", *, home_id=0, drill=False, note="", place=LOTUS):
        """An alarm comes in now, as the router raises it; the case it went to."""
        home = self.home.pk if home_id == 0 else home_id
        rule = RULES[kind]
        alarm = alarms.raise_or_join(
            rule=rule, at=clock.now(), received_at=clock.now(), source="ctwing", place=place if home else "",
            home_id=home, lco="011" if home else "", note=note, drill=drill,
        )  # fmt: skip
        self.alarm = alarm
        return Incident.objects.get(pk=alarm.case_id) if alarm.case_id else None

    def opened(self, kind="sos"):
        """A fresh case."""
        self.it = self.press(kind)
        return self.it

    def accepted(self, kind="sos"):
        """A case in the hands of the agent."""
        self.opened(kind)
        self.do("accept")
        return self.it

    def do(self, move, by=None, note="", **data):
        """Somebody makes a move."""
        self.it = actions.move(incident_id=self.it.pk, move=move, by=by or self.agent, note=note, data=data)
        return self.it

    def tick(self, duty, by=None, note="", **data):
        """Somebody ticks a duty."""
        self.it = actions.tick(incident_id=self.it.pk, duty=duty, by=by or self.agent, note=note, data=data)

    def fresh(self):
        """The case as it is now."""
        self.it = Incident.objects.get(pk=self.it.pk)
        return self.it

    @property
    def state(self):
        return self.fresh().state

    def view(self, who="agent"):
        """What the desk shows."""
        actor = getattr(self, who)
        return queries.case(self.it.pk, actor.roles, actor.user_id)

    def lines(self):
        """The story, the oldest first."""
        return [e.text for e in reversed(queries.timeline(self.it.pk))]

    def said(self, *parts):
        """Whether one line of the story contains all parts."""
        return any(all(p in line for p in parts) for line in self.lines())

    def moves(self):
        """Names of the movements."""
        return [m.move for m in flow.story_of(self.fresh())]

    def dues(self):
        """Slots whose clocks run, with the seconds left."""
        return {d.slot: round((d.at - clock.now()).total_seconds()) for d in flow.dues_of(self.fresh())}

    def live(self):
        """The attempts that run."""
        return list(self.it.attempts.filter(state__in=("turn", "ringing", "coming")).order_by("id"))

    def answer(self, attempt, result, by=None, **more):
        """What a contact says."""
        return actions.contact_result(attempt_id=attempt.pk, result=result, by=by or self.agent, **more)


@pytest.fixture
def story(db, everywhere, let_pass):
    """The stage."""
    Simulator.forget()
    yield Story(let_pass)
    Simulator.forget()


@pytest.fixture
def phone(story):
    """A telephone engine that is up, with the softphones of the two agents."""
    return Phone(story)
