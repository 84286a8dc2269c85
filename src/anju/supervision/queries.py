"""What may be asked about audits and complaints, and the counts that the figures of the centre take from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from anju.accounts import queries as accounts
from anju.calls.kpis import Counts
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.kernel.flow.queries import story_of
from anju.kernel.flow.table import Move
from anju.supervision import rules
from anju.supervision.flow import COMPLAINT, REVIEW
from anju.supervision.models import Complaint, Plan, Review, ScoreForm


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """An audit in a list."""

    id: int
    number: str
    call_id: str
    agent_id: int
    agent_name: str
    seat: str
    emergency: bool
    called_at: datetime
    drawn_at: datetime
    why: str
    judge_id: int | None
    judge_name: str
    state: str
    state_label: str
    due_at: datetime | None
    score: float | None
    fatal: tuple[str, ...]
    accurate: bool | None
    polite: bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the form with what was given."""

    item: rules.Item
    given: Any


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """One audit with its form, its story, and what the asker may do."""

    row: ReviewRow
    form: str
    groups: list[tuple[str, list[Line]]]
    comment: str
    appeal: str
    verdict: str
    first_score: float | None
    plan: str
    seed: str
    moves: list[Move]
    story: list[Any]


@dataclass(frozen=True, slots=True)
class ComplaintRow:
    """A grievance or complaint in a list."""

    id: int
    number: str
    source: str
    about: str
    call_id: str
    agent_id: int | None
    name: str
    content: str
    state: str
    state_label: str
    due_at: datetime | None
    opened_at: datetime
    opened_by: str
    formal_at: datetime | None
    valid: bool | None
    closed_at: datetime | None
    outcome: str


def _row(r: Review) -> ReviewRow:
    return ReviewRow(
        r.pk, r.number, str(r.call.call_id), r.agent_id, r.agent_name, r.seat, r.emergency, r.called_at, r.drawn_at, r.why, r.judge_id,
        r.judge_name, r.state, r.state_label, r.due_at, r.score, tuple(r.fatal), r.accurate, r.polite,
    )  # fmt: skip


def reviews(
    *, by: Actor, mine: str = "", state: str = "", agent_id: int | None = None, since: datetime | None = None, until: datetime | None = None,
    limit: int = 50, before_id: int | None = None,
) -> list[ReviewRow]:  # fmt: skip
    """Audits, the newest first. `mine`: "judge" those that this person judges, "agent" those of her own calls."""
    wanted = Q()
    if mine == "judge":
        wanted &= Q(judge_id=by.user_id)
    if mine == "agent":
        wanted &= Q(agent_id=by.user_id) & ~Q(state="drawn")
    for name, value in (
        ("agent_id", agent_id),
        ("called_at__gte", since),
        ("called_at__lt", until),
        ("pk__lt", before_id),
    ):
        if value is not None:
            wanted &= Q(**{name: value})
    if state == "open":
        wanted &= ~Q(state__in=["closed", "void"])
    elif state:
        wanted &= Q(state=state)
    return [_row(r) for r in Review.objects.select_related("call").filter(wanted).order_by("-pk")[:limit]]


def review(review_id: int, by: Actor) -> ReviewCase:
    """One audit; Review.DoesNotExist outside the asker's scope. An agent sees only her own, and not before it is scored."""
    r = Review.objects.select_related("call", "form", "plan").get(pk=review_id)
    judge = bool({"lead", "quality", "bureau"} & set(by.roles))
    if not judge and (r.agent_id != by.user_id or r.state == "drawn"):
        raise Review.DoesNotExist
    groups: dict[str, list[Line]] = {}
    for item in rules.items_of(r.form.criteria):
        groups.setdefault(item.group, []).append(Line(item, r.answers.get(item.code)))
    plan = f"{r.plan.week:%Y-%m-%d} 一周的抽查" if r.plan else ""
    mine = r.agent_id == by.user_id
    moves = [
        m for m in REVIEW.moves_for(r.state, by.roles) if ("my_own" in m.needs) == mine or m.name in {"void", "pass_on"}
    ]
    return ReviewCase(
        _row(r), str(r.form), list(groups.items()), r.comment, r.appeal, r.verdict, r.first_score, plan, r.plan.seed if r.plan else "",
        [m for m in moves if not (mine and m.name in {"score", "void", "uphold", "correct"})], list(story_of(r)),
    )  # fmt: skip


