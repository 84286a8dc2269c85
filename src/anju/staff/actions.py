"""What may be done with the roster: plan and strike duties, hand a shift over, book an expert. The only writers."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from anju.accounts import queries as accounts
from anju.kernel import audit, clock, forgetting, hooks
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.models import Movement
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.staff import queries, rules
from anju.staff.facts import BookingNear, CoverageGap, HandOverLate
from anju.staff.flow import BOOKING, HAND_OVER
from anju.staff.models import FIELDS, POSTS, Booking, Duty, Expert, HandOver

AHEAD = timedelta(hours=8)
REMIND = timedelta(minutes=10)
SETTLED = timedelta(minutes=5)
"""So long after the beginning of a shift everybody has logged in."""
LEADS = frozenset({"lead", "system_admin"})


def _may_plan(by: Actor) -> None:
    if not by.roles & LEADS:
        raise NotAllowed("排班由值班长办理", code="role")


@transaction.atomic
def plan(
    *, by: Actor, place: str, user_id: int, post: str, start: datetime, end: datetime, shift: str = "", note: str = ""
) -> Duty:
    """Put somebody on the roster. Refused when she is on duty then already, or would be there more than 12 hours."""
    _may_plan(by)
    if post not in POSTS:
        raise NotAllowed("没有这个岗位", code="needs")
    if not timedelta(0) < end - start <= timedelta(hours=12):
        raise NotAllowed("一班最长 12 小时，结束须晚于开始", code="needs")
    user = accounts.user(user_id)
    if user is None or post not in {r.value for r in accounts.roles_of(user)}:
        raise NotAllowed(f"这位同事没有“{POSTS[post]}”岗位，请先由安全管理员授岗", code="needs")
    near = queries.on_duty_of(user_id, start - timedelta(hours=24), end + timedelta(hours=24))
    if rules.overlaps(near, user_id, start, end):
        raise NotAllowed("这段时间已排过班", code="busy")
    if rules.too_long(near, user_id, start, end):
        raise NotAllowed("连续值守会超过 12 小时，请换人或隔 8 小时再排", code="needs")
    duty = Duty.objects.create(
        place=place,
        user_id=user_id,
        post=post,
        start=start,
        end=end,
        shift=shift[:20],
        note=note[:120],
        made_by=by.name,
    )
    audit.record("duty.plan", subject="user", subject_id=str(user_id), place=place, detail={"duty": duty.pk})
    changed("seats", duty.pk, place)
    return duty


@transaction.atomic
def strike(*, by: Actor, duty_id: int, why: str) -> Duty:
    """Take somebody off the roster, with the reason. The row stays."""
    _may_plan(by)
    if not why.strip():
        raise NotAllowed("请写撤下的原因", code="needs")
    duty = Duty.objects.select_for_update().get(pk=duty_id)
    if duty.struck_at is None:
        duty.struck_at, duty.struck_why = clock.now(), why.strip()[:120]
        duty.save(update_fields=["struck_at", "struck_why"])
        audit.record("duty.strike", subject="user", subject_id=str(duty.user_id), place=duty.place, reason=why)
        changed("seats", duty.pk, duty.place)
    return duty


@transaction.atomic
def copy_week(*, by: Actor, place: str, monday: datetime) -> int:
    """Next week like this one: every duty that is not struck is planned again seven days later, where it fits."""
    _may_plan(by)
    made = 0
    for duty in queries.roster(monday, monday + timedelta(days=7), place=place):
        if duty.start < monday:  # the night that came over from the week before has its own successor
            continue
        try:
            with transaction.atomic():
                plan(
                    by=by, place=duty.place, user_id=duty.user_id, post=duty.post, start=duty.start + timedelta(days=7),
                    end=duty.end + timedelta(days=7), shift=duty.shift,
                )  # fmt: skip
                made += 1
        except NotAllowed:
            continue
    return made


# ---- hand-over


@transaction.atomic
def begin_hand_over(*, place: str, ends_at: datetime, from_lead_id: int | None) -> HandOver:
    """The sheet of a shift; there is one for each shift, however often it is asked for."""
    known = HandOver.objects.filter(place=place, ends_at=ends_at).first()
    if known is not None:
        return known
    sheet = HandOver(place=place, ends_at=ends_at, from_lead_id=from_lead_id)
    engine.begin(sheet, THE_CLOCK)
    return sheet


@transaction.atomic
def offer(*, by: Actor, hand_over_id: int, text: str, facts: Mapping[str, Any]) -> HandOver:
    """The lead of the shift writes and offers it; the figures of the moment are frozen with it."""
    if len(text.strip()) < 4:
        raise NotAllowed("请写交班内容：未结事件、未回来电、设备和人员情况", code="needs")
    sheet = HandOver.objects.select_for_update().get(pk=hand_over_id)
    sheet.text, sheet.facts, sheet.from_lead_id = text.strip(), dict(facts), by.user_id
    sheet.save(update_fields=["text", "facts", "from_lead"])
    engine.make(sheet, "offered", by)
    changed("seats", sheet.pk, sheet.place)
    return sheet


@transaction.atomic
def take(*, by: Actor, hand_over_id: int) -> HandOver:
    """The next lead has read it and takes the shift. Nobody takes her own."""
    sheet = HandOver.objects.select_for_update().get(pk=hand_over_id)
    if sheet.from_lead_id is not None and sheet.from_lead_id == by.user_id:
        raise NotAllowed("交班人不能自己接班", code="role")
    sheet.to_lead_id, sheet.taken_at = by.user_id, clock.now()
    sheet.save(update_fields=["to_lead", "taken_at"])
    engine.make(sheet, "taken", by)
    changed("seats", sheet.pk, sheet.place)
    return sheet


@transaction.atomic
def give_back(*, by: Actor, hand_over_id: int, why: str) -> HandOver:
    """Something is missing in it: back to who wrote it, with the reason."""
    if not why.strip():
        raise NotAllowed("请写退回的原因", code="needs")
    sheet = HandOver.objects.select_for_update().get(pk=hand_over_id)
    engine.make(sheet, "returned", by, note=why)
    changed("seats", sheet.pk, sheet.place)
    return sheet


def hand_over_pressed(sheet: HandOver, done: Movement) -> None:
    """Nobody took the shift over within a quarter of an hour."""
    local = clock.local(sheet.ends_at)
    announce(
        HandOverLate(sheet.pk, sheet.place, f"{local:%H:%M} 的班还没有人接，请尽快核对交班单（第 {done.nth} 次催）")
    )


# ---- coverage


def check_coverage(*, place: str, start: datetime, end: datetime) -> list[rules.Gap]:
    """Is anybody there for every kind of alarm in this span? What is missing is announced once for each gap."""
    # looked at from yesterday on: a gap that has begun keeps its beginning, by which it is known to have been told
    begun = clock.local(start).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    found = [g for g in queries.gaps(place=place, start=begun, end=end) if g.end > start]
    for gap in rules.worth_telling(found):
        a, b = clock.local(gap.start), clock.local(gap.end)
        announce(CoverageGap(
            place, f"{a:%m-%d %H:%M}-{b:%H:%M} 缺{gap.need.label}（在岗 {gap.there}，至少 {gap.need.least}）：{gap.need.alarms}无人保证",
            f"gap:{gap.need.code}:{gap.start.isoformat()}",
        ))  # fmt: skip
    return found


def check_present(*, place: str) -> list[rules.Need]:
    """During a shift: is somebody at a desk for every type of alarm? What is missing five minutes after its beginning is
    announced once for each shift. A centre whose seats cannot be asked is not judged.
    """
    here = hooks.ask("seats_here")
    now = clock.local(clock.now())
    name, start, _ = rules.shifts_from(now, 1)[0]
    if here is None or now - start < SETTLED:
        return []
    known = queries.skills()
    sitting = [
        rules.OnDuty(user, post, start, now, known.get(user, frozenset()))
        for user, posts in here.items()
        for post in posts
    ]
    missing = [g for g in rules.gaps(sitting, start, now, kept=queries.kept(known)) if g.need.posts <= rules.SEATED]
    for gap in rules.worth_telling(missing):
        announce(CoverageGap(
            place, f"{name}已开始，坐席台上{gap.need.label}只有 {gap.there} 人在线（至少 {gap.need.least}）：{gap.need.alarms}无人保证",
            f"here:{gap.need.code}:{start.isoformat()}",
        ))  # fmt: skip
    return [g.need for g in missing]


# ---- experts


@transaction.atomic
def save_expert(*, by: Actor, place: str, name: str, field: str, hours: Mapping[str, Sequence[Sequence[str]]],
                phone: str = "", user_id: int | None = None, unit: str = "", away: Sequence[str] = (),
                expert_id: int | None = None) -> Expert:  # fmt: skip
    """Add or change an expert. Hours are checked: HH:MM, in order, Monday = 0."""
    _may_plan(by)
    if field not in FIELDS:
        raise NotAllowed("没有这个专业", code="needs")
    queries.hours_of(hours)  # raises NotAllowed with the day
    expert = Expert.objects.select_for_update().get(pk=expert_id) if expert_id else Expert(place=place)
    expert.name, expert.field, expert.hours, expert.phone = name.strip()[:40], field, dict(hours), phone
    expert.user_id, expert.unit, expert.away = user_id, unit[:80], list(away)
    expert.save()
    audit.record("expert.save", subject="expert", subject_id=str(expert.pk), place=place)
    return expert


@transaction.atomic
def book(*, by: Actor, expert_id: int, at: datetime, phone: str, about: str, caller: str = "",
         elder_id: int | None = None, call_id: str = "") -> Booking:  # fmt: skip
    """An appointment in the expert's own hours, ahead of now, and not taken by somebody else."""
    expert = Expert.objects.select_for_update().get(pk=expert_id)
    if not phone.strip() or not about.strip():
        raise NotAllowed("请写回电号码和什么事", code="needs")
    if at <= clock.now():
        raise NotAllowed("预约时间须在现在之后", code="needs")
    _free(expert, at)
    booking = Booking(
        place=expert.place, expert=expert, elder_id=elder_id, caller=caller, phone=phone.strip(), about=about.strip(),
        at=at, made_by=by.name, call_id=call_id,
    )  # fmt: skip
    engine.begin(booking, by)
    changed("seats", booking.pk, booking.place)
    return booking


