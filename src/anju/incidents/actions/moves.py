"""Moves, ticks, notes: what a person does to a case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from anju.accounts import queries as accounts
from anju.alarms.facts import SilenceBroken, StormOver
from anju.calls import actions as calls
from anju.calls.scripts.queries import simulated
from anju.incidents import rules
from anju.incidents.actions import dialling, seats, silent
from anju.incidents.actions.story import locked, ref, source_of, tell, write
from anju.incidents.models import CLASSES, Incident
from anju.incidents.scenes import NEED_KINDS
from anju.incidents.sheet import call_name
from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

RESCUE = {"call_120": "120", "call_110": "110", "call_119": "119"}
CODES = frozenset(
    {"class", "label", "kind", "kind_label", "sent", "eta_minutes", "answered", "times", "by_engine", "simulated"}
)
LIVES_ALONE = ("alone", "widowed")


@transaction.atomic
def move(*, incident_id: int, move: str, by: Actor, note: str = "", data: dict[str, Any] | None = None) -> Incident:
    """Make one move of the table. NotAllowed says in Chinese what is wrong and what to do.

    `data` by move: false_alarm {class}, needs_help {kind}, helper_going {eta_minutes, who}, call_120 {sent, eta_minutes},
    to_hospital {hospital, escort}, arrived {finding}, hand_over {to_user_id}, call_back {answered}, revisited {…}.
    call_120/110/119 dial by the engine when the person's softphone is there; {by_hand: true} says that she dialled herself.
    """
    try:
        values = rules.tidy(data or {})
    except rules.BadValue as bad:
        raise NotAllowed(str(bad), code="needs") from bad
    if move == "hand_over":
        seats.hand_over(incident_id=incident_id, to_user_id=int(values.get("to_user_id") or 0), by=by, note=note)
        return Incident.objects.get(pk=incident_id)
    if move == "ask_b":
        seats.ask_b(incident_id=incident_id, by=by)
        return Incident.objects.get(pk=incident_id)
    if move == "call_back":
        return call_back(incident_id=incident_id, by=by, answered=bool(values.get("answered")), note=note)
    if move == "revisited":
        return follow_up(incident_id=incident_id, by=by, note=note, **_visit(values))
    incident = locked(incident_id)
    _told_who_won(incident, move)
    lacking = rules.wants(move, values, note)
    if lacking and incident.flow.state(incident.state).move(move):
        raise NotAllowed(lacking, code="needs")
    if move in RESCUE and not incident.drill and not values.get("by_hand"):
        values["by_engine"] = dialling.by_engine(incident, by)
        values["simulated"] = bool(values["by_engine"]) and simulated()
    _prepare(incident, move, by, note, values)
    engine.make(incident, move, by, note=_in_words(move, note, values), data=_codes(values))
    if not incident.flow.state(incident.state).is_final:
        engine.rearm(incident)
    if move in RESCUE:
        dialling.rescue(incident, RESCUE[move], by, note=note, by_hand=bool(values.get("by_hand")))
    incident.refresh_from_db()
    return incident


def _told_who_won(incident: Incident, move: str) -> None:
    if move == "accept" and incident.state not in {"waiting", "overdue"} and incident.a_seat_id:
        name = accounts.user_name(incident.a_seat_id)
        raise NotAllowed(f"{name}已接警，您可以加入 B 席", code="not_here")


def _prepare(incident: Incident, move: str, by: Actor, note: str, data: dict[str, Any]) -> None:
    """Fields that a move writes; undone with the transaction if the engine refuses the move."""
    now = clock.now()
    if move == "accept":
        incident.a_seat_id = by.user_id if by.user_id is not None else incident.a_seat_id
        incident.accepted_at = incident.accepted_at or now
    elif move in RESCUE:  # who calls the rescue before anybody accepted has accepted
        incident.accepted_at = incident.accepted_at or now
        incident.a_seat_id = incident.a_seat_id or by.user_id
        incident.answers = sorted({*incident.answers, "sent"}) if data.get("sent") else incident.answers
    elif move == "needs_help":
        data.setdefault("kind", "medical")
        data["kind_label"] = NEED_KINDS[data["kind"]][0]
    elif move == "helper_going":
        incident.helper_until = now + timedelta(minutes=int(data["eta_minutes"]))
    elif move == "false_alarm":
        incident.outcome_class, incident.closed_at = data["class"], now
        incident.outcome, incident.cause = note or CLASSES[data["class"]], CLASSES[data["class"]]
        data["label"] = CLASSES[data["class"]]
    elif move == "reopened":
        incident.outcome_class, incident.outcome = "", ""
    if move in rules.OUTCOME_OF_MOVE:
        incident.outcome_class = data.get("class") or rules.OUTCOME_OF_MOVE[move]
        incident.outcome = _outcome(move, note, data)
    incident.scenes = sorted({*incident.scenes, *_scenes(incident, move, data)})
    incident.save()


def _scenes(incident: Incident, move: str, data: dict[str, Any]) -> set[str]:
    """Scenes that a move switches on."""
    if move in RESCUE:
        alone = incident.plan.get("elder", {}).get("kind") in LIVES_ALONE
        return {RESCUE[move], "alone"} if alone else {RESCUE[move]}
    if move == "needs_help":
        return set(NEED_KINDS[data["kind"]][1])
    return {"no_answer": {"silent"}, "silent_line": {"silent"}, "helper_going": {"contact"}}.get(move, set())


def _codes(data: dict[str, Any]) -> dict[str, Any]:
    """What may stand in the clear beside a movement: codes and figures, never a name or a place."""
    return {k: v for k, v in data.items() if k in CODES}


def _in_words(move: str, note: str, data: dict[str, Any]) -> str:
    """Names and places go into the note, which is encrypted."""
    if move == "to_hospital":
        return _outcome(move, note, data).removeprefix("送")
    if move == "helper_going" and data.get("who"):
        return f"{data['who']}，{note}" if note else str(data["who"])
    return note


def _outcome(move: str, note: str, data: dict[str, Any]) -> str:
    if move == "to_hospital":
        escort = f"，{data['escort']}陪同" if data.get("escort") else ""
        return f"送{data['hospital']}{escort}" + (f"。{note}" if note else "")
    return note


@transaction.atomic
def tick(*, incident_id: int, duty: str, by: Actor, note: str = "", data: dict[str, Any] | None = None) -> Incident:
    """A duty is done (once more). `ask_120_sent` with data {"sent": true} starts asking for the position."""
    incident = locked(incident_id)
    values = rules.tidy({k: v for k, v in (data or {}).items() if k == "sent"})
    if duty == "ask_120_sent" and values.get("sent"):
        incident.answers = sorted({*incident.answers, "sent"})
    engine.tick(incident, duty, by, note=note, data=_codes(values))
    incident.save(update_fields=["answers"])
    engine.rearm(incident)
    return incident


@transaction.atomic
def note(*, incident_id: int, by: Actor, text: str, source: str = "") -> int:
    """A line in one's own words; the id of the entry."""
    if not text.strip():
        raise NotAllowed("写一句再回车", code="needs")
    incident = locked(incident_id)
    entry = write(incident, source=source or source_of(incident, by), kind="note", text=text.strip(), by=by.name)
    return int(entry.pk)