def criteria(review_id: int) -> list[dict[str, Any]]:
    """The lines of the form of one audit, as they are stored."""
    return list(Review.objects.select_related("form").get(pk=review_id).form.criteria)


@dataclass(frozen=True, slots=True)
class FormVersion:
    """One version of a form: what it asks, who made it, and how many audits were given by it."""

    version: int
    name: str
    made_by: str
    made_at: datetime
    items: list[rules.Item]
    points: int
    used: int


def forms(code: str = "call") -> list[FormVersion]:
    """Every version of a form, the newest first."""
    used = dict(Review.objects.order_by().values_list("form_id").annotate(Count("pk")))
    found = []
    for form in ScoreForm.objects.filter(code=code).order_by("-version"):
        items = rules.items_of(form.criteria)
        points = sum(i.points for i in items if not i.fatal)
        found.append(
            FormVersion(form.version, form.name, form.made_by, form.made_at, items, points, used.get(form.pk, 0))
        )
    return found


@dataclass(frozen=True, slots=True)
class Quota:
    """How far the month's quota of one agent is."""

    agent_id: int
    agent_name: str
    drawn: int
    scored: int
    emergency: int
    mean: float | None
    enough: bool

    @property
    def missing(self) -> int:
        """Calls that must still be scored to reach the month's quota."""
        return max(0, rules.PER_MONTH - self.scored)

    @property
    def to_draw(self) -> int:
        """Of these, calls that are not even drawn."""
        return max(0, rules.PER_MONTH - self.drawn)


def quota(month: date, agents: Iterable[int] = ()) -> list[Quota]:
    """Audited calls of the month by agent: at least two, one of them an emergency where there was one.

    Who was in a drawing of the month stands here, also when no call of hers was drawn, and so does everybody of `agents`.
    """
    start = month.replace(day=1)
    drawn = Plan.objects.filter(
        week__gt=start - timedelta(days=7), week__lt=(start + timedelta(days=32)).replace(day=1)
    )
    rows = Review.objects.filter(called_at__date__gte=start, called_at__year=start.year, called_at__month=start.month)
    found: dict[int, list[Review]] = {}
    for r in rows.exclude(state="void"):
        found.setdefault(r.agent_id, []).append(r)
    missed = {agent for drum in drawn.values_list("agents", flat=True) for agent in drum} | set(agents)
    missed -= set(found)
    names = accounts.user_names(sorted(missed))
    lines = [Quota(agent, names[agent], 0, 0, 0, None, enough=False) for agent in sorted(missed) if agent in names]
    for agent, mine in sorted(found.items()):
        scores = [r.score for r in mine if r.score is not None and r.state != "drawn"]
        lines.append(
            Quota(
                agent, mine[0].agent_name, len(mine), len(scores), sum(r.emergency for r in mine),
                round(sum(scores) / len(scores), 1) if scores else None, len(scores) >= rules.PER_MONTH,
            )
        )  # fmt: skip
    return lines


def plans(limit: int = 8) -> list[Plan]:
    """The last drawings."""
    return list(Plan.objects.all()[:limit])


def plan(plan_id: int) -> Plan:
    """One drawing."""
    return Plan.objects.get(pk=plan_id)


def picks_of(plan_id: int) -> list[ReviewRow]:
    """The audits of one drawing."""
    return [_row(r) for r in Review.objects.select_related("call").filter(plan_id=plan_id).order_by("agent_name", "pk")]


def open_count(by: Actor) -> int:
    """What waits for this judge, for the number on the rail."""
    return Review.objects.filter(judge_id=by.user_id, state="drawn").count()


def of_calls(call_ids: Iterable[str]) -> dict[str, ReviewRow]:
    """The audit of each of these calls, where there is one."""
    rows = Review.objects.select_related("call").filter(call__call_id__in=list(call_ids)).exclude(state="void")
    return {str(r.call.call_id): _row(r) for r in rows}


# --- complaints -------------------------------------------------------------------------------------------------------


