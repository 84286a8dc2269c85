"""Planning by people: who may, what is refused, and what is read back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, time

from django.db import transaction
from django.db.models import Q

from anju.accounts.permissions import must
from anju.calls.planned import queries, rules
from anju.calls.planned.actions.course import OPEN, write_next
from anju.calls.planned.flow import PLANNED
from anju.calls.planned.models import WAYS, CallPlan, PlannedCall
from anju.elders import queries as elders
from anju.kernel import audit, clock, forgetting
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import Actor, NotAllowed


@transaction.atomic
def plan(
    *, by: Actor, elder_id: int, kind: str, at: time, first: date, days: str = "once", until: date | None = None, says: str = "",
    way: str = "robot", tries: int = 2, gap_minutes: int = 10,
) -> CallPlan:  # fmt: skip
    """Somebody is to be called. Refused where it could never be done: no telephone, a past hour, at night, a stopped service."""
    must(by, "call.plan")
    elder = elders.elder(elder_id)
    if elder is None:
        raise NotAllowed("没有这份档案，请刷新页面。", code="not_here")
    if elder.status != "approved":
        raise NotAllowed("服务未开始或已停机，不能定呼叫计划。请先恢复服务。", code="needs")
    if not elder.phone.strip():
        raise NotAllowed("档案里没有她的电话，请先补上再定。", code="needs")
    if kind not in rules.FOR_HER or days not in rules.DAYS or way not in WAYS:
        raise NotAllowed("请从列表里选用途、哪些天和谁来拨。", code="needs")
    if not (1 <= tries <= 5 and 3 <= gap_minutes <= 120):
        raise NotAllowed("请填 1 到 5 次，间隔 3 到 120 分钟。", code="needs")
    night = queries.night_at(elder.home.place)
    if rules.quiet(kind, at, night):
        raise NotAllowed(
            f"{rules.KINDS[kind].label}请定在 {night} 之间；夜间只拨本人要的叫醒和用药提醒。", code="needs"
        )
    if until is not None and until < first:
        raise NotAllowed("结束日期早于开始日期，请改。", code="needs")
    row = CallPlan.objects.create(
        place=elder.home.place, elder_id=elder.pk, home_id=elder.home_id, kind=kind, way=way, says=says.strip()[:300], days=days,
        first=first, until=until, at=at, tries=tries, gap_minutes=gap_minutes, made_by=by.name[:60], made_at=clock.now(),
    )  # fmt: skip
    if write_next(row) is None:
        raise NotAllowed("这个时间已经过了，请按 24 小时制核对日期和时间。", code="needs")
    _note(row, "call_plan.made")
    return row


@transaction.atomic
def pause(*, by: Actor, plan_id: int) -> CallPlan:
    """Leave out its calls until somebody resumes it; each one left out is written down as such."""
    return _set(by, plan_id, "call_plan.paused", paused_at=clock.now())


@transaction.atomic
def resume(*, by: Actor, plan_id: int) -> CallPlan:
    """It goes on with the next call."""
    return _set(by, plan_id, "call_plan.resumed", paused_at=None)


@transaction.atomic
def end(*, by: Actor, plan_id: int) -> CallPlan:
    """No more calls: those that were written and not made are called off."""
    must(by, "call.plan")
    open_calls = PlannedCall.objects.select_for_update(of=("self",)).filter(
        plan_id=plan_id, state__in=["waiting", "agent"]
    )
    calls = list(open_calls)  # locked before their plan, as their moves do
    row = _set(by, plan_id, "call_plan.ended", ended_at=clock.now(), ended_by=by.name[:60])
    for call in calls:
        engine.make(call, "call_off", engine.THE_CLOCK, note=f"{by.name}停止了计划")
    return row


def _set(by: Actor, plan_id: int, said: str, **fields: object) -> CallPlan:
    must(by, "call.plan")
    row = CallPlan.objects.select_for_update().get(pk=plan_id)
    if row.ended_at is not None and "ended_at" not in fields:
        raise NotAllowed("这个计划已经停止，请另定一个。", code="not_here")
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))
    _note(row, said)
    return row


def _note(row: CallPlan, what: str) -> None:
    audit.record(
        what, subject="elder", subject_id=str(row.elder_id), place=row.place, detail={"plan": row.pk, "kind": row.kind}
    )
    changed("planned", row.pk, row.place)


@transaction.atomic
def forget(*, elder_id: int, home_id: int, home_empty: bool) -> int:
    """A person's data are deleted (SYS-04): her plans end, open calls are called off, words go; times and results stay."""
    whose = Q(elder_id=elder_id) | (Q(home_id=home_id) if home_empty else Q(pk__in=[]))
    open_calls = list(PlannedCall.objects.select_for_update(of=("self",)).filter(whose, state__in=OPEN))
    CallPlan.objects.filter(whose, ended_at=None).update(ended_at=clock.now(), ended_by="平台")
    for call in open_calls:
        engine.make(call, "call_off", engine.THE_CLOCK)
    forgetting.empty(CallPlan.objects.filter(whose), keep={"place", "made_by", "ended_by"})
    CallPlan.objects.filter(whose).update(elder_id=0)
    rows = PlannedCall.objects.filter(whose)
    ids = list(rows.values_list("pk", flat=True))
    forgetting.empty(rows, keep={"state", "place", "ref"})
    PlannedCall.objects.filter(pk__in=ids).update(elder_id=None)
    forgetting.story(PLANNED.name, ids)
    return len(ids)


@transaction.atomic
def forget_matters(refs: Collection[str]) -> int:
    """Names, numbers and words of calls with people who have no file go; times and results stay; how many."""
    rows = PlannedCall.objects.filter(ref__in=refs, elder_id=None).exclude(state__in=OPEN)
    ids = list(rows.values_list("pk", flat=True))
    forgetting.empty(rows, keep={"state", "place", "ref"})
    forgetting.story(PLANNED.name, ids)
    return len(ids)
