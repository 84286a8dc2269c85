"""The course of a planned call: written before its time, decided when it is due, dialled at most once at a time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.calls.exchange import NEVER_BY_ITSELF
from anju.calls.models import Call
from anju.calls.planned import queries, rules
from anju.calls.planned.facts import PlannedCallOver
from anju.calls.planned.models import CallPlan, PlannedCall
from anju.calls.rules import dialable, has_extension
from anju.calls.scripts import queries as scripts
from anju.elders import queries as elders
from anju.kernel import clock, facts, hooks
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor
from anju.kernel.scope import EVERYWHERE, seen_by

if TYPE_CHECKING:
    from anju.elders.models import Elder
    from anju.kernel.models import Movement

TOO_LATE = "过了当天的时段"
NO_LINE = "演示没有外线"
SOON, WHILE_EMERGENCY = timedelta(minutes=1), timedelta(minutes=10)
OPEN = ("waiting", "due", "ringing", "agent")
RESULT_OF_STATE = {"skipped": "skipped", "missed": "missed", "raised": "raised", "called_off": "called_off"}


@transaction.atomic
def ask(
    *, kind: str, ref: str, elder_id: int, at: datetime, says: str = "", way: str = "robot", tries: int = 2, gap_minutes: int = 30
) -> PlannedCall | None:  # fmt: skip
    """The port for other modules: one call at `at`, written now. Asked again while it is open, it answers with the same.

    `ref` names the matter ("repair:7"); what came of it is announced as PlannedCallOver. None without such an elder.
    """
    with seen_by(EVERYWHERE):
        known = PlannedCall.objects.filter(ref=ref, state__in=OPEN).first() if ref else None
        elder = elders.elder(elder_id)
        if known is not None or elder is None:
            return known
        call = PlannedCall(
            place=elder.home.place, elder_id=elder.pk, home_id=elder.home_id, kind=kind, way=way, ref=ref, says=says, agreed_at=at,
            call_at=at, latest=rules.latest(kind, at, tries, timedelta(minutes=gap_minutes)), tries=tries, gap_minutes=gap_minutes,
        )  # fmt: skip
        engine.begin(call, THE_CLOCK)
        return call


@transaction.atomic
def ask_now(
    *, ref: str, place: str, says: str, way: str, latest: datetime, elder_id: int | None, home_id: int | None, name: str = "",
    number: str = "", why: str = "",
) -> PlannedCall:  # fmt: skip
    """The port of campaigns: one try, now, of somebody with a file or of a number without one. Lines are given to others first.

    It ends at the latest at `latest`; what came of it is announced as PlannedCallOver, perhaps before this returns. Who is away, in
    need or in a call now is not rung (missed, not tried): the campaign asks again.
    """
    now = clock.now()
    with seen_by(EVERYWHERE):
        call = PlannedCall(
            place=place, elder_id=elder_id, home_id=home_id, kind=rules.CAMPAIGN, way=way, ref=ref, says=says, agreed_at=now, call_at=now,
            latest=latest, tries=1, gap_minutes=3, name=name, number=number, why=why,
        )  # fmt: skip
        engine.begin(call, THE_CLOCK)
        engine.make(call, "due", THE_CLOCK)
        return call


def write_next(plan: CallPlan) -> PlannedCall | None:
    """Write the next call of a plan before its time; None when it stands already or the plan is over. Never two for a day."""
    with seen_by(EVERYWHERE), transaction.atomic():
        plan = CallPlan.objects.select_for_update().get(pk=plan.pk)
        days = PlannedCall.objects.filter(plan=plan)
        if plan.ended_at is not None or days.filter(state="waiting").exists():
            return None
        last = days.order_by("-on").values_list("on", flat=True).first()
        at = _next_moment(plan, last)
        if at is None:
            return None
        call = PlannedCall(
            plan=plan, on=at.date(), place=plan.place, elder_id=plan.elder_id, home_id=plan.home_id, kind=plan.kind, way=plan.way,
            says=plan.says, agreed_at=at, call_at=at, latest=rules.latest(plan.kind, at, plan.tries, timedelta(minutes=plan.gap_minutes)),
            tries=plan.tries, gap_minutes=plan.gap_minutes,
        )  # fmt: skip
        engine.begin(call, THE_CLOCK)
        return call


def _next_moment(plan: CallPlan, last: date | None) -> datetime | None:
    """The next moment of the plan that is still to come, in the centre's time."""
    after = max(last or plan.first - timedelta(days=1), clock.today() - timedelta(days=1))
    while (day := rules.next_day(plan.days, plan.first, plan.until, after)) is not None:
        at = datetime.combine(day, plan.at, clock.SHANGHAI)
        if at > clock.now():
            return at
        after = day
    return None


def write_ahead() -> int:
    """The net of every hour: plans whose next call is not written get it; how many."""
    with seen_by(EVERYWHERE):
        plans = CallPlan.objects.filter(ended_at=None).exclude(calls__state="waiting")
        return sum(write_next(p) is not None for p in plans.distinct())


# ---- when it is due --------------------------------------------------------------------------------------------------


