"""What the telephone reports about a case: who called, who answered, how long, what was pressed.

Every call is a line of the story with its `call_id` (the recording is found by it); attempts, call-backs and duties tick
themselves from it. An answer is no proof of a person: only a key, or what an agent says she heard.
"""

from __future__ import annotations

from django.db import transaction

from anju.accounts import queries as accounts
from anju.alarms import actions as alarms
from anju.alarms.rules import RULES
from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.incidents import plan as plans
from anju.incidents import rules
from anju.incidents.actions import dialling, ladder, silent
from anju.incidents.actions.moves import move
from anju.incidents.actions.seats import ring_bell
from anju.incidents.actions.story import locked, ref, tell, write
from anju.incidents.models import Incident
from anju.kernel import clock, crypto
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

OURS, HOME = "incident:", "home:"
PHONE = "phone"
"""The source of an alarm that was a telephone call."""


def case_of(ref: str) -> int | None:
    """The case that a call belongs to."""
    number = ref.removeprefix(OURS)
    return int(number) if ref.startswith(OURS) and number.isdigit() else None


def case_of_call(ref: str, call_id: str) -> int | None:
    """The same for news that were written down before the call was given to its case."""
    if ref or not call_id:
        return case_of(ref)
    with seen_by(EVERYWHERE):
        call = call_queries.call(call_id)
    return case_of(call.ref) if call is not None else None


# ---- calls that come in ----------------------------------------------------------------------------------------------


def call_arrived(
    *, call_id: str, number: str, home_id: int | None, elder_id: int | None, device_id: int | None, emergency: bool,
    place: str,
) -> int | None:  # fmt: skip
    """Somebody calls in. An emergency call is an alarm like a press: it opens a case or joins the home's; the case's id.

    Who is no client, or is suspended, gets the same (REG-10). A service call only becomes a line of the home's open case.
    Told twice, it answers the same.
    """
    with seen_by(EVERYWHERE), transaction.atomic():
        known = call_queries.call(call_id)
        if known is not None and case_of(known.ref) is not None:
            return case_of(known.ref)
        if emergency:
            incident = _alarm(call_id, number, home_id, device_id, place)
        else:
            last = rules.OPEN_BEFORE_FOLLOW_UP
            found = Incident.objects.filter(home_id=home_id, state__in=last, drill=False) if home_id else None
            pk = found.values_list("pk", flat=True).first() if found is not None else None
            if pk is None:
                return None
            incident = locked(pk)
        _belongs(incident, call_id, number, home_id or incident.home_id, elder_id or incident.elder_id)
        text = f"{'紧急' if emergency else ''}来电 {rules.mask_phone(number) or '（没有号码）'}"
        write(incident, source="call", kind="call", text=text, data={"call_id": call_id, "in": True})
        return int(incident.pk)


def _alarm(call_id: str, number: str, home_id: int | None, device_id: int | None, place: str) -> Incident:
    now = clock.now()
    shown = rules.mask_phone(number)
    clue = f"来电 {shown} #{crypto.blind(number, 'incident.caller')[:6]}" if number else f"匿名来电 {call_id[:8]}"
    alarm = alarms.raise_or_join(
        rule=RULES["help"], at=now, received_at=now, source=PHONE, place=place, home_id=home_id, device_id=device_id,
        note="" if home_id else clue,
    )  # fmt: skip
    if alarm.case_id is None:
        raise RuntimeError("an emergency call found no case: is AlarmRaised wired to incidents?")
    return locked(alarm.case_id)


def _belongs(incident: Incident, call_id: str, number: str, home_id: int | None, elder_id: int | None) -> None:
    calls.link(call_id=call_id, ref=ref(incident), home_id=home_id, elder_id=elder_id)
    if number and not incident.plan.get("caller", {}).get("phone"):
        incident.plan = {**incident.plan, "caller": {**incident.plan.get("caller", {}), "phone": number}}
        incident.save(update_fields=["plan"])