def _complaint(c: Complaint) -> ComplaintRow:
    return ComplaintRow(
        c.pk, c.number, c.get_source_display(), c.get_about_display(), str(c.call.call_id) if c.call else "", c.agent_id, c.name, c.content,
        c.state, c.state_label, c.due_at, c.opened_at, c.opened_by, c.formal_at, c.valid, c.closed_at, c.outcome,
    )  # fmt: skip


def complaints(*, state: str = "", limit: int = 50, before_id: int | None = None) -> list[ComplaintRow]:
    """Grievances and complaints, the newest first; `state` "open" are those that somebody must do something about."""
    wanted = Q()
    if state == "open":
        wanted &= ~Q(state__in=["settled", "closed"])
    elif state == "formal":
        wanted &= Q(formal_at__isnull=False)
    elif state:
        wanted &= Q(state=state)
    if before_id is not None:
        wanted &= Q(pk__lt=before_id)
    return [_complaint(c) for c in Complaint.objects.select_related("call").filter(wanted).order_by("-pk")[:limit]]


@dataclass(frozen=True, slots=True)
class ComplaintCase:
    """One complaint with its story and what the asker may do; duties with when they were last ticked."""

    row: ComplaintRow
    wish: str
    contact: str
    moves: list[Move]
    duties: list[tuple[str, str, datetime | None]]
    story: list[Any]


def complaint(complaint_id: int, by: Actor) -> ComplaintCase:
    """One of them; Complaint.DoesNotExist outside the asker's scope."""
    c = Complaint.objects.select_related("call").get(pk=complaint_id)
    story = list(story_of(c))
    ticked = {line.move: line.at for line in story if line.kind == "tick"}
    duties = [(d.name, d.label, ticked.get(d.name)) for d in COMPLAINT.state(c.state).duties]
    return ComplaintCase(_complaint(c), c.wish, c.contact, COMPLAINT.moves_for(c.state, by.roles), duties, story)


# --- counts for the figures -------------------------------------------------------------------------------------------


def counts(*, since: datetime, until: datetime, by: str = "all") -> dict[str, Counts]:
    """Answers checked and right, agents checked and polite, complaints that stood; by "all", "user", "seat" or a period.

    An audit counts in the period of its call, a complaint when talking had failed. Keys are those of `calls.kpis.lines`.
    """
    found: dict[str, Counts] = {}
    polite: dict[str, dict[int, bool]] = {}
    rows = Review.objects.filter(called_at__gte=since, called_at__lt=until, score__isnull=False)
    for r in rows.exclude(state__in=["drawn", "void"]).only("called_at", "agent_id", "seat", "accurate", "polite"):
        key = _key(by, r.called_at, r.agent_id, r.seat)
        if r.accurate is not None:
            found[key] = found.get(key, Counts()) + Counts(answers_checked=1, answers_right=int(r.accurate))
        if r.polite is not None:
            mine = polite.setdefault(key, {})
            mine[r.agent_id] = mine.get(r.agent_id, True) and r.polite
    for key, agents in polite.items():
        found[key] = found.get(key, Counts()) + Counts(agents_checked=len(agents), agents_polite=sum(agents.values()))
    for at, agent in Complaint.objects.filter(formal_at__gte=since, formal_at__lt=until).values_list(
        "formal_at", "agent_id"
    ):
        if at is not None and (by != "user" or agent is not None) and by != "seat":
            key = _key(by, at, agent or 0, "")
            found[key] = found.get(key, Counts()) + Counts(complaints=1)
    return found


_STARTS = {
    "hour": "%Y-%m-%dT%H:00", "day": "%Y-%m-%dT00:00", "month": "%Y-%m-01T00:00", "hour_of_day": "%H",
}  # fmt: skip


def _key(by: str, at: datetime, agent: int, seat: str) -> str:
    if by == "user":
        return str(agent)
    if by == "seat":
        return seat
    here = clock.local(at)
    if by == "week":
        return f"{date.fromordinal(here.date().toordinal() - here.weekday()):%Y-%m-%d}T00:00"
    return here.strftime(_STARTS[by]) if by in _STARTS else ""


def complaint_totals() -> dict[str, int]:
    """Counts by state, for the head of the page."""
    return dict(Complaint.objects.values_list("state").annotate(Count("pk")))