def decide(call: PlannedCall) -> None:
    """Its time has come (or a try failed): dial, wait, leave it, or give it to a person. Every way leads out of `due`."""
    with seen_by(EVERYWHERE), transaction.atomic():
        elder = elders.elder(call.elder_id) if call.elder_id else None
        move, why, until = _decided(call, elder)
        if not (call.kind == rules.CAMPAIGN and move == "hand_over"):  # there it says which agent took it
            call.why = why[:60]
        if until is not None:
            call.call_at = until
        if move == "dial":
            _dial(call, elder)
        call.save(update_fields=["why", "call_at", "tried", "last_call_id"])
        engine.make(call, move, THE_CLOCK, note=why)


Answer = tuple[str, str, datetime | None]
"""The move, why, and (for put_off) until when."""


def _decided(call: PlannedCall, elder: Elder | None) -> Answer:
    """The order of the questions is the order of what matters."""
    now = clock.now()
    return _to_whom(call, elder, now) or _whether_now(call, now) or _can_dial(call, elder, now)


def _to_whom(call: PlannedCall, elder: Elder | None, now: datetime) -> Answer | None:
    """Nobody, a person, or (None) the robot."""
    if call.last_call_id is not None and _is_up(str(call.last_call_id)):
        return "put_off", "上一通还没有结束", now + SOON
    if reason := _not_to_be_called(call, elder):
        return "skip", reason, None
    if call.kind == rules.CAMPAIGN:
        later = queries.why_later(home_id=call.home_id, number=dialable(_number(call, elder)), place=call.place)
        if call.tried or later:  # its campaign tries again
            return "give_up", "没有按键应答" if call.tried else later, None
    if call.tried >= call.tries:
        return "hand_over", f"机器人拨了 {call.tried} 次，没有按键应答", None
    return ("hand_over", "约定由坐席拨打", None) if call.way == "agent" else None


def _whether_now(call: PlannedCall, now: datetime) -> Answer | None:
    """Later, too late, or (None) now."""
    if now < call.call_at:
        return "put_off", "没有应答，稍后再拨", call.call_at
    if _emergency(call):
        late = now + WHILE_EMERGENCY > call.latest
        return ("skip", "家里有事件在处置", None) if late else ("put_off", "家里有事件在处置", now + WHILE_EMERGENCY)
    if now > call.latest and call.kind == rules.CAMPAIGN:
        return "give_up", TOO_LATE, None
    if now > call.latest:
        return "hand_over", "过了约定时间，机器人没能拨出", None
    local, night = clock.local(now), queries.night_at(call.place)
    return (
        ("put_off", "夜间不打扰", rules.quiet_ends(local, night))
        if rules.quiet(call.kind, local.time(), night)
        else None
    )


def _can_dial(call: PlannedCall, elder: Elder | None, now: datetime) -> Answer:
    said, campaign = _number(call, elder), call.kind == rules.CAMPAIGN
    number, behind = dialable(said), has_extension(said)
    if not number or number in NEVER_BY_ITSELF or behind:
        why = "带分机的号码机器人拨不了" if behind else "没有能拨的号码" if campaign else "档案里没有能拨的号码"
        return ("skip" if campaign else "hand_over"), why, None
    if not scripts.robots_dial() or scripts.no_line():
        why = NO_LINE if scripts.robots_dial() else "电话系统不能拨出"
        return ("put_off", why, now + WHILE_EMERGENCY) if campaign else ("hand_over", f"{why}，请用手边的电话", None)
    if call_queries.live_with(number):
        return "put_off", "她的电话正在通话", now + 3 * SOON
    if not _room(call.kind):
        return "put_off", "线路先让给来电", now + SOON
    return "dial", "", None


def _number(call: PlannedCall, elder: Elder | None) -> str:
    return elder.phone if elder is not None else call.number


def _is_up(call_id: str) -> bool:
    return Call.objects.filter(call_id=call_id).exclude(state="ended").exists()


def _not_to_be_called(call: PlannedCall, elder: Elder | None) -> str:
    if call.plan is not None and call.plan.paused_at is not None:
        return "计划已暂停"
    if elder is None:
        return "" if call.number else "档案已不在"
    if elder.status == "ended" or (elder.status != "approved" and call.kind != "follow_up"):
        return "停机或服务已停止"
    away = None if call.kind == rules.CAMPAIGN else hooks.ask("home_away")  # of a campaign: later, see why_later
    return str(away(call.home_id)) if away is not None and call.home_id is not None else ""


def _emergency(call: PlannedCall) -> bool:
    busy = hooks.ask("home_has_case")
    return bool(busy is not None and busy(call.home_id))


def _room(kind: str) -> bool:
    """Whether a robot may take one more line: callers who wait come first, and most lines stay free for them.

    A campaign takes the last line of the robots only where there is but one, and none while another planned call is due.
    """
    if Call.objects.filter(direction="in", state__in=["arrived", "queued", "offered"]).exists():
        return False
    lines = int(settings.ANJU_PLANNED_CALLS_AT_ONCE)
    ringing = PlannedCall.objects.filter(state="ringing").count()
    if kind != rules.CAMPAIGN:
        return ringing < lines
    others = PlannedCall.objects.filter(state__in=["waiting", "due"], call_at__lte=clock.now() + SOON, way="robot")
    return ringing < min(lines, max(1, lines - 1)) and not others.exclude(kind=rules.CAMPAIGN).exists()


