"""A telephone for the stories: a switchboard that is up, seats that are ready, and what the engine reports.

What the switchboard itself does is proved in `calls`; here its news come as facts, in the order in which it tells them.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from anju.calls import actions as calls
from anju.calls.facts import CallAbandoned, CallAnswered, CallArrived, PartyJoined, PartyLeft
from anju.calls.models import Call, Command, Leg, SeatState, Switchboard
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.facts import announce
from anju.kernel.flow import engine
from anju.kernel.flow.actor import THE_CLOCK
from anju.places.tests.factories import LOTUS


class Phone:
    """What a test says of the telephone."""

    def __init__(self, story, *, real=True):
        self.story = story
        Switchboard.objects.update_or_create(
            pk=1, defaults={"beat_at": clock.now() + timedelta(days=365), "engine_ok": True, "real": real}
        )
        for n, name in enumerate(("agent", "mate"), start=8001):
            self.seat(story.users[name], str(n))

    def seat(self, user, extension, state="ready"):
        """A softphone that is registered."""
        SeatState.objects.update_or_create(
            user=user, defaults={"extension": extension, "state": state, "registered": True, "since": clock.now()}
        )

    def seat_is(self, name, state, call=None):
        """How a seat stands now."""
        SeatState.objects.filter(user=self.story.users[name]).update(
            state=state, call_id=call.call_id if call else None
        )

    def rings_in(self, number="", *, emergency=True, home=None, elder=None, place=LOTUS):
        """Somebody calls in; the call."""
        call = Call(
            place=place, direction="in", purpose="emergency_in" if emergency else "service_in", number=number,
            emergency=emergency, priority=9 if emergency else 1, planned_at=clock.now(),
            home_id=home.pk if home else None, elder_id=elder.pk if elder else None,
        )  # fmt: skip
        engine.begin(call, THE_CLOCK, state="arrived")
        self._tell(
            CallArrived(
                str(call.call_id), number, "96200", call.home_id, call.elder_id, None, emergency, place
            )
        )  # fmt: skip
        return self.fresh(call)

    def taken(self, call, name="agent", role="agent"):
        """An agent lifts."""
        user = self.story.users[name]
        engine.make(self.fresh(call), "taken", THE_CLOCK)
        Call.objects.filter(pk=call.pk).update(user_id=user.pk, answered_at=clock.now())
        Leg.objects.create(
            call=call, leg_id=f"leg-{call.pk}-{name}", role=role, endpoint="seat:8001", user_id=user.pk,
            planned_at=clock.now(), answered_at=clock.now(),
        )  # fmt: skip
        self.seat_is(name, "talking", call)
        call = self.fresh(call)
        self._tell(CallAnswered(str(call.call_id), user.pk, role, call.ref, call.purpose, "in"))
        return call

    def hung_up_before(self, call, why="abandoned"):
        """The caller is gone before anybody spoke."""
        engine.make(self.fresh(call), why, THE_CLOCK)
        call = self.fresh(call)
        if why == "abandoned":
            self._tell(
                CallAbandoned(str(call.call_id), call.emergency, call.number, call.home_id, call.elder_id, call.place)
            )

    def dialled(self, purpose, nth=-1):
        """The call that went out for this purpose, the newest."""
        return list(Call.objects.filter(purpose=purpose, by_hand=False).order_by("id"))[nth]

    def count(self, purpose):
        """How many calls went out for this purpose."""
        return Call.objects.filter(purpose=purpose, by_hand=False).count()

    def lifts(self, call, role):
        """The far party of an outgoing call answers."""
        call = self.fresh(call)
        if call.state == "planned":
            calls.heard(call_id=str(call.call_id), event="ringing")
        calls.heard(call_id=str(call.call_id), event="answered")
        call = self.fresh(call)
        self._tell(CallAnswered(str(call.call_id), call.by_user, role, call.ref, call.purpose, "out"))

    def presses(self, call, digit):
        """A key."""
        calls.heard(call_id=str(call.call_id), event=f"key:{digit}")

    def ends(self, call, how="ended"):
        """ended | no_answer | busy | refused."""
        call = self.fresh(call)
        if call.state == "planned":
            calls.heard(call_id=str(call.call_id), event="ringing")
        calls.heard(call_id=str(call.call_id), event=how)

    def joins(self, call, role, *, leg_id="", name=""):
        """One more speaks in the call."""
        user = self.story.users[name].pk if name else None
        self._tell(PartyJoined(str(call.call_id), leg_id or "x", role, self.fresh(call).ref, user))

    def leaves(self, call, role, seconds, *, leg_id="", result="answered"):
        """A party of the call is gone."""
        self._tell(PartyLeft(str(call.call_id), leg_id or "x", role, self.fresh(call).ref, seconds, result))

    def asked(self, verb):
        """What the switchboard was asked for."""
        return list(Command.objects.filter(verb=verb).order_by("id"))

    def case(self, call):
        """The case of a call."""
        ref = self.fresh(call).ref
        self.story.it = Incident.objects.get(pk=int(ref.partition(":")[2])) if ref else None
        return self.story.it

    def fresh(self, call):
        """As it is now."""
        return Call.objects.get(pk=call.pk)

    @staticmethod
    def _tell(fact):
        with transaction.atomic():
            announce(fact)
