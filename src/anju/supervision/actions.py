"""The only writers of audits and complaints."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.calls.kpis.audits import Taken, calls_of_person, known_call, taken_between, taken_call
from anju.elders.checks import NotAccepted
from anju.kernel import audit, clock, forgetting
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.models import Movement
from anju.kernel.numbers import next_number
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.notices import actions as notices
from anju.notices.actions import To
from anju.supervision import rules
from anju.supervision.flow import COMPLAINT, REVIEW
from anju.supervision.forms import ABOUT, SOURCES, STANDARD
from anju.supervision.models import Complaint, Plan, Review, ScoreForm

JUDGES = frozenset({Role.LEAD, Role.QUALITY})
EDITORS = JUDGES | {Role.SYSTEM_ADMIN}
"""Who may change the form by which calls are scored."""


def _judge(by: Actor) -> None:
    if not JUDGES.intersection(by.roles):
        raise NotAllowed("质检由值班长或质检来做。", code="not_you")


# --- forms ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def put_form(
    *, code: str, name: str, criteria: list[dict[str, Any]], by: Actor, based_on: int | None = None
) -> ScoreForm:
    """A new version of a form; audits that were drawn earlier keep theirs. `based_on`: the version that was looked at."""
    if not EDITORS.intersection(by.roles):
        raise NotAllowed("质检表由值班长、质检或系统管理员来改。", code="not_you")
    if faults := rules.faults_of(criteria):
        raise NotAllowed("质检表不能用：" + "；".join(faults), code="needs")
    last = ScoreForm.objects.filter(code=code).order_by("-version").first()
    if last is not None and based_on not in {None, last.version}:
        raise NotAllowed("别人刚改过这张表，请重新打开，在新的一版上改。", code="stale")
    if last is not None and last.criteria == criteria and last.name == (name.strip() or last.name):
        raise NotAllowed("没有改动，不用另存一版。", code="needs")
    form = ScoreForm.objects.create(
        code=code, version=last.version + 1 if last else 1, name=name.strip() or "通话质检表", criteria=criteria, made_by=by.name[:60],
        made_at=clock.now(),
    )  # fmt: skip
    audit.record("quality.form", subject="form", subject_id=form.pk, detail={"code": code, "version": form.version})
    return form


def form_in_force(code: str = "call") -> ScoreForm:
    """The newest version; the standard form where nobody made one."""
    found = ScoreForm.objects.filter(code=code).order_by("-version").first()
    if found is None:
        found, _ = ScoreForm.objects.get_or_create(
            code=code, version=1,
            defaults={"name": "通话质检表", "criteria": STANDARD, "made_by": "平台", "made_at": clock.now()},
        )  # fmt: skip
    return found


# --- drawing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def draw_week(*, place: str, week: date, by: Actor, seed: str = "") -> Plan | None:
    """Draw the calls of one week (a Monday) of a place; None when it was drawn already. The seed is made now and kept."""
    if by is not THE_CLOCK:
        _judge(by)
    if week.weekday() != 0:
        raise NotAllowed("抽查按周一开始的整周进行，请选周一。", code="needs")
    if Plan.objects.filter(place=place, week=week).exists():
        return None
    seed = seed or secrets.token_hex(8)
    drum = candidates(place, week)
    before = _done_before(week)
    earlier = {int(key.partition(":")[0]) for key in before}
    agents = sorted({c.agent for c in drum} | earlier | {u.id for u in accounts.holders(Role.AGENT, place=place)})
    drawing = _drawing(drum, agents, week, seed, before)
    plan = Plan(
        place=place, week=week, seed=seed, before=before, candidates=len(drum), digest=rules.digest_of(drum), agents=agents,
        short={str(k): v for k, v in drawing.short.items()}, per_week=rules.PER_WEEK, per_month=rules.PER_MONTH, made_at=clock.now(),
        made_by=by.name[:60],
    )  # fmt: skip
    try:
        with transaction.atomic():
            plan.save(force_insert=True)
    except IntegrityError:  # another worker drew the same week
        return None
    judges = _judges_of(place)
    assigned = rules.assign(drawing.picks, judges, seed=seed)
    for pick in drawing.picks:
        if _audited(pick.call_id, pick.agent):  # somebody chose it by hand before: that audit is the one
            continue
        _open(pick.call_id, pick.agent, why=pick.why, judge=assigned[pick.call_id], plan=plan, by=by)
    return plan


def _audited(call_id: str, agent: int) -> bool:
    return Review.unscoped.filter(call__call_id=call_id, agent_id=agent).exclude(state="void").exists()


def _judges_of(place: str) -> list[int]:
    """Quality staff and the leads who sit at a desk: an account of a machine, which has no seat, hears no calls."""
    quality = {u.id for u in accounts.holders(Role.QUALITY, place=place)}
    leads = accounts.holders(Role.LEAD, place=place)
    return sorted(quality | ({u.id for u in leads if u.seat_number} or {u.id for u in leads}))


def candidates(place: str, week: date) -> list[rules.Candidate]:
    """The drum: calls of the week that an agent took, from the rows as they are now."""
    start = datetime.combine(week, time(), clock.SHANGHAI)
    found = taken_between(place, start, start + timedelta(days=7))
    return [rules.Candidate(c.call_id, c.user_id, c.at, c.seconds, c.emergency) for c in found]


def drawn_again(plan: Plan) -> rules.Drawing:
    """The same drawing anew, for who doubts it: equal candidates and the kept seed give equal picks."""
    return _drawing(candidates(plan.place, plan.week), plan.agents, plan.week, plan.seed, plan.before)


def _drawing(
    drum: list[rules.Candidate], agents: list[int], week: date, seed: str, before: Mapping[str, tuple[int, bool]]
) -> rules.Drawing:
    """A week that lies in two months is drawn month by month."""
    picks: list[rules.Pick] = []
    short: dict[int, str] = {}
    last_month = (week + timedelta(days=6)).replace(day=1)
    for month in sorted({week.replace(day=1), last_month}):
        inside = [c for c in drum if clock.local(c.at).date().replace(day=1) == month]
        done = {agent: rules.Done(*before.get(f"{agent}:{month:%Y-%m}", (0, False))) for agent in agents}
        drawing = rules.draw(
            inside, agents, done, seed=seed, weeks=rules.weeks_left(week, month), per_week=rules.PER_WEEK if month == last_month else 0,
        )  # fmt: skip
        picks += drawing.picks
        short |= drawing.short
    return rules.Drawing(tuple(picks), short)


def _done_before(week: date) -> dict[str, tuple[int, bool]]:
    """ "agent:2026-11" → how many calls of that month were drawn before this week, and whether one was an emergency."""
    start = datetime.combine(week.replace(day=1), time(), clock.SHANGHAI)
    end = datetime.combine(week, time(), clock.SHANGHAI)
    found: dict[str, tuple[int, bool]] = {}
    for review in Review.unscoped.filter(called_at__gte=start, called_at__lt=end).exclude(state="void"):
        key = f"{review.agent_id}:{clock.local(review.called_at):%Y-%m}"
        count, emergency = found.get(key, (0, False))
        found[key] = (count + 1, emergency or review.emergency)
    return found


@transaction.atomic
def pick(*, call_id: str, by: Actor, why: str) -> Review:
    """A call chosen by hand (不定期抽查, a complaint): who chooses it judges it, but never her own."""
    _judge(by)
    if not why.strip():
        raise NotAllowed("请写明为什么要质检这通电话。", code="reason")
    call = taken_call(call_id)
    if call is None:
        raise NotAllowed("这通电话没有坐席接听，不能质检。", code="not_here")
    if call.user_id == by.user_id:
        raise NotAllowed("不能质检自己的通话，请转给另一位值班长或质检。", code="not_you")
    known = Review.objects.filter(call_id=call.id, agent_id=call.user_id).exclude(state="void").first()
    return known or _open(call_id, call.user_id, why=why.strip(), judge=by.user_id, plan=None, by=by, call=call)


def _open(
    call_id: str, agent: int, *, why: str, judge: int | None, plan: Plan | None, by: Actor, call: Taken | None = None
) -> Review:
    call = call or taken_call(call_id)
    if call is None:
        raise NotAllowed("这通电话已不在辖区内，请刷新。", code="not_here")
    now = clock.now()
    names = accounts.user_names([agent, judge or 0])
    review = Review(
        number=next_number("ZJ", clock.local(now).date()), year=clock.local(now).year, place=call.place, call_id=call.id, agent_id=agent,
        agent_name=names.get(agent, f"用户 {agent}"), seat=call.seat, emergency=call.emergency, called_at=call.at, plan=plan, why=why[:200],
        drawn_at=now, judge_id=judge, judge_name=names.get(judge or 0, ""), form=form_in_force(),
    )  # fmt: skip
    engine.begin(review, by if by is not THE_CLOCK else THE_CLOCK)
    return review


# --- judging ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def score(*, review_id: int, answers: Mapping[str, Any], comment: str, by: Actor) -> Review:
    """Fill in the form. NotAllowed names the lines that are missing; nobody judges her own call."""
    review = Review.objects.select_for_update(of=("self",)).select_related("form").get(pk=review_id)
    _fill(review, answers)
    review.comment, review.scored_by, review.scored_at = comment.strip()[:1000], by.user_id, clock.now()
    review.save()  # first: the conditions of the move look at the stored row
    engine.make(review, "score", by)
    review.judge_id, review.judge_name = by.user_id, by.name[:40]
    review.save()
    _tell(review, f"质检单 {review.number}：{review.score:g} 分，3 天内可申诉")
    return review


def _fill(review: Review, answers: Mapping[str, Any]) -> None:
    items = rules.items_of(review.form.criteria)
    if wrong := rules.missing(items, answers):
        raise NotAllowed(
            f"还有 {len(wrong)} 项没评：{'、'.join(wrong[:4])}。请逐项评分，不适用的选“不适用”。", code="needs"
        )
    result = rules.score(items, answers)
    review.answers = {i.code: answers[i.code] for i in items}
    review.score, review.fatal = result.score, list(result.fatal)
    review.accurate, review.polite = result.accurate, result.polite


@transaction.atomic
def move(
    *,
    review_id: int,
    move: str,
    by: Actor,
    note: str = "",
    judge_id: int | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Movement:
    """accept, appeal, uphold, correct (with new answers), pass_on (to `judge_id`), void."""
    review = Review.objects.select_for_update(of=("self",)).select_related("form").get(pk=review_id)
    if move == "score":
        raise NotAllowed("评分请在质检表里提交。", code="needs")
    if move == "correct":
        review.first_score = review.score
        _fill(review, answers or {})
        review.save()
    if move == "pass_on":
        _pass_on(review, judge_id)
    done = engine.make(review, move, by, note=note)
    if move == "appeal":
        review.appeal = note.strip()[:1000]
    elif move in {"uphold", "correct"}:
        review.verdict = note.strip()[:1000]
        _tell(review, f"质检单 {review.number} 复核完毕：{review.score:g} 分")
    review.save()
    return done


def _pass_on(review: Review, judge_id: int | None) -> None:
    able = {u.id: u.name for role in JUDGES for u in accounts.holders(role, place=review.place)}
    if judge_id not in able or judge_id == review.agent_id:
        raise NotAllowed("请选另一位值班长或质检，不能是通话的坐席本人。", code="needs")
    review.judge_id, review.judge_name = judge_id, able[judge_id]


def _tell(review: Review, text: str) -> None:
    notices.send(
        to=To(review.agent_name, user_id=review.agent_id), template="page_quality", data={"text": text}, channel="platform",
        key=f"review:{review.pk}:{review.nth}", place=review.place, ref=f"review:{review.pk}",
    )  # fmt: skip


# --- complaints -------------------------------------------------------------------------------------------------------


@transaction.atomic
def complain(
    *, by: Actor, source: str, about: str, content: str, place: str, call_id: str = "", name: str = "", contact: str = "", wish: str = "",
    agent_id: int | None = None, elder_id: int | None = None,
) -> Complaint:  # fmt: skip
    """Write down what a client is not content with (来电、来信、网络、转来). Talking comes first; the clock runs."""
    if source not in SOURCES or about not in ABOUT:
        raise NotAllowed("请选择来源和涉及的方面。", code="needs")
    if not content.strip():
        raise NotAllowed("请写明客户的意见。", code="needs")
    call = known_call(call_id) if call_id else None
    if call_id and call is None:
        raise NotAllowed("没有这通电话，或不在您的辖区。", code="not_here")
    now = clock.now()
    complaint = Complaint(
        number=next_number("TS", clock.local(now).date()), year=clock.local(now).year, place=call.place if call else place, source=source,
        about=about, call_id=call.id if call else None, agent_id=agent_id or (call.user_id if call and about == "agent" else None),
        elder_id=elder_id or (call.elder_id if call else None), name=name.strip()[:60], contact=contact.strip()[:60],
        content=content.strip()[:2000], wish=wish.strip()[:500], opened_at=now, opened_by=by.name[:60],
    )  # fmt: skip
    engine.begin(complaint, by)
    return complaint


@transaction.atomic
def complaint_move(*, complaint_id: int, move: str, by: Actor, note: str = "", valid: bool | None = None) -> Movement:
    """talked_out, formal, answer (with `valid`: was it true), content, not_content."""
    complaint = Complaint.objects.select_for_update(of=("self",)).get(pk=complaint_id)
    if move == "answer" and valid is None:
        raise NotAllowed("请选择投诉是否属实，再登记答复。", code="needs")
    done = engine.make(complaint, move, by, note=note)
    now = clock.now()
    if move == "formal":
        complaint.formal_at = complaint.formal_at or now
    elif move == "answer":
        complaint.valid, complaint.answered_at, complaint.outcome = valid, now, note.strip()[:1000]
    elif complaint.now_in.is_final:
        complaint.closed_at = now
        complaint.outcome = complaint.outcome or note.strip()[:1000]
    complaint.save()
    return done


@transaction.atomic
def complaint_tick(*, complaint_id: int, duty: str, by: Actor, note: str = "") -> Movement:
    """Both sides are heard, each ticked by itself."""
    return engine.tick(Complaint.objects.get(pk=complaint_id), duty, by, note=note)


# --- the clock presses ------------------------------------------------------------------------------------------------


@transaction.atomic
def forget(*, elder_id: int, home_id: int = 0, home_empty: bool = False) -> int:
    """A person's data are deleted: her complaints and the audits of her calls keep figures and verdicts and lose every word.

    How many complaints. One that is still open refuses. Call it before `calls` forgets whose the calls were.
    """
    calls = calls_of_person(elder_id=elder_id, home_id=home_id if home_empty else None)
    with seen_by(EVERYWHERE):
        complaints = Complaint.objects.filter(Q(elder_id=elder_id) | Q(call__in=calls))
        ended = [state.name for state in COMPLAINT.states if state.is_final]
        if open_one := complaints.exclude(state__in=ended).first():
            raise NotAccepted(f"投诉 {open_one.number} 还没有办结，办结以后才能删除个人信息")
        reviews = Review.objects.filter(call__in=calls)
        theirs, audits = (list(rows.values_list("pk", flat=True)) for rows in (complaints, reviews))
        forgetting.empty(complaints, keep={"state", "number", "place", "opened_by"})
        Complaint.objects.filter(pk__in=theirs).update(elder_id=None)
        for review in reviews:
            review.comment = review.appeal = review.verdict = ""
            review.why, review.answers = forgetting.FORGOTTEN, forgetting.codes(review.answers)
            review.save(update_fields=["comment", "appeal", "verdict", "why", "answers"])
    forgetting.story(COMPLAINT.name, theirs)
    forgetting.story(REVIEW.name, audits)
    notices.forget(refs=[f"complaint:{pk}" for pk in theirs] + [f"review:{pk}" for pk in audits])
    return len(theirs)


def page_judge(review: Review, movement: Movement) -> None:
    """An audit or an appeal waits too long: who judges it is told, and the leads when nobody does."""
    people = {review.judge_id: review.judge_name} if review.judge_id and review.state == "drawn" else {}
    if not people:
        people = {u.id: u.name for u in accounts.holders(Role.LEAD, place=review.place)}
    _page(
        people,
        f"质检单 {review.number}（{review.agent_name}）：{review.state_label}已超过时限，请办理",
        f"review:{review.pk}",
        movement,
        review.place,
    )


def page_leads(complaint: Complaint, movement: Movement) -> None:
    """A complaint waits too long."""
    people = {u.id: u.name for u in accounts.holders(Role.LEAD, place=complaint.place)}
    _page(
        people,
        f"投诉 {complaint.number}：{complaint.state_label}已超过时限，请办理",
        f"complaint:{complaint.pk}",
        movement,
        complaint.place,
    )


def _page(people: Mapping[int, str], text: str, ref: str, movement: Movement, place: str) -> None:
    for user_id, name in sorted(people.items()):
        notices.send(
            to=To(name, user_id=user_id), template="page_quality", data={"text": text}, channel="platform",
            key=f"{ref}:{movement.nth}:{user_id}", place=place, ref=ref,
        )  # fmt: skip