def _free(expert: Expert, at: datetime, but: Booking | None = None) -> None:
    """The expert has duty at that moment and nobody else has it. The expert's row is locked: of two exactly one gets it."""
    Expert.objects.select_for_update().get(pk=expert.pk)
    if not rules.reachable(queries.hours_of(expert.hours), clock.local(at), away=queries.away_of(expert)):
        raise NotAllowed(f"{expert.name}这个时间不值守，请选列出的时间", code="needs")
    others = Booking.unscoped.filter(expert=expert, at=at, state__in=["booked", "reminded"])
    if others.exclude(pk=but.pk if but else 0).exists():
        raise NotAllowed("这个时间刚被约走，请另选一个", code="busy")


@transaction.atomic
def move_booking(*, by: Actor, booking_id: int, move: str, note: str = "", at: datetime | None = None) -> Booking:
    """done (with what came of it), cancelled (why), moved (to when)."""
    booking = Booking.objects.select_for_update().get(pk=booking_id)
    if move == "moved":
        if at is None or at <= clock.now():
            raise NotAllowed("请选新的时间", code="needs")
        _free(booking.expert, at, but=booking)
        booking.at = at
        booking.save(update_fields=["at"])
    elif not note.strip():
        raise NotAllowed("请写结果或原因", code="needs")
    if move == "done":
        booking.outcome = note.strip()
        booking.save(update_fields=["outcome"])
    engine.make(booking, move, by, note=note)
    changed("seats", booking.pk, booking.place)
    return booking