@transaction.atomic
def call_back(*, incident_id: int, by: Actor, answered: bool, note: str = "") -> Incident:
    """What came of ringing a silent elder back. The second time without an answer the contacts are asked at once.

    The running call-back is settled by it, whoever dialled; one that was made by hand is written down as a call.
    """
    incident = locked(incident_id)
    if incident.flow.state(incident.state).move("call_back") is None:
        raise NotAllowed(f"当前为“{incident.state_label}”，没有要登记的回拨，请刷新页面", code="not_here")
    number = dialling.elder_number(incident)
    by_engine = silent.said(incident, answered=answered, by=by, note=note)
    if number and not by_engine:
        calls.record_by_hand(
            by=by, number=number, whom=call_name(incident), purpose="elder", ref=ref(incident), place=incident.place,
            result="answered" if answered else "no_answer", note=note,
        )  # fmt: skip
    incident.refresh_from_db()
    return incident


@transaction.atomic
def withdraw(*, incident_id: int, by: Actor, reason: str) -> Incident:
    """撤警: she is well; 110, the committee and every contact are told."""
    return move(incident_id=incident_id, move="withdraw", by=by, note=reason)


def _visit(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": str(values.get("state") or ""),
        "mood": str(values.get("mood") or ""),
        "needs": str(values.get("needs") or ""),
        "outcome_class": str(values.get("outcome_class") or ""),
        "cause": str(values.get("cause") or ""),
    }


