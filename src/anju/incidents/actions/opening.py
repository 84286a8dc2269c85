"""How a case begins: an alarm opens one or joins one, or a person opens one by hand."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from anju.alarms import actions as alarm_actions
from anju.alarms import queries as alarms
from anju.elders import queries as elders
from anju.incidents import plan as plans
from anju.incidents import rules
from anju.incidents.actions import seats
from anju.incidents.actions.story import source_of, write
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places import queries as places

CASE = "incident"


@transaction.atomic
def open_or_join(*, alarm_id: int) -> int:
    """Give an alarm its case, and say to the alarm which; the id of the case. Asked twice, it answers the same.

    Joins the home's open case only before `follow_up`; within half an hour after "safe" it reopens; else a new, linked
    case. Concurrent presses of one home wait for each other here, so they make one case.
    """
    with seen_by(EVERYWHERE):
        alarm = alarms.alarm(alarm_id)
        if alarm.case_kind == CASE and alarm.case_id:
            return int(alarm.case_id)
        clue = "" if alarm.home_id else _clue(alarm)
        one_at_a_time(f"home:{alarm.home_id}" if alarm.home_id else f"unknown:{clue}")
        last = _last_case(alarm.home_id, clue)
        verdict = ""
        if last is not None:
            verdict = rules.joins(last.state, outcome_class=last.outcome_class, since=last.state_since, now=clock.now())
        if last is not None and verdict:
            _join(last, alarm, reopen=verdict == "reopen")
            return int(last.pk)
        incident = _open(alarm, clue, last)
        alarm_actions.settle(alarm_id=alarm_id, outcome="opened", case_kind=CASE, case_id=incident.pk)
        return int(incident.pk)


@transaction.atomic
def open_by_hand(
    *, by: Actor, place: str, kind: str, kind_label: str, priority: int = 9, home_id: int | None = None,
    elder_id: int | None = None, phone: str = "", address: str = "", what: str = "", drill: bool = False,
    at: datetime | None = None,
) -> Incident:  # fmt: skip
    """Quick record of a caller, client or not: place, phone, what happens. Who opens it has accepted it.

    `at`: when it began, if that was before now (a call that turned into an emergency).
    """
    if not 0 <= priority <= 9:
        raise NotAllowed("优先级是 0 到 9", code="needs")
    if not places.exists(place):
        raise NotAllowed("没有这个区划，选一个街道或社区", code="needs")
    phone, address, what = (t.replace("\x00", "").strip()[:500] for t in (phone, address, what))
    kind, kind_label = kind[:40], kind_label.replace("\x00", "")[:80] or "来电求助"
    with seen_by(EVERYWHERE):
        if home_id is not None:
            one_at_a_time(f"home:{home_id}")
            last = _last_case(home_id, "")
            if last is not None and not drill and last.state in rules.OPEN_BEFORE_FOLLOW_UP:
                raise NotAllowed(f"这户已有未结事件 {last.number}，在那里继续处置", code="not_here")
        known = home_id is None and bool(address or phone)
        incident = _begin(
            home_id=home_id, elder_id=elder_id, place=place, priority=priority, kind=kind, label=kind_label,
            at=at or clock.now(), clue=(phone or address)[:80] if known else "", drill=drill, previous=None, by=by,
            extra={"caller": {"phone": phone, "address": address, "what": what}},
        )  # fmt: skip
        write(
            incident, source=source_of(incident, by), kind="opened", by=by.name,
            text=f"人工立案：{kind_label}" + (f"。{what}" if what else ""),
        )  # fmt: skip
        if by.user_id is not None:
            incident.a_seat_id = by.user_id
        incident.accepted_at = clock.now()
        incident.save(update_fields=["a_seat", "accepted_at"])
        engine.make(incident, "accept", by)
        return incident


def device_reset(*, alarm_id: int) -> None:
    """The device says that it was reset: a line of the story, no more. It does not say by whom."""
    with seen_by(EVERYWHERE), transaction.atomic():
        alarm = alarms.alarm(alarm_id)
        if alarm.case_kind != CASE or not alarm.case_id:
            return
        incident = Incident.objects.get(pk=alarm.case_id)
        if incident.state in rules.OPEN_BEFORE_FOLLOW_UP:
            text = f"{alarm.where}{alarm.label}已复位，仍要核实老人"
            write(incident, source="device", kind="reset", text=text, data={"alarm": alarm.pk})


def _clue(alarm: Any) -> str:
    """What is known of an unknown home: the device, where it was heard."""
    return str(alarm.note or alarm.source or f"报警 {alarm.number}")[:80]


def one_at_a_time(key: str) -> None:
    """Wait until nobody else opens or names a case of this home; held until the transaction ends.

    Before the case is locked, never after: who holds a case and must have this as well asks `at_once`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_lock_of(key)])


