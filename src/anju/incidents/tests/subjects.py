"""How to begin one of each, for the tests that hold of every flow."""

from __future__ import annotations

from anju.incidents.models import Attempt, Bell, ElderCall, Incident
from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.flow.actor import THE_CLOCK
from anju.kernel.testing import opens
from anju.places.tests.factories import LOTUS, make_district


def an_incident() -> Incident:
    """An SOS of nobody we know, with two contacts in its frozen plan."""
    from anju.incidents.actions.opening import _number

    make_district()
    now = clock.now()
    contacts = [
        {"kind": "guardian", "name": f"联系人{n}", "phone": f"1380000990{n}", "contact_id": None} for n in range(2)
    ]
    it = Incident(
        number=_number(now), opened_on=clock.today(), place=LOTUS, priority=9, kind="sos", kind_label="求助",
        opened_at=now, first_alarm_at=now, unknown_key="试",
        plan={"home": {}, "elder": {}, "contacts": contacts, "consents": [], "authority": None, "policy": {"seconds": {}}},
    )  # fmt: skip
    engine.begin(it, THE_CLOCK)
    return it


def an_attempt() -> Attempt:
    """The first contact's turn."""
    attempt = Attempt(incident=an_incident(), rung=0, turn_at=clock.now())
    engine.begin(attempt, THE_CLOCK)
    return attempt


def a_bell() -> Bell:
    """A bell that rings."""
    bell = Bell(incident=an_incident(), reason="raised", text="更高级报警并入", at=clock.now())
    engine.begin(bell, THE_CLOCK)
    return bell


def an_elder_call() -> ElderCall:
    """The first call-back of a silent line."""
    call = ElderCall(incident=an_incident(), round=1, asked_at=clock.now())
    engine.begin(call, THE_CLOCK)
    return call


opens("elder_call", an_elder_call)
opens("incident", an_incident)
opens("contact_attempt", an_attempt)
opens("bell", a_bell)
