"""Calls that a person makes from a case: real ones when the engine and the person's softphone are there, else by hand.

The manual path stays: a centre without an engine writes down what was dialled on the telephone beside the desk. Nothing
here dials by itself; what the clock may dial (the elder, never the rescue) is in `silent` and `messages`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.calls.scripts.queries import robots_dial
from anju.incidents.actions.seats import ring_bell
from anju.incidents.actions.story import locked, ref, source_of, write
from anju.incidents.models import Incident
from anju.incidents.rules import OPEN_BEFORE_FOLLOW_UP
from anju.incidents.sheet import call_name
from anju.kernel.flow.engine import Actor, NotAllowed

NO_NUMBER = "没有老人的电话号码，请联系家属或到门上查看"


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that goes out. `handle` is what its news are known by: the call, or the one party of a conference."""

    call_id: str
    handle: str


def by_engine(incident: Incident, by: Actor) -> bool:
    """Whether this person's call goes out by the engine: from her free seat, or into the call of this case she is in."""
    if by.user_id is None or not robots_dial():
        return False
    return call_queries.can_dial(by.user_id) or bool(own_call(incident, by.user_id))


def own_call(incident: Incident, user_id: int | None) -> str:
    """The call of this case in which somebody speaks now; "" when she is in none."""
    if user_id is None or not call_queries.switchboard_runs():
        return ""
    live = call_queries.my_call(user_id)
    return live.call_id if live is not None and live.ref == ref(incident) and live.state == "talking" else ""


def dial(incident: Incident, *, by: Actor, number: str, whom: str, purpose: str) -> Placed | None:
    """Let the engine dial for this person; None when it has to be dialled by hand. A drill never rings anybody.

    Who is in a call of the case gets the other into it (elder + 120 + family); from a free seat it is a call of its own.
    A refusal is a line of the story and a bell, never an error: the move that the person made stands.
    """
    if incident.drill:
        write(incident, source="system", kind="drill", text=f"演练：没有真的拨打{whom}")
        return None
    if not by_engine(incident, by):
        return None
    try:
        with transaction.atomic():
            return _placed(incident, by, number, whom, purpose)
    except NotAllowed as refused:
        not_out(incident, whom, str(refused))
        return None


def _placed(incident: Incident, by: Actor, number: str, whom: str, purpose: str) -> Placed:
    talking = own_call(incident, by.user_id)
    if talking:
        leg = calls.conference(by=by, call_id=talking, number=number, role=purpose, name=whom)
        return Placed(talking, leg)
    call = calls.dial(
        by=by, number=number, whom=whom, purpose=purpose, ref=ref(incident), place=incident.place,
        elder_id=incident.elder_id, home_id=incident.home_id,
    )  # fmt: skip
    return Placed(str(call.call_id), str(call.call_id))


def not_out(incident: Incident, whom: str, why: str) -> None:
    """A call did not go out: said plainly, and the seats are rung."""
    write(incident, source="system", kind="gap", text=f"{whom}没有拨出：{why}。请马上用旁边的电话拨打")
    ring_bell(incident, "not_dialled", f"{whom}没有拨出，请马上拨打")


def rescue(incident: Incident, number: str, by: Actor, *, note: str, by_hand: bool) -> str:
    """120, 110 or 119, asked for by a person. The answer says how: "engine", "hand" or "drill"."""
    if incident.drill:
        write(incident, source="system", kind="drill", text=f"演练：没有真的拨打 {number}")
        return "drill"
    if not by_hand and by_engine(incident, by):
        return "engine" if dial(incident, by=by, number=number, whom=number, purpose=number) else "failed"
    calls.record_by_hand(
        by=by, number=number, whom=number, purpose=number, ref=ref(incident), place=incident.place, result="answered",
        note=note,
    )  # fmt: skip
    return "hand"


@transaction.atomic
def call_elder(*, incident_id: int, by: Actor) -> str:
    """A person rings the elder; the call's id, or "": no engine for this person, dial by hand and write down what came."""
    incident = locked(incident_id)
    if incident.state not in OPEN_BEFORE_FOLLOW_UP and incident.state != "follow_up":
        raise NotAllowed("此事件已归档", code="not_here")
    number = elder_number(incident)
    if not number:
        raise NotAllowed(NO_NUMBER, code="needs")
    purpose = "follow_up" if incident.state == "follow_up" else "elder"
    call = dial(incident, by=by, number=number, whom=call_name(incident), purpose=purpose)
    if call is not None:
        write(
            incident, source=source_of(incident, by), kind="call", text="呼老人", by=by.name,
            data={"call_id": call.call_id},
        )  # fmt: skip
    return call.call_id if call is not None else ""


@transaction.atomic
def call_rescue(*, incident_id: int, number: str, by: Actor) -> str:
    """Ring 120, 110 or 119 again in a case where they were called: to ask for the position, or to withdraw (撤警)."""
    incident = locked(incident_id)
    if number not in incident.scenes:
        raise NotAllowed(f"这个事件还没有呼叫 {number}，请用“拨打 {number}”", code="needs")
    call = dial(incident, by=by, number=number, whom=number, purpose=number)
    if call is not None:
        write(
            incident, source=source_of(incident, by), kind="call", text=f"再呼 {number}", by=by.name,
            data={"call_id": call.call_id},
        )  # fmt: skip
    return call.call_id if call is not None else ""


def elder_number(incident: Incident) -> str:
    """Where she can be rung: her own number, or the one from which somebody unknown called."""
    plan = incident.plan
    return str(plan.get("elder", {}).get("phone") or plan.get("caller", {}).get("phone") or "").partition(",")[0]
