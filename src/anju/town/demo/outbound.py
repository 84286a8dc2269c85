"""What the demo centre rings by itself: a few plans with a week of calls, one campaign that is over, one that is planned. All invented.

The next call of every plan is tomorrow or later, early in the day: a fresh demo rings nobody while somebody looks at it. One
call waits for an agent, so that the desk's list shows what that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.calls.campaigns import actions as campaigns
from anju.calls.campaigns import rules
from anju.calls.campaigns.actions.past import PastPerson, put_results
from anju.calls.planned import actions as planned
from anju.calls.planned.actions.past import PastPlanned, put_past
from anju.calls.planned.rules import is_day
from anju.kernel import clock
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.town import ids, land

STAFF = ("agent1", "agent2", "lead1")
DAYS = 7


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan: whose (of the demo's people), what, when, and the days (ago) on which it did not go as usual."""

    who: int
    kind: str
    at: time
    days: str
    says: str = ""
    odd: tuple[tuple[int, str], ...] = ()
    paused: bool = False


PLANS = (
    Plan(2, "wake", time(6, 30), "daily", "", ((3, "reached"),)),
    Plan(6, "medicine", time(7, 40), "daily", "早饭后吃降压药，一片。", ((5, "missed"), (1, "reached"))),
    Plan(9, "medicine", time(7, 50), "daily", "饭前量血糖，再打针。", ((2, "skipped"),)),
    Plan(14, "care", time(9, 0), "weekdays", "", ((4, "reached"),)),
    Plan(21, "care", time(9, 10), "weekly", "降温了，窗户关好，出门多穿一件。", ((7, "missed"),)),
    Plan(25, "reminder", time(8, 30), "weekly", "今天下午两点社区义诊，带好医保卡。", paused=True),
)
HOW = {
    "well": PastPlanned(date.min, "well"),
    "reached": PastPlanned(
        date.min,
        "reached",
        2,
        "机器人拨了 2 次，没有按键应答",
        "calm",
        "想装床边扶手",
        "手机在客厅充电没听到，人好，已起床。",
    ),
    "missed": PastPlanned(date.min, "missed", 3, "坐席也没有联系上，共拨 3 次", note="邻居说在楼下晒太阳，改天再问。"),
    "skipped": PastPlanned(date.min, "skipped", 0, "外出居住"),
}


def make(people: list[tuple[int, int, str, str, str]], until: datetime) -> int:
    """Plans with their week, and the campaigns; how many calls and people are in them."""
    by = {u.username: accounts.actor_of(u) for u in User.objects.filter(username__in=STAFF)}
    if len(by) < len(STAFF) or len(people) <= max(p.who for p in PLANS):
        return 0
    today = clock.local(until).date()
    made = sum(_plan(plan, people[plan.who][1], today, by["agent1"], by["lead1"]) for plan in PLANS)
    planned.ask(
        kind="care", ref="demo:care", elder_id=people[4][1], at=until, way="agent", says="出院第三天，问问伤口和吃饭。"
    )
    return made + _health_check(people, until, by["lead1"]) + _fire_safety(today, by["lead1"])


def _plan(it: Plan, elder_id: int, today: date, by: Actor, lead: Actor) -> int:
    first = today - timedelta(days=DAYS - 1 if it.days == "weekly" else DAYS)
    try:
        row = planned.plan(
            by=by, elder_id=elder_id, kind=it.kind, at=it.at, first=first, days=it.days, says=it.says, gap_minutes=10
        )
    except NotAllowed:  # suspended, or without a telephone, in this demo
        return 0
    odd = dict(it.odd)
    past = [
        today - timedelta(days=ago) for ago in range(DAYS, 0, -1) if is_day(it.days, first, today - timedelta(days=ago))
    ]
    calls = [_past(day, odd.get((today - day).days, "well"), lead.user_id) for day in past]
    if it.days == "weekly" and odd:
        calls = [_past(past[0], next(iter(odd.values())), lead.user_id)] if past else []
    made_at = datetime.combine(first - timedelta(days=1), time(15, 20), clock.SHANGHAI)
    put_past(plan_id=row.pk, made_at=made_at, calls=calls)
    if it.paused:
        planned.pause(by=by, plan_id=row.pk)
    return len(calls)