def call_abandoned(*, call_id: str, emergency: bool, why: str = "abandoned") -> None:
    """The caller is gone before anybody spoke: the case stays, and the call is rung back."""
    with seen_by(EVERYWHERE), transaction.atomic():
        incident = _of_call(call_id)
        if incident is None:
            return
        told = "系统中断，没有接通" if why == "lost" else "接通前挂断了"
        text = f"来电{told}" + ("，必须回拨" if emergency else "")
        write(incident, source="call", kind="call", text=text, data={"call_id": call_id, "abandoned": True})
        if incident.state not in {"waiting", "overdue"} and emergency:
            ring_bell(incident, "abandoned", "老人来电没有接通，请回拨")


# ---- somebody lifted -------------------------------------------------------------------------------------------------


def call_answered(
    *, call_id: str, user_id: int | None, leg_role: str, ref: str, purpose: str = ""
) -> None:  # fmt: skip
    """An agent took a call of this case, or the far party of an outgoing one lifted."""
    pk = case_of_call(ref, call_id)
    if pk is None:
        return
    with seen_by(EVERYWHERE), transaction.atomic():
        incident = locked(pk)
        if leg_role == "agent" or purpose == "call_back":
            _taken(incident, call_id, user_id)
        elif leg_role == "elder" or purpose in rules.TO_ELDER:
            _elder_lifted(incident, call_id, user_id, purpose)
        elif leg_role in rules.RESCUERS:
            write(incident, source="call", kind="call", text=f"{leg_role} 接通", data={"call_id": call_id})
        else:
            _contact_lifted(incident, call_id)


def _contact_lifted(incident: Incident, handle: str) -> None:
    """The ringing time is over; what she says an agent writes down, or her key says it."""
    attempt = ladder.attempt_of(incident, handle)
    if attempt is not None and attempt.state == "ringing":
        engine.make(attempt, "answered", THE_CLOCK)
        tell(incident)


def _taken(incident: Incident, call_id: str, user_id: int | None) -> None:
    """Whoever lifts has accepted the case; in a case that somebody holds she stays with the elder, as B."""
    user = accounts.user(user_id) if user_id is not None else None
    if user is None:
        return
    by = accounts.actor_of(user)
    write(
        incident, source="call", kind="call", text=f"{by.name}接听来电", by=by.name, data={"call_id": call_id}
    )  # fmt: skip
    try:
        with transaction.atomic():
            if incident.state in {"waiting", "overdue"}:
                move(incident_id=incident.pk, move="accept", by=by)
            elif user_id not in {incident.a_seat_id, incident.b_seat_id}:
                _sit(incident, by)
    except NotAllowed as refused:  # an expert, or a seat that somebody took meanwhile: the call goes on all the same
        write(incident, source="system", kind="seat", text=f"{by.name}接听，但没有入席：{refused}")


def _sit(incident: Incident, by: Actor) -> None:
    from anju.incidents.actions.seats import take_seat

    if incident.a_seat_id is None:
        take_seat(incident_id=incident.pk, seat="A", by=by)
    elif incident.b_seat_id is None:
        take_seat(incident_id=incident.pk, seat="B", by=by)


def _elder_lifted(incident: Incident, call_id: str, user_id: int | None, purpose: str) -> None:
    back = silent.of_call(call_id)
    if back is not None and back.state == "ringing":
        engine.make(back, "picked_up", THE_CLOCK)
    by_robot = purpose == "elder_check" or user_id is None
    text = "老人的电话接通了（按键才算应答）" if by_robot else "老人的电话接通了"
    write(incident, source="call", kind="call", text=text, data={"call_id": call_id})
    if not by_robot:
        _propose(incident, call_id, "老人的电话接通了，核实平安后可以解除，并告知所有人")


# ---- a key was pressed -----------------------------------------------------------------------------------------------


def on_key(*, call_id: str, ref: str, purpose: str, digit: str) -> None:
    """A key in a robot call: the elder lives, or a contact takes the case. The proof is kept."""
    pk = case_of_call(ref, call_id)
    if pk is None:
        if ref.startswith(HOME) and purpose == "elder_check" and digit == "2":
            _asked_for_help(call_id, int(ref.removeprefix(HOME)))
        return
    with seen_by(EVERYWHERE), transaction.atomic():
        incident = locked(pk)  # before its attempts, as everywhere
        if purpose == "elder_check":
            _elder_pressed(incident, call_id, digit)
        elif purpose == "contact_robot":
            ladder.contact_pressed(call_id, digit)


