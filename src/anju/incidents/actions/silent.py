"""A silent line (INC-04): two call-backs, each a row with its own clock, then the contacts at once.

The platform dials, for seat A when her softphone is there, by robot when only the engine is; without either it asks a
person to dial by hand and keeps asking. An answer alone is no answer: voicemail answers too.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from anju.accounts import queries as accounts
from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.calls.scripts.queries import robots_dial
from anju.incidents.actions import dialling, messages
from anju.incidents.actions.seats import ring_bell
from anju.incidents.actions.story import held, ref, write
from anju.incidents.models import ElderCall, Incident
from anju.incidents.sheet import call_name
from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.models import Movement

TWICE = 2
"""一键通指南（三）2(4)②: two call-backs without an answer."""
GIVES_WAY = timedelta(minutes=2)
"""So long the story says only once that a robot gives way."""
LIVE = ("due", "by_hand", "ringing", "listening")


def live(incident: Incident) -> ElderCall | None:
    """The call-back that runs."""
    return incident.elder_calls.filter(state__in=LIVE).order_by("-id").first()


def start(incident: Incident) -> ElderCall | None:
    """The next call-back, if none runs and two were not made yet."""
    if live(incident) is not None or incident.callbacks >= TWICE:
        return live(incident)
    call = ElderCall(incident=incident, round=incident.callbacks + 1, asked_at=clock.now())
    engine.begin(call, THE_CLOCK)
    return call


def place(call: ElderCall, done: Movement) -> None:  # noqa: ARG001
    """Listener: it is time to dial."""
    incident = call.incident = held(call.incident_id)
    number = dialling.elder_number(incident)
    if incident.drill or not number:
        engine.make(call, "cannot_dial", THE_CLOCK, note="" if number else dialling.NO_NUMBER)
        return
    if _line_busy(incident, number):
        engine.make(call, "line_busy", THE_CLOCK)
        return
    if _by_seat(incident, call, number) or _by_robot(incident, call, number):
        return
    engine.make(call, "cannot_dial", THE_CLOCK)


def _line_busy(incident: Incident, number: str) -> bool:
    """Whether her line is taken. A robot that rings her (of this case, or to ask how she is) gives way to the call-back;
    one to whom she has pressed a key has her on the line, and so has an agent: these are waited for."""
    if not any(call_queries.live(ref(incident), purpose) for purpose in ("emergency_in", "service_in", "elder")):
        if not call_queries.live_with(number):
            return False
        said = incident.entries.filter(data__gives_way=True, at__gt=clock.now() - GIVES_WAY)
        if calls.robot_gives_way(number=number) and not said.exists():
            text = "机器人正在拨打老人的电话，先挂断它，马上由坐席回拨"
            write(incident, source="system", kind="call", text=text, data={"gives_way": True})
    return True


def _by_seat(incident: Incident, call: ElderCall, number: str) -> bool:
    user = accounts.user(incident.a_seat_id) if incident.a_seat_id else None
    if user is None:
        return False
    by = accounts.actor_of(user)
    if not call_queries.can_dial(user.pk):
        return False
    try:
        with transaction.atomic():
            real = calls.dial(
                by=by, number=number, whom=call_name(incident), purpose="elder", ref=ref(incident), place=incident.place,
                elder_id=incident.elder_id, home_id=incident.home_id,
            )  # fmt: skip
    except NotAllowed:
        return False
    _placed(incident, call, str(real.call_id), f"第 {call.round} 次回拨老人，接到{by.name}")
    return True


def _by_robot(incident: Incident, call: ElderCall, number: str) -> bool:
    if not robots_dial():
        return False
    real = calls.robot_call(
        number=number, whom=call_name(incident), purpose="elder_check", ref=ref(incident), place=incident.place,
        script="silent_check", says=messages.ASKS_ELDER, says_after_key=messages.SEAT_COMES,
    )  # fmt: skip
    call.robot = True
    _placed(incident, call, str(real.call_id), f"第 {call.round} 次回拨老人（机器人拨打，按键才算应答）")
    return True


def _placed(incident: Incident, call: ElderCall, call_id: str, text: str) -> None:
    ElderCall.objects.filter(pk=call.pk).update(call_id=call_id, robot=call.robot)
    write(incident, source="system", kind="call", text=text, data={"call_id": call_id})


def by_hand(call: ElderCall, done: Movement) -> None:
    """Listener: nobody but a person with a telephone can dial it. Said at once, and again every half minute."""
    incident = call.incident = held(call.incident_id)
    why = f"：{done.note}" if done.note else ""
    if done.move == "cannot_dial":
        text = f"第 {call.round} 次回拨要人拨打{why or '：没有在线的座席电话'}，拨完登记接通没有"
        write(incident, source="system", kind="todo", text=text, data={"call": "elder"})
    ring_bell(incident, "call_back", f"请回拨老人（第 {call.round} 次）")


def after(call: ElderCall, done: Movement) -> None:
    """Listener: a call-back came to its end by the clock or by the engine's news (a person's word settles itself)."""
    if not done.data.get("settled"):
        call.incident = held(call.incident_id)
        settle(call.incident, answered=call.state == "answered", by=THE_CLOCK, note=done.note)


def said(incident: Incident, *, answered: bool, by: Actor, note: str = "") -> bool:
    """A person says what came of the call-back; whether the platform had dialled it."""
    call = live(incident)
    if call is None:
        call = ElderCall(incident=incident, round=incident.callbacks + 1, asked_at=clock.now())
        engine.begin(call, by)
    engine.make(call, "spoke" if answered else "no_answer", by, data={"settled": True})
    settle(incident, answered=answered, by=by, note=note)
    return call.call_id is not None


def settle(incident: Incident, *, answered: bool, by: Actor, note: str = "") -> None:
    """Count it; after the second silence the contacts are asked at once."""
    incident.callbacks = 0 if answered else incident.callbacks + 1
    incident.save(update_fields=["callbacks"])
    if incident.state != "verifying":
        return
    engine.make(incident, "call_back", by, note=note, data={"answered": answered, "times": incident.callbacks})
    if answered:
        return
    if incident.callbacks >= TWICE:
        incident.scenes = sorted({*incident.scenes, "silent"})
        incident.save(update_fields=["scenes"])
        engine.make(incident, "no_answer", by, note=f"回拨 {incident.callbacks} 次无人应答")
    elif "silent" in incident.scenes:
        start(incident)


def silent_line(incident: Incident, done: Movement) -> None:  # noqa: ARG001
    """Listener: the line is open and nobody speaks, so the first call-back begins."""
    start(incident)


def left_verifying(incident: Incident, done: Movement) -> None:
    """Listener: whatever was decided, no further call-back is needed."""
    if done.was == "verifying" and done.now != "verifying":
        for call in incident.elder_calls.filter(state__in=LIVE):
            engine.make(call, "called_off", THE_CLOCK, data={"settled": True})


def of_call(call_id: str) -> ElderCall | None:
    """The running call-back that this real call is."""
    return ElderCall.objects.filter(call_id=call_id, state__in=LIVE).first()
