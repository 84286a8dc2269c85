"""The contacts, one after the other: whose turn it is, what came of it, who is coming."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction

from anju.accounts.roles import CENTRE
from anju.calls import actions as calls
from anju.elders import actions as elders
from anju.incidents import plan as plans
from anju.incidents.actions.dialling import by_engine, dial
from anju.incidents.actions.messages import robot_to_contact
from anju.incidents.actions.story import held, locked, ref, source_of, tell, write
from anju.incidents.models import Attempt, Incident
from anju.incidents.rules import OPEN_BEFORE_FOLLOW_UP, mask_phone
from anju.kernel import audit, clock
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed

RESULTS = ("coming", "coming_with_key", "cannot", "no_answer", "wrong_number")
WORDS = {
    "coming": "赶来",
    "coming_with_key": "赶来，带钥匙",
    "cannot": "来不了",
    "no_answer": "无人接听",
    "wrong_number": "号码有误",
    "not_called": "60 秒内没有拨打",
    "no_result": "接通，没有登记结果",
    "called_off": "不再需要",
    "arrived": "到了",
}
ASKING = ("turn", "ringing", "talking", "unsaid")
"""An attempt that is not decided: nobody else gets the turn meanwhile."""
LIVE = (*ASKING, "coming")
DEFAULT_ETA = 15


def start(incident: Incident, *, robot: bool = False) -> None:
    """Begin (or go on) with the ladder: the next contact gets the turn."""
    if not incident.ladder_open:
        incident.ladder_open = True
        incident.save(update_fields=["ladder_open"])
    if robot and _coming(incident):
        return  # somebody pressed 1
    if not incident.attempts.filter(state__in=ASKING).exists():
        next_turn(incident, robot=robot)


def next_turn(incident: Incident, *, robot: bool = False) -> Attempt | None:
    """Give the turn to the next contact that was not asked yet; None when all were."""
    asked = set(incident.attempts.values_list("rung", flat=True))
    rung = next((r for r in plans.turns(incident.plan) if r.index not in asked), None)
    if rung is None:
        return None
    attempt = Attempt(incident=incident, rung=rung.index, turn_at=clock.now())
    engine.begin(attempt, THE_CLOCK)
    if robot:
        robot_to_contact(incident, attempt)
        engine.make(attempt, "dialled", THE_CLOCK)
        attempt.called_at = clock.now()
        attempt.save(update_fields=["called_at"])
        write(incident, source="system", kind="call", text=f"机器人呼叫{_who(incident, attempt)}（按 1 接手）")
    tell(incident)
    return attempt


@transaction.atomic
def call_contact(*, incident_id: int, rung: int, by: Actor) -> Attempt:
    """A person rings this contact now, whoever's turn it is: by the engine when it can, else on the telephone beside her.

    Asked again later, it is a new attempt of its own; but who is on the way is only asked where she is.
    """
    incident = locked(incident_id)
    if incident.state not in OPEN_BEFORE_FOLLOW_UP:
        raise NotAllowed("此事件已结束处置，联系人请在回访中联系", code="not_here")
    rungs = plans.rungs(incident.plan)
    if not 0 <= rung < len(rungs):
        raise NotAllowed("没有这位联系人，请刷新页面", code="needs")
    asked = incident.attempts.select_for_update().filter(rung=rung)
    on_the_way = asked.filter(state="coming").first() if by_engine(incident, by) and not incident.drill else None
    attempt = on_the_way or asked.filter(state__in=ASKING).first()
    if attempt is not None and attempt.state in {"talking", "unsaid"}:
        raise NotAllowed("正在和这位通话，或还没有登记结果，先登记结果", code="needs")
    if attempt is None:
        attempt = Attempt(incident=incident, rung=rung, turn_at=clock.now())
        engine.begin(attempt, by)
    if attempt.state == "turn":
        engine.make(attempt, "dialled", by)
    attempt.called_at = clock.now()
    call = dial(
        incident, by=by, number=rungs[rung].phone.partition(",")[0], whom=_who(incident, attempt), purpose="contact"
    )
    attempt.call_id = call.handle if call is not None else None
    attempt.save(update_fields=["called_at", "call_id"])
    write(
        incident, source=source_of(incident, by), kind="call", text=f"呼{_who(incident, attempt)}", by=by.name,
        data={"attempt": attempt.pk} | ({"call_id": call.call_id} if call is not None else {}),
    )  # fmt: skip
    return attempt


@transaction.atomic
def reveal_number(*, incident_id: int, rung: int, by: Actor) -> str:
    """The full number of a contact, to dial it by hand; who saw it is audited."""
    incident = locked(incident_id)
    rungs = plans.rungs(incident.plan)
    if not by.roles & {r.value for r in CENTRE} or not 0 <= rung < len(rungs):
        raise NotAllowed("只有中心的坐席和值班长能看完整号码", code="not_you")
    audit.record(
        "incident.number", subject="incident", subject_id=incident.pk, place=incident.place,
        reason=f"{incident.number} 联系{rungs[rung].kind_label}", detail={"rung": rung, "elder": incident.elder_id},
    )  # fmt: skip
    return rungs[rung].phone


@transaction.atomic
def contact_result(
    *, attempt_id: int, result: str, by: Actor, eta_minutes: int | None = None, note: str = ""
) -> Attempt:
    """What the contact said. `coming*` makes the case wait for the helper until the ETA; the rest gives the next turn."""
    if result not in RESULTS:
        raise NotAllowed("结果只能是：赶来、赶来带钥匙、来不了、无人接听、号码有误", code="needs")
    incident = locked(Attempt.objects.values_list("incident_id", flat=True).get(pk=attempt_id))
    attempt = Attempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
    if eta_minutes is not None and not 0 < eta_minutes <= 120:
        raise NotAllowed("几分钟能到？写 1 到 120", code="needs")
    rung = plans.rungs(incident.plan)[attempt.rung]
    going = result.startswith("coming")
    if going:
        minutes = eta_minutes or rung.eta_minutes or DEFAULT_ETA
        attempt.eta_at = clock.now() + timedelta(minutes=minutes)
        attempt.with_key = result == "coming_with_key" or (attempt.with_key and going)
    attempt.called_at = attempt.called_at or clock.now()
    attempt.result, attempt.result_at = result, clock.now()
    attempt.save(update_fields=["eta_at", "with_key", "result", "result_at", "called_at"])
    _record_call(incident, attempt, result, by, note)
    eta = f"，约 {clock.local(attempt.eta_at):%H:%M} 到" if going and attempt.eta_at else ""
    write(
        incident, source="contact" if by is THE_CLOCK else source_of(incident, by), kind="contact", by=by.name,
        text=f"{_who(incident, attempt)}：{WORDS[result]}{eta}" + (f"。{note}" if note else ""),
        data={"attempt": attempt.pk, "result": result},
    )  # fmt: skip
    if result == "wrong_number" and rung.contact_id:
        elders.flag_contact(
            contact_id=rung.contact_id, reason=f"{incident.number}：号码有误（{mask_phone(rung.phone)}）"
        )
    move = "delayed" if going and attempt.state == "coming" else result
    engine.make(attempt, move, by)
    if going:
        _somebody_goes(incident, attempt, by)
    return attempt


def _somebody_goes(incident: Incident, attempt: Attempt, by: Actor) -> None:
    incident.refresh_from_db()
    incident.helper_until = attempt.eta_at
    if "contact" not in incident.scenes:
        incident.scenes = [*incident.scenes, "contact"]
    incident.save(update_fields=["helper_until", "scenes"])
    for other in incident.attempts.filter(state="turn").exclude(pk=attempt.pk):
        engine.make(other, "called_off", THE_CLOCK)
    if incident.state in {"contacting", "rescue_due"}:
        engine.make(incident, "helper_going", by, data={"attempt": attempt.pk})
    else:
        engine.rearm(incident)


@transaction.atomic
def arrived(*, attempt_id: int, by: Actor, finding: str = "") -> None:
    """A contact is in the home; what was found."""
    incident = locked(Attempt.objects.values_list("incident_id", flat=True).get(pk=attempt_id))
    attempt = Attempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
    engine.make(attempt, "arrived", by)
    attempt.result_at = clock.now()
    attempt.save(update_fields=["result_at"])
    write(
        incident, source=source_of(incident, by), kind="contact", by=by.name,
        text=f"{_who(incident, attempt)}已到家" + (f"：{finding}" if finding else ""),
    )  # fmt: skip
    if incident.state != "rescuing" and incident.flow.state(incident.state).move("arrived"):
        engine.make(incident, "arrived", by, note=finding)  # the ambulance is followed on, whoever else is there


def after_attempt(attempt: Attempt, move: str) -> None:
    """Listener: a contact failed, so the next has the turn; after the last, nobody was reached."""
    attempt.incident = held(attempt.incident_id)
    if move in {"not_called", "no_answer", "no_result"} and not attempt.result:
        attempt.result, attempt.result_at = move, clock.now()
        attempt.save(update_fields=["result", "result_at"])
        write(
            attempt.incident, source="system", kind="contact", text=f"{_who(attempt.incident, attempt)}：{WORDS[move]}",
            data={"attempt": attempt.pk, "result": move},
        )  # fmt: skip
    if attempt.state != "failed":
        return
    incident = attempt.incident
    if attempt.result_at and move == "cannot" and incident.state == "helper_coming" and not _coming(incident):
        engine.make(incident, "given_up", THE_CLOCK)
        return
    go_on(incident)


def go_on(incident: Incident) -> None:
    """After a failure: the next turn, or the end of the ladder."""
    if not incident.ladder_open or incident.attempts.filter(state__in=ASKING).exists():
        return
    if _coming(incident) and incident.state != "contacting":
        return
    robot = incident.state in {"waiting", "overdue"}
    if next_turn(incident, robot=robot) is None and incident.state == "contacting":
        engine.make(incident, "nobody_reached", THE_CLOCK, note="所有联系人都没有联系上")


def call_off(incident: Incident, why: str) -> None:
    """Nobody is needed any more."""
    for attempt in incident.attempts.filter(state__in=LIVE):
        if attempt.channel == "robot" and attempt.state == "ringing":
            _stop_ringing(attempt)
        engine.make(attempt, "called_off", THE_CLOCK, note=why)
    if incident.ladder_open:
        incident.ladder_open = False
        incident.save(update_fields=["ladder_open"])


def _stop_ringing(attempt: Attempt) -> None:
    """Who lifts now would set out for nothing, and hear how to get into the home. Who has lifted is not cut off."""
    try:
        with transaction.atomic():
            calls.hang_up(by=THE_CLOCK, call_id=str(attempt.call_id))
    except NotAllowed:  # it ended meanwhile, or there is no switchboard
        return


def late(attempt: Attempt) -> None:
    """Listener: the promised time passed without a word."""
    attempt.incident = held(attempt.incident_id)
    write(
        attempt.incident,
        source="system",
        kind="late",
        text=f"{_who(attempt.incident, attempt)}约定时间已过，没有到场消息",
    )


def attempt_of(incident: Incident, handle: str) -> Attempt | None:
    """The attempt that a call or a party of a conference is. Parties that called in have no UUID and are none."""
    try:
        wanted = uuid.UUID(handle)
    except ValueError:
        return None
    return incident.attempts.select_for_update().filter(call_id=wanted).first()


def contact_pressed(call_id: str, digit: str) -> None:
    """A contact pressed a key in a robot call: 1 and 2 take the case. The proof is kept on the attempt."""
    attempt = Attempt.objects.filter(call_id=call_id).first()
    if attempt is None:
        return
    proof = {"call_id": call_id, "digit": digit, "at": clock.now().isoformat()}
    Attempt.objects.filter(pk=attempt.pk).update(proof=proof)
    result = {"1": "coming", "2": "coming_with_key", "3": "cannot"}.get(digit)
    if result and attempt.state in ASKING:
        contact_result(attempt_id=attempt.pk, result=result, by=THE_CLOCK, note=f"按键 {digit}（电话确认）")


def contact_hung_up(incident: Incident, call_id: str, result: str, *, how: str, seconds: int) -> None:
    """A call to a contact is over. Answered by an agent's call: what was said is still to be written down.

    Answered by the robot without a key is no answer: voicemail answers too, and nobody took the case.
    """
    attempt = attempt_of(incident, call_id)
    if attempt is None:
        return
    robot = attempt.channel == "robot"
    if not robot:
        write(
            incident, source="call", kind="call", text=f"与{_who(incident, attempt)}的通话：{how}",
            data={"call_id": call_id, "seconds": seconds, "attempt": attempt.pk},
        )  # fmt: skip
    if attempt.state == "talking" and not robot and result == "answered":
        engine.make(attempt, "hung_up", THE_CLOCK)
        tell(incident)
    elif attempt.state in {"ringing", "talking"}:
        note = {"answered": "接了电话但没有按键", "no_answer": ""}.get(result, how)
        contact_result(attempt_id=attempt.pk, result="no_answer", by=THE_CLOCK, note=note)


def _coming(incident: Incident) -> bool:
    return bool(incident.attempts.filter(state="coming", eta_at__gt=clock.now()).exists())


def _who(incident: Incident, attempt: Attempt) -> str:
    rung = plans.rungs(incident.plan)[attempt.rung]
    return f"{rung.relation or rung.kind_label} {rung.name}".strip()


def _record_call(incident: Incident, attempt: Attempt, result: str, by: Actor, note: str) -> None:
    if by is THE_CLOCK or attempt.channel == "robot" or attempt.call_id is not None:
        return  # the engine has its own row
    rung = plans.rungs(incident.plan)[attempt.rung]
    outcome = {"no_answer": "no_answer", "wrong_number": "refused"}.get(result, "answered")
    calls.record_by_hand(
        by=by, number=rung.phone, whom=rung.name or rung.kind_label, purpose="contact", ref=ref(incident),
        place=incident.place, result=outcome, note=note, started_at=attempt.called_at,
    )  # fmt: skip