def _asked_for_help(call_id: str, home_id: int) -> None:
    """The machine asked after a silence whether she is well, and she says that she needs help: that is an alarm."""
    with seen_by(EVERYWHERE), transaction.atomic():
        call = call_queries.call(call_id)
        if call is None:
            return
        incident = _alarm(call_id, "", home_id, None, call.place)
        _belongs(incident, call_id, "", home_id, call.elder_id)
        text = "机器人问候时老人按 2：要人帮忙，电话正转给坐席"
        write(incident, source="elder", kind="key", text=text, data={"call_id": call_id, "digit": "2"})


def _elder_pressed(incident: Incident, call_id: str, digit: str) -> None:
    """Her own key is a sign of life, and no more: a person still asks her. 2 says that she needs help."""
    words = {"1": "老人在机器人电话里按 1：没事。仍要人工核实", "2": "老人在机器人电话里按 2：要人帮忙",
             "0": "老人在机器人电话里按 0：要和人说话"}  # fmt: skip
    text = words.get(digit, f"老人在机器人电话里按了 {digit}")
    write(incident, source="elder", kind="key", text=text, data={"call_id": call_id, "digit": digit})
    back = silent.of_call(call_id)
    if back is not None:
        engine.make(back, "spoke", THE_CLOCK, note=f"按键 {digit}")
    if digit in {"0", "2"}:
        if incident.state not in {"waiting", "overdue"}:
            what = "要人帮忙" if digit == "2" else "要和人说话"
            ring_bell(incident, "needs_help", f"老人按 {digit}：{what}，电话正转给坐席")
    else:
        _propose(incident, call_id, f"老人按了 {digit}，人有反应：人工核实后可以解除，并告知所有人")


def _propose(incident: Incident, call_id: str, text: str) -> None:
    """She is there: whoever holds the case is rung and may withdraw with one key. Nothing is withdrawn by itself."""
    incident.refresh_from_db()
    wanted = rules.all_clear(incident.state)
    if not wanted or incident.entries.filter(kind="proposal", data__call_id=call_id).exists():
        return
    write(incident, source="system", kind="proposal", text=text, data={"call_id": call_id, "move": wanted})
    ring_bell(incident, "elder_there", text)


# ---- a call is over --------------------------------------------------------------------------------------------------


def on_call_ended(
    *, call_id: str, ref: str, purpose: str, result: str, direction: str = "out", seconds: int = 0,
    user_id: int | None = None, cause: str = "",
) -> None:  # fmt: skip
    """A line with how long it lasted; attempts, call-backs and duties that it settles."""
    pk = case_of_call(ref, call_id)
    if pk is None:
        return
    with seen_by(EVERYWHERE), transaction.atomic():
        incident = locked(pk)
        answered = result == "answered"
        how = rules.call_went(result, seconds, cause, seat=purpose == "seat")
        if purpose == "elder_check":
            _robot_ended(incident, call_id, answered=answered, how=how)
        elif purpose in rules.TO_ELDER:
            _line(incident, call_id, f"与老人的通话：{how}", seconds)
            _back_ended(call_id, robot=False, answered=answered, how=how)
        elif purpose in rules.RESCUERS:
            _rescue_ended(incident, call_id, purpose, answered=answered, how=how, seconds=seconds)
        elif purpose in {"contact", "contact_robot"}:
            ladder.contact_hung_up(incident, call_id, result, how=how, seconds=seconds)
        elif result != "abandoned":  # that was told already
            _line(incident, call_id, f"{'来电' if direction == 'in' else '通话'}结束：{how}", seconds)
        done_by(incident, purpose, call_id=call_id, answered=answered, how=how, user_id=user_id)


def _robot_ended(incident: Incident, call_id: str, *, answered: bool, how: str) -> None:
    """Voicemail answers too: without a key nobody was there."""
    if not incident.entries.filter(kind="key", data__call_id=call_id).exists():
        text = "接通但没有按键，不算应答" if answered else how
        write(incident, source="call", kind="call", text=f"机器人呼叫老人：{text}", data={"call_id": call_id})
    _back_ended(call_id, robot=True, answered=answered, how=how)