def _past(day: date, result: str, user_id: int | None) -> PastPlanned:
    as_it_was = HOW[result]
    return PastPlanned(
        day, result, as_it_was.tried, as_it_was.why, as_it_was.mood, as_it_was.needs, as_it_was.note,
        user_id if as_it_was.note else None,
    )  # fmt: skip


def _health_check(people: list[tuple[int, int, str, str, str]], until: datetime, lead: Actor) -> int:
    """A robots' campaign of three days ago: most answered, some were not reached, some left out, two without a file."""
    began = clock.local(until - timedelta(days=3)).replace(hour=9, minute=0, second=0, microsecond=0)
    day, dice = began.date(), Random(23)
    with clock.pretend(began):
        row = campaigns.made(
            by=lead, place=land.DISTRICT,
            it=rules.Wanted(
                "秋季免费体检", "区卫健局体检通知，统计参加人数和接送需要", "robot", "周六上午社区卫生服务站免费体检，空腹来，您参加吗",
                {"1": "参加", "3": "不参加", "4": "参加，要接送"}, day, day, time(9), time(17), 2, 2, 60,
            ),
        )  # fmt: skip
    ends = (
        ("done", {"key": "1", "answered": True}), ("done", {"key": "1", "answered": True}), ("done", {"key": "3", "answered": True}),
        ("done", {"key": "4", "answered": True, "tried": 2}), ("missed", {"tried": 2, "why": "没有按键应答"}),
        ("missed", {"tried": 2, "why": "没有按键应答", "answered": True}), ("done", {"key": "1", "answered": True, "tried": 2}),
        ("left_out", {"tried": 0, "why": "外出居住", "put_off": 16}), ("done", {"key": "2", "answered": True}),
        ("done", {"key": "1", "answered": True}), ("done", {"key": "9", "answered": True}), ("done", {"key": "3", "answered": True}),
    )  # fmt: skip
    some: list[PastPerson] = []
    each = list({number: elder_id for _, elder_id, _, _, number in people}.items())  # one line for a number
    for n, (_, elder_id) in enumerate(each[:34]):
        state, more = ends[n] if n < len(ends) else dice.choice(ends[:7])
        some.append(PastPerson(state, began + timedelta(minutes=2 + n * 7), elder_id, **more))  # type: ignore[arg-type]
    some += [
        PastPerson("done", began + timedelta(minutes=250), name="俞阿姨", number=ids.mobile(8501), key="1", answered=True),
        PastPerson("missed", began + timedelta(minutes=260), name="章先生", number=ids.mobile(8502), tried=2, why="没有按键应答"),
    ]  # fmt: skip
    with clock.pretend(began + timedelta(hours=5)):
        return put_results(campaign_id=row.pk, people=some)


def _fire_safety(today: date, lead: Actor) -> int:
    """An agents' campaign that is planned: its list stands, nobody has started it."""
    row = campaigns.made(
        by=lead, place=land.DISTRICT,
        it=rules.Wanted(
            "冬季取暖安全提醒", "冬防：问清取暖方式，劝停炭火", "agent", "您家现在用什么取暖？炭火不要过夜，热水袋不要贴身，有情况随时按呼叫器。",
            {"1": "空调或地暖", "3": "电热毯", "4": "炭火，要上门"}, today + timedelta(days=3), today + timedelta(days=10), time(9), time(17),
        ),
    )  # fmt: skip
    try:
        return campaigns.put_elders(by=lead, campaign_id=row.pk, from_age=85)[0]
    except NotAllowed:  # nobody is as old in this demo
        return 0