@transaction.atomic
def remind_due() -> int:
    """Ten minutes before an appointment its expert and the desk are told; answers how many."""
    told = 0
    soon = clock.now() + REMIND
    for booking in Booking.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state="booked", at__lte=soon
    ):
        engine.make(booking, "reminded", THE_CLOCK)
        local = clock.local(booking.at)
        announce(BookingNear(
            booking.pk, booking.place, booking.expert.user_id, f"{local:%H:%M} 与{booking.expert.name}的预约即将开始", missed=False
        ))  # fmt: skip
        told += 1
    return told


def booking_missed(booking: Booking, done: Movement) -> None:
    """Promised and not kept: the lead follows it up."""
    del done
    local = clock.local(booking.at)
    text = f"{local:%m-%d %H:%M} 与{booking.expert.name}的预约没有接通，请改期或回复来电人"
    announce(BookingNear(booking.pk, booking.place, booking.expert.user_id, text, missed=True))


@transaction.atomic
def forget(*, elder_id: int, said: Collection[str] = ()) -> int:
    """A person's data are deleted: her bookings lose their words, and no hand-over names her any more; how many bookings.

    `said`: her name and numbers (a hand-over is a free text of a shift and belongs to nobody's file).
    """
    with seen_by(EVERYWHERE):
        rows = Booking.objects.filter(elder=elder_id)
        if rows.filter(state__in=["booked", "reminded", "missed"]).exists():
            raise NotAllowed("有未办的专家预约，办完或取消以后才能删除个人信息", code="open")
        ids = list(rows.values_list("pk", flat=True))
        forgetting.empty(rows, keep={"state", "place", "made_by", "call_id"})
        rows.update(elder=None)
        for sheet in HandOver.objects.all():
            text = forgetting.without(sheet.text, said)
            facts = json.loads(forgetting.without(json.dumps(sheet.facts, ensure_ascii=False), said))
            if (text, facts) != (sheet.text, sheet.facts):
                HandOver.objects.filter(pk=sheet.pk).update(text=text, facts=facts)
    forgetting.story(BOOKING.name, ids)
    forgetting.told(HAND_OVER.name, said)
    return len(ids)
