"""What pages ask about planned calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, QuerySet

from anju.accounts import queries as accounts
from anju.calls import queries as call_queries
from anju.calls.planned import rules
from anju.calls.planned.models import RESULTS, WAYS, CallPlan, PlannedCall
from anju.calls.queries.history import masked
from anju.elders import queries as elders
from anju.kernel import clock, hooks
from anju.places import queries as places

KINDS = [(code, rules.KINDS[code].label) for code in rules.FOR_HER]
DAYS, MOODS, WAY_CHOICES = list(rules.DAYS.items()), list(rules.MOODS.items()), list(WAYS.items())


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan for a page."""

    id: int
    elder_id: int
    elder_name: str
    place_name: str
    kind: str
    kind_label: str
    way_label: str
    words: str
    says: str
    next_at: datetime | None
    paused: bool
    over: bool
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class CallRow:
    """A planned call for a list. `number_masked` is the elder's telephone as it stands in her file now."""

    id: int
    kind: str
    kind_label: str
    elder_id: int | None
    home_id: int | None
    elder_name: str
    number_masked: str
    place: str
    place_name: str
    ref: str
    says: str
    agreed_at: datetime
    call_at: datetime
    due_at: datetime | None
    tried: int
    why: str
    state: str
    state_label: str
    result: str
    result_label: str
    score: int
    mood_label: str
    needs: str
    note: str
    done_by: str
    done_at: datetime | None


def plans(*, elder_id: int | None = None, kind: str = "", running: bool = True, limit: int = 200) -> list[PlanRow]:
    """Plans in the asker's scope: running ones by the hour, or (of one elder) also those that are over."""
    rows = CallPlan.objects.exclude(elder_id=0)
    if elder_id is not None:
        rows = rows.filter(elder_id=elder_id)
    if kind:
        rows = rows.filter(kind=kind)
    if running:
        rows = rows.filter(ended_at=None)
    found = list(rows.order_by("ended_at", "at", "id")[:limit])
    waiting = PlannedCall.objects.filter(plan__in=[p.pk for p in found], state="waiting")
    next_at = dict(waiting.values_list("plan_id", "call_at"))
    names, where = _names(p.elder_id for p in found), places.names_of({p.place for p in found})
    return [
        PlanRow(
            p.pk, p.elder_id, names.get(p.elder_id, ("", ""))[0], where.get(p.place, p.place), p.kind, rules.KINDS[p.kind].label,
            WAYS[p.way], rules.in_words(p.kind, p.days, p.first, p.at, p.until), p.says, next_at.get(p.pk), p.paused_at is not None,
            p.ended_at is not None, p.made_by, p.made_at,
        )
        for p in found
    ]  # fmt: skip


def night_at(place: str) -> rules.Night:
    """When nobody is rung at a place: the district's policy, which a street may only make longer."""
    seconds = places.policy_for(place).seconds
    begins, ends = (seconds[key] // 60 for key in ("call.quiet_from", "call.quiet_until"))
    return rules.Night(time(*divmod(begins, 60)), time(*divmod(ends, 60)))


def why_later(*, home_id: int | None, number: str, place: str) -> str:
    """Why nobody is to be rung there for a campaign at this moment; "" when nothing speaks against it. It passes by itself.

    Past every scope on purpose: whoever asks must not trouble a home in need, and shows the reason only to who may see it.
    """
    case, away = hooks.ask("home_has_case"), hooks.ask("home_away")
    if home_id is not None and case is not None and case(home_id):
        return "家里有事件在处置"
    if home_id is not None and away is not None and (reason := str(away(home_id))):
        return reason
    if rules.quiet(rules.CAMPAIGN, clock.local(clock.now()).time(), night_at(place)):
        return "夜间不打扰"
    return "对方正在通话" if number and call_queries.live_with(number) else ""


def in_words(plan: CallPlan) -> str:
    """The plan, to be read back."""
    return rules.in_words(plan.kind, plan.days, plan.first, plan.at, plan.until)


def for_agents(limit: int = 50) -> list[CallRow]:
    """What waits for an agent, the most urgent deadline first."""
    return _rows(PlannedCall.objects.filter(state="agent").order_by("due_at", "id")[:limit])


def waiting_for_agents() -> int:
    """How many calls wait for an agent in the asker's scope."""
    return PlannedCall.objects.filter(state="agent").count()


def one(planned_id: int) -> CallRow | None:
    """One call, if it is in the scope."""
    found = _rows(PlannedCall.objects.filter(pk=planned_id))
    return found[0] if found else None


def page(
    *, elder_id: int | None = None, on: date | None = None, kind: str = "", state: str = "", limit: int = 100
) -> list[CallRow]:
    """Calls of an elder, or of a day (centre time), the newest first."""
    rows = PlannedCall.objects.all()
    if elder_id is not None:
        rows = rows.filter(elder_id=elder_id)
    if on is not None:
        start = datetime.combine(on, time(), clock.SHANGHAI)
        rows = rows.filter(agreed_at__gte=start, agreed_at__lt=start + timedelta(days=1)).exclude(kind=rules.CAMPAIGN)
    wanted = {"kind": kind, "state": state}
    return _rows(rows.filter(**{k: v for k, v in wanted.items() if v}).order_by("-agreed_at", "-id")[:limit])


def counts(on: date) -> dict[str, int]:
    """How the calls of a day stand: state → how many."""
    start = datetime.combine(on, time(), clock.SHANGHAI)
    rows = PlannedCall.objects.filter(agreed_at__gte=start, agreed_at__lt=start + timedelta(days=1))
    rows = rows.exclude(kind=rules.CAMPAIGN)  # campaigns have pages of their own
    return dict(rows.values_list("state").annotate(n=Count("id")).order_by())


def _names(ids: Iterable[int | None]) -> dict[int, tuple[str, str]]:
    """Elder → name and masked telephone, of her file as it is."""
    wanted = {i for i in ids if i}
    found = elders.by_ids(wanted) if wanted else {}
    return {pk: (elder.name, masked(elder.phone)) for pk, elder in found.items()}


def _stranger(c: PlannedCall) -> tuple[str, str]:
    """Who has no file: as the list of a campaign names her."""
    return (c.name or "（没有姓名）", masked(c.number)) if c.number else ("（档案已删除）", "")


def _rows(rows: QuerySet[PlannedCall]) -> list[CallRow]:
    found = list(rows)
    if not found:
        return []
    names, where = _names(c.elder_id for c in found), places.names_of({c.place for c in found})
    users = accounts.user_names([c.done_by for c in found if c.done_by])
    return [
        CallRow(
            c.pk, c.kind, rules.KINDS[c.kind].label, c.elder_id, c.home_id, *(names.get(c.elder_id or 0) or _stranger(c)), c.place,
            where.get(c.place, c.place), c.ref, c.says, c.agreed_at, c.call_at, c.due_at, c.tried, c.why, c.state, c.state_label, c.result,
            RESULTS.get(c.result, ""), c.score, rules.MOODS.get(c.mood, ""), c.needs, c.note, users.get(c.done_by or 0, ""), c.done_at,
        )
        for c in found
    ]  # fmt: skip


def notes_of(planned_ids: Iterable[int]) -> dict[int, str]:
    """What agents wrote about these calls, of those that the asker sees."""
    rows = PlannedCall.objects.filter(pk__in=set(planned_ids))
    return {c.pk: "；".join(filter(None, (c.note, c.needs and f"需要：{c.needs}"))) for c in rows}