@transaction.atomic
def follow_up(
    *, incident_id: int, by: Actor, state: str, mood: str = "", needs: str = "", outcome_class: str = "",
    cause: str = "", note: str = "",
) -> Incident:  # fmt: skip
    """The call within three days: how she is, what she needs; then the case is archived and her file updated."""
    incident = locked(incident_id)
    final_class = outcome_class or incident.outcome_class
    if incident.state == "follow_up":
        missing = [
            label
            for label, value in (("老人现在怎么样", state), ("起因", cause), ("结果分类", final_class))
            if not value.strip()
        ]
        if missing:
            raise NotAllowed("归档前写明：" + "、".join(missing), code="needs")
        if final_class not in CLASSES:
            raise NotAllowed("结果分类不对，从列表里选", code="needs")
    incident.outcome_class, incident.cause, incident.closed_at = final_class, cause[:200], clock.now()
    incident.save(update_fields=["outcome_class", "cause", "closed_at"])
    engine.make(incident, "revisited", by, note=note, data={"class": final_class})
    told = "；".join(
        f"{label}：{value}"
        for label, value in (("现状", state), ("情绪", mood), ("需要", needs), ("起因", cause))
        if value
    )
    write(incident, source=source_of(incident, by), kind="follow_up", text=f"回访：{told}", by=by.name)
    incident.refresh_from_db()
    return incident


def silence_broken(fact: SilenceBroken) -> int:
    """A home whose silence had raised an alarm was heard again. Answers how many cases the clock closed.

    What was late (the sign is from before the alarm was due) may end the case; what is new is a line of its story: somebody
    on the floor may move as well.
    """
    from anju.alarms import queries as alarms

    closed = 0
    with seen_by(EVERYWHERE):
        for alarm in alarms.silences_open(fact.home_id):
            if alarm.case_kind != "incident" or alarm.case_id is None:
                continue
            if fact.at <= alarm.at:
                closed += late_data(incident_id=alarm.case_id, deadline=fact.deadline, text=fact.text)
                continue
            with transaction.atomic():
                incident = locked(alarm.case_id)
                if incident.state in rules.OPEN_BEFORE_FOLLOW_UP:
                    write(incident, source="device", kind="moved", text=f"又有动静：{fact.text}。仍要核实老人")
                    tell(incident)
    return closed


def storm_over(fact: StormOver) -> bool:
    """The outage of many homes is over: its case says what is left open. Nobody but a person closes it. False when there is none."""
    from anju.alarms import queries as alarms

    with seen_by(EVERYWHERE), transaction.atomic():
        alarm = alarms.alarm(fact.alarm_id)
        if alarm.case_kind != "incident" or alarm.case_id is None:
            return False
        incident = locked(alarm.case_id)
        if incident.state not in rules.OPEN_BEFORE_FOLLOW_UP:
            return False
        text = f"区域失联已恢复：共 {fact.homes} 户，{fact.homes - fact.left} 户重新听到"
        text += f"；{fact.left} 户仍听不到，已转单户报警和检修" if fact.left else ""
        write(incident, source="system", kind="proposal", text=f"{text}。核实后可解除", data={"storm": fact.storm_id})
        tell(incident)
    return True


def late_data(*, incident_id: int, deadline: datetime, text: str) -> bool:
    """Late data arrived. True if the clock closed the case; otherwise the agent sees a proposal.

    Only before anybody took it, with no SOS in it and the new deadline in the future.
    """
    from anju.alarms import queries as alarms

    with seen_by(EVERYWHERE), transaction.atomic():
        incident = locked(incident_id)
        sos = (
            any(a.kind == "sos" for a in alarms.by_case(case_kind="incident", case_id=incident.pk))
            or incident.kind == "sos"
        )
        if rules.late_data_may_close(incident.state, sos=sos, deadline_in_future=deadline > clock.now()):
            _prepare(incident, "late_data", THE_CLOCK, text, {})
            Incident.objects.filter(pk=incident.pk).update(closed_at=clock.now(), cause="迟到数据")
            engine.make(incident, "late_data", THE_CLOCK, note=text)
            return True
        if incident.state in rules.OPEN_BEFORE_FOLLOW_UP:
            write(incident, source="system", kind="proposal", text=f"迟到数据：{text}。核实后可解除")
            tell(incident)
    return False