def _back_ended(call_id: str, *, robot: bool, answered: bool, how: str) -> None:
    """An agent who is still listening to what she heard keeps her minute; the machine needs none."""
    back = silent.of_call(call_id)
    if back is not None and (robot or not answered):
        engine.make(back, "no_answer", THE_CLOCK, note=how)


def _rescue_ended(
    incident: Incident, call_id: str, number: str, *, answered: bool, how: str, seconds: int
) -> None:  # fmt: skip
    _line(incident, call_id, f"与 {number} 的通话：{how}", seconds)
    if not answered and incident.state in rules.OPEN_BEFORE_FOLLOW_UP:
        dialling.not_out(incident, number, how)


def _line(incident: Incident, call_id: str, text: str, seconds: int) -> None:
    write(incident, source="call", kind="call", text=text, data={"call_id": call_id, "seconds": seconds})


def party_joined(*, call_id: str, leg_id: str, role: str, ref: str, user_id: int | None = None) -> None:
    """One more speaks in a call of the case: B seat, 120, a contact, a doctor, the lead."""
    pk = case_of_call(ref, call_id)
    if pk is None or role in {"caller", "agent"}:
        return
    with seen_by(EVERYWHERE), transaction.atomic():
        incident = locked(pk)
        name = accounts.user_name(user_id) if user_id is not None else ""
        write(
            incident, source="call", kind="call", text=f"{rules.PARTIES.get(role, role)}{name and f' {name} '}加入通话",
            data={"call_id": call_id, "role": role},
        )  # fmt: skip
        _contact_lifted(incident, leg_id)
        if role == "agent_b":
            done_by(incident, "agent_b", call_id=call_id, answered=True, how="已在通话中", user_id=user_id)


def party_left(
    *, call_id: str, leg_id: str, role: str, ref: str, seconds: int, result: str = "answered",
    user_id: int | None = None, cause: str = "",
) -> None:  # fmt: skip
    """A party of a conference is gone; one that never spoke is told as such."""
    pk = case_of_call(ref, call_id)
    if pk is None or role in {"caller", "agent"}:
        return
    with seen_by(EVERYWHERE), transaction.atomic():
        incident = locked(pk)
        how, answered = rules.call_went(result, seconds, cause, seat=role in rules.SEATS), result == "answered"
        if role == "contact":
            ladder.contact_hung_up(incident, leg_id, result, how=how, seconds=seconds)
        else:
            _line(incident, call_id, f"{rules.PARTIES.get(role, role)}退出通话：{how}", seconds)
        if role in rules.RESCUERS and not answered and incident.state in rules.OPEN_BEFORE_FOLLOW_UP:
            dialling.not_out(incident, role, how)
        if role != "agent_b":
            asker = user_id or incident.a_seat_id  # whoever brought her in sits on the case
            done_by(incident, role, call_id=leg_id, answered=answered, how=how, user_id=asker)


# ---- duties that tick themselves -------------------------------------------------------------------------------------


def done_by(
    incident: Incident, purpose: str, *, call_id: str, answered: bool, how: str, user_id: int | None
) -> list[str]:  # fmt: skip
    """Tick the duties that this call was; which. What was said in it the agent still writes herself."""
    incident.refresh_from_db()
    attempt = ladder.attempt_of(incident, call_id)
    kind = plans.rungs(incident.plan)[attempt.rung].kind if attempt is not None else ""
    coming = attempt is not None and attempt.state == "coming"
    user = accounts.user(user_id) if user_id is not None else None
    by = accounts.actor_of(user) if user is not None else THE_CLOCK
    ticked = []
    for name in rules.duties_of_call(purpose, kind, coming=coming, answered=answered):
        duty = incident.flow.state(incident.state).duty(name)
        if duty is None or not incident.has_duty(duty) or not duty.allows(by.roles):
            continue
        engine.tick(incident, name, by, note=how)
        ticked.append(name)
    return ticked


def _of_call(call_id: str) -> Incident | None:
    call = call_queries.call(call_id)
    pk = case_of(call.ref) if call is not None else None
    return locked(pk) if pk is not None else None