def _dial(call: PlannedCall, elder: Elder | None) -> None:
    """The intent of the robot's call is written in this transaction; it is dialled once, after the commit."""
    call.tried += 1
    if elder is None:
        row = calls.robot_call(
            number=dialable(call.number), whom=call.name, purpose="other", ref=call.ref, place=call.place, script="elder_check",
            says=call.says, says_after_key="好的，这就为您转接坐席。",
        )  # fmt: skip
    elif call.kind == "follow_up":
        row = calls.survey(
            number=dialable(elder.phone), whom=elder.name, ref=call.ref, place=call.place, what=call.says or "本次服务", elder_id=elder.pk
        )  # fmt: skip
    else:
        row = calls.robot_call(
            number=dialable(elder.phone), whom=elder.name, purpose="elder_check", ref=f"home:{call.home_id}", place=call.place,
            script="elder_check", says=rules.spoken(call.kind, clock.local(clock.now()).time(), call.says),
            says_after_key="好的，这就为您转接坐席。", home_id=call.home_id, elder_id=elder.pk,
        )  # fmt: skip
    call.last_call_id = row.call_id


# ---- what the telephone tells ----------------------------------------------------------------------------------------


def key_pressed(*, call_id: str, digit: str) -> None:
    """Her key: 1 she is well, 2 or 0 she wants a person (the case and the seat are others' work, and done already)."""
    move = {"1": "well", "2": "help", "0": "help"}.get(digit)
    with seen_by(EVERYWHERE), transaction.atomic():
        call = _ringing(call_id)
        if call is None or call.kind == "follow_up":
            return
        if call.kind == rules.CAMPAIGN and digit in set("0123456789"):  # every other key is an answer to its question
            move = move or "well"
            call.key = digit
            call.save(update_fields=["key"])
        if move:
            engine.make(call, move, THE_CLOCK, note=f"按键 {digit}")


def call_ended(*, call_id: str) -> None:
    """The robot's call is over: what was pressed as a mark counts; otherwise it is tried again, or a person rings."""
    with seen_by(EVERYWHERE), transaction.atomic():
        call = _ringing(call_id)
        if call is None:
            return
        survey = scripts.survey_of(call_id)
        if survey is not None:
            call.score = survey.score
            call.why = "" if survey.score >= rules.CONTENT else f"按键评价 {survey.score} 分，请问问哪里不满意"
            call.save(update_fields=["score", "why"])
            engine.make(
                call,
                "scored" if survey.score >= rules.CONTENT else "not_content",
                THE_CLOCK,
                note=f"按键 {survey.score}",
            )
            return
        call.call_at = clock.now() + timedelta(minutes=call.gap_minutes)
        call.save(update_fields=["call_at"])
        engine.make(call, "not_reached", THE_CLOCK)


def _ringing(call_id: str) -> PlannedCall | None:
    rows = PlannedCall.objects.select_for_update(of=("self",))
    return rows.filter(last_call_id=call_id, state="ringing").first()


def call_off(*, ref: str, by: Actor = THE_CLOCK, why: str = "") -> int:
    """The matter is settled otherwise: its open calls end; how many."""
    with seen_by(EVERYWHERE), transaction.atomic():
        rows = list(PlannedCall.objects.filter(ref=ref, state__in=OPEN)) if ref else []
        for call in rows:
            engine.make(call, "call_off", by, note=why)
        return len(rows)


def call_off_unless_up(refs: Collection[str], *, why: str) -> int:
    """The same for many matters at once; calls that are up go on to their end."""
    with seen_by(EVERYWHERE), transaction.atomic():
        rows = list(PlannedCall.objects.filter(ref__in=refs, state__in=["waiting", "due", "agent"]))
        for call in rows:
            engine.make(call, "call_off", THE_CLOCK, note=why)
        return len(rows)


def after_move(call: PlannedCall, done: Movement) -> None:
    """Listener of every move: results, the news, and the next call of the plan, written as soon as this one is due."""
    if done.move == "due" and call.plan is not None:
        write_next(call.plan)
    if call.now_in.is_final and not call.result:
        call.result = RESULT_OF_STATE.get(call.state) or (
            done.move if done.move in {"well", "help", "scored"} else "reached"
        )
        call.done_at = clock.now()
        call.save(update_fields=["result", "done_at"])
        _over(call)
    if done.move not in {"due", "look_again"}:
        changed("planned", call.pk, call.place)


def _over(call: PlannedCall) -> None:
    facts.announce(PlannedCallOver(call.pk, call.kind, call.ref, call.result, call.score, call.place))
    plan = call.plan
    if plan is None or plan.ended_at is not None:
        return
    if write_next(plan) is None and not PlannedCall.unscoped.filter(plan=plan, state__in=OPEN).exists():
        CallPlan.objects.filter(pk=plan.pk, ended_at=None).update(ended_at=clock.now(), ended_by="平台")