def at_once(key: str) -> bool:
    """The same without waiting: False if somebody is at it now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_lock_of(key)])
        return bool(cursor.fetchone()[0])


def _lock_of(key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"incident {key}".encode()).digest()[:8], "big", signed=True)


def _last_case(home_id: int | None, clue: str) -> Incident | None:
    rows = Incident.objects.select_for_update(of=("self",)).filter(drill=False)
    rows = rows.filter(home_id=home_id) if home_id else rows.filter(home=None, unknown_key=clue)
    return rows.order_by("-opened_at", "-id").first()


def _open(alarm: Any, clue: str, last: Incident | None) -> Incident:
    incident = _begin(
        home_id=alarm.home_id, elder_id=alarm.elder_id, place=alarm.place, priority=alarm.priority, kind=alarm.kind,
        label=f"{alarm.where}{alarm.label}" if alarm.where else alarm.label, at=alarm.received_at, clue=clue,
        drill=False, previous=last, by=THE_CLOCK, extra={"alarm": _frozen(alarm)},
    )  # fmt: skip
    text = f"{alarm.where}{alarm.label}（{alarm.number}）"
    if clue:
        said = clue.partition(" #")[0]
        text = f"{text}：{said}" if alarm.kind == "storm" else f"未知住户：{text}，线索 {said}"
    write(incident, source="device", kind="alarm", text=text, data={"alarm": alarm.pk}, at=alarm.received_at)
    if last is not None and clock.now() - last.opened_at < rules.REOPEN_WITHIN * 48:
        write(incident, source="system", kind="linked", text=f"24 小时内的上一次：{last.number}（{last.kind_label}）")
    return incident


def _frozen(alarm: Any) -> dict[str, Any]:
    return {
        "number": alarm.number, "label": alarm.label, "where": alarm.where, "dty": alarm.dty, "stc": alarm.stc,
        "lco": alarm.lco, "source": alarm.source, "note": alarm.note, "device_id": alarm.device_id,
        "at": alarm.at.isoformat(), "received_at": alarm.received_at.isoformat(),
    }  # fmt: skip


def _begin(
    *, home_id: int | None, elder_id: int | None, place: str, priority: int, kind: str, label: str, at: datetime,
    clue: str, drill: bool, previous: Incident | None, by: Actor, extra: dict[str, Any],
) -> Incident:  # fmt: skip
    now = clock.now()
    frozen = elders.freeze(home_id, elder_id, now) if home_id is not None else {}
    policy = places.policy_for(place)
    plan = plans.build(frozen, policy.version, policy.seconds) | extra
    incident = Incident(
        number=_number(now), opened_on=clock.local(now).date(), place=place, home_id=home_id, elder_id=elder_id,
        unknown_key=clue, priority=priority, kind=kind, kind_label=label[:80], drill=drill, opened_at=now,
        first_alarm_at=at, previous=previous,
    )  # fmt: skip
    incident.plan = plan
    engine.begin(incident, by)
    return incident


def _number(now: datetime) -> str:
    """EM-1120-0037: the running number never waits for another transaction, so it may have gaps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('incidents_number')")
        nth = int(cursor.fetchone()[0])
    return f"EM-{clock.local(now):%m%d}-{nth % 10000:04d}"


def _join(incident: Incident, alarm: Any, *, reopen: bool) -> None:
    higher = alarm.priority > incident.priority
    before = incident.priority
    reason = f"{alarms.reason_to_join(alarm)}（{incident.number} {incident.state_label}）"
    if reopen:
        reason = f"确认平安后 30 分钟内又报警，重新处置 {incident.number}"
    alarm_actions.settle(alarm_id=alarm.pk, outcome="joined", case_kind=CASE, case_id=incident.pk, reason=reason)
    write(
        incident, source="device", kind="alarm", text=f"又报警：{alarm.where}{alarm.label}，并入本案（{alarm.number}）",
        data={"alarm": alarm.pk, "reason": reason}, at=alarm.received_at,
    )  # fmt: skip
    if higher:
        incident.priority, incident.kind = alarm.priority, alarm.kind
        incident.kind_label = (f"{alarm.where}{alarm.label}" if alarm.where else alarm.label)[:80]
        incident.save(update_fields=["priority", "kind", "kind_label"])
    if reopen:
        incident.outcome_class, incident.outcome = "", ""
        incident.save(update_fields=["outcome_class", "outcome"])
        engine.make(incident, "pressed_again", THE_CLOCK, data={"alarm": alarm.pk})
        seats.ring_bell(incident, "joined", "确认平安后又报警")
    elif higher and incident.state in {"waiting", "overdue"}:
        engine.make(incident, "rung_again", THE_CLOCK, data={"from": before, "to": alarm.priority})
    elif higher:
        engine.make(incident, "raised", THE_CLOCK, data={"from": before, "to": alarm.priority})
        seats.ring_bell(incident, "raised", f"更高级报警并入：{alarm.label}")
    elif incident.state not in {"waiting", "overdue"} and alarm.kind == "sos":
        seats.ring_bell(incident, "joined", "老人又报警了")
