"""A month of the demo centre's calls, its weekly audits and two grievances, so that figures and lists show something. All invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.calls import actions as calls
from anju.calls.actions.past import PastCall, put_past
from anju.calls.levels import actions as levels
from anju.calls.queries import listing
from anju.calls.recordings import actions as recordings
from anju.elders import lists
from anju.elders import queries as elders
from anju.kernel import clock
from anju.kernel.flow.actor import THE_CLOCK, Actor
from anju.supervision import actions, queries
from anju.town import babble, ids, land

DAYS = 30
RECORDED, DRAWN, LONGEST = 12, 7, 150
"""So many calls can be heard, so many of them drawn for audit (the others may be picked), of at most so many seconds: a few megabytes."""
SEATED = ("agent3", "agent1", "agent2", "lead3", "lead1", "lead2")
"""Agents and leads by the shift of eight hours that they work."""
WHATS = (
    ("问药量，查档案后答复", "咨询"), ("忘记缴费日期，已告知", "咨询"), ("按错了，人没事", "误按"), ("睡不着，陪聊十分钟", "关怀"),
    ("要换电池，已派单", "咨询"),
    ("头晕，联系女儿上门", "求助"), ("问食堂送餐", "咨询"), ("门锁打不开，联系物业", "求助"),
)  # fmt: skip
DOORS = (2, 1, 1, 1, 1, 2, 4, 9, 14, 16, 14, 12, 10, 9, 10, 11, 10, 9, 8, 8, 7, 6, 4, 3)
"""How many calls come in at each hour, in shares."""


def make(people: list[tuple[int, int, str, str, str]]) -> int:
    """Calls of the last month by these people (home, elder, name, place, number); answers how many."""
    users = {u.username: u for u in User.objects.filter(username__in=[*SEATED, "quality1"])}
    if len(users) <= len(SEATED) or not people:
        return 0
    calls.ensure_queues()
    dice, today, now = Random(11), clock.today(), clock.now()
    history = [one for n in range(DAYS, -1, -1) for one in _day(today - timedelta(days=n), dice, users, people)]
    history += [
        replace(_incoming(now - timedelta(minutes=ago), dice, _at_work(clock.local(now).hour, users, dice), people), emergency=False, queue="service")
        for ago in (13, 9, 6)
    ]  # fmt: skip
    made = put_past(one for one in history if one.ended_at < now)
    _moves(users, now)
    _audits(dice, users, today)
    _recordings()
    _grievances(users, today)
    return made


def _day(
    day: date, dice: Random, users: dict[str, User], people: list[tuple[int, int, str, str, str]]
) -> list[PastCall]:
    found = []
    for _ in range(dice.randint(9, 16) if day.weekday() < 5 else dice.randint(6, 10)):
        hour = dice.choices(range(24), DOORS)[0]
        at = datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), clock.SHANGHAI)
        found.append(_incoming(at, dice, _at_work(hour, users, dice), people))
    for _ in range(dice.randint(2, 5)):
        at = datetime.combine(day, time(dice.randint(9, 16), dice.randrange(60)), clock.SHANGHAI)
        found.append(_outgoing(at, dice, _at_work(at.hour, users, dice), people))
    return found


def _at_work(hour: int, users: dict[str, User], dice: Random) -> User:
    agent, lead = SEATED[hour // 8], SEATED[3 + hour // 8]
    return users[dice.choice((agent, agent, lead))]


def _moves(users: dict[str, User], now: datetime) -> None:
    """A falling level moved a seat twice this week."""
    for days, who, taken, why in (
        (2, "agent2", True, "服务队列近 15 分钟 20 秒应答率 71.4 %，低于 80 %；紧急队列空闲 2 席"),
        (1, "lead2", False, "服务队列最久等了 52 秒，超过 45 秒"),
    ):
        user = users[who]
        levels.put_past(
            user_id=user.pk, seat_name=user.name, extension=user.seat_number, to_queue="service", why=why, at=now - timedelta(days=days, hours=3),
            taken=taken, by=users["lead2"].name,
        )  # fmt: skip


def _recordings() -> int:
    """Calls that quality is to score and the newest ones, which a lead may pick, can be heard: two voices without words. How many."""
    plan = next(iter(queries.plans(1)), None)
    drawn = [row.call_id for row in queries.picks_of(plan.pk)] if plan is not None else []
    newest = [row.call_id for row in listing.listed(limit=60, direction="in", result="answered")]
    chosen = _short(drawn, DRAWN)
    chosen += _short([one for one in newest if one not in set(drawn)], RECORDED - len(chosen))
    kept = [
        recordings.put_past(call_id=call_id, sound=babble.conversation(seconds, n))
        for n, (_, call_id, seconds) in enumerate(sorted(chosen))
    ]
    return sum(one is not None for one in kept)


def _short(call_ids: list[str], most: int) -> list[tuple[datetime, str, float]]:
    """The first of these calls that are short enough to be made up: when, which, how many seconds."""
    found: list[tuple[datetime, str, float]] = []
    for call_id in call_ids:
        one = listing.detail(call_id) if len(found) < most else None
        if one is not None and one.row.talk_seconds and one.row.talk_seconds <= LONGEST:
            found.append((one.row.arrived_at, call_id, one.row.talk_seconds))
    return found


def _incoming(at: datetime, dice: Random, user: User, people: list[tuple[int, int, str, str, str]]) -> PastCall:
    urgent, known = dice.random() < 0.25, dice.random() < 0.85
    home, elder, name, place, number = dice.choice(people)
    who: dict[str, object] = {"whom": name, "home_id": home, "elder_id": elder} if known else {}
    base = {
        "at": at, "place": place if known else land.DISTRICT, "number": number if known else ids.mobile(8000 + dice.randrange(300)),
        "queue": "emergency" if urgent else "service", "purpose": "emergency_in" if urgent else "service_in", "emergency": urgent,
    }  # fmt: skip
    if dice.random() < 0.045:
        gone = at + timedelta(seconds=dice.choice((3, 4, 21, 38, 55)))
        return PastCall(**base, **who, ended_at=gone, result="abandoned")  # type: ignore[arg-type]
    waited = dice.choices((3, 6, 9, 13, 18, 27, 64), (14, 22, 20, 16, 8, 4, 1))[0] / (2 if urgent else 1)
    answered = at + timedelta(seconds=waited)
    note, tag = dice.choice(WHATS)
    return PastCall(
        **base, **who, answered_at=answered, ended_at=answered + timedelta(seconds=dice.randint(25, 420)), user_id=user.pk, seat=user.seat_number,  # type: ignore[arg-type]
        agent=user.name, wrap=dice.randint(8, 70), resolved=dice.random() < 0.88, note=note, tags=(tag,),
        satisfaction=dice.choices((0, 5, 4, 3, 2), (45, 34, 15, 4, 2))[0] if not urgent else 0,
    )  # fmt: skip


def _outgoing(at: datetime, dice: Random, user: User, people: list[tuple[int, int, str, str, str]]) -> PastCall:
    home, elder, name, place, number = dice.choice(people)
    spoke = dice.random() < 0.8
    answered = at + timedelta(seconds=dice.randint(6, 20)) if spoke else None
    return PastCall(
        at=at, place=place, number=number, direction="out", purpose=dice.choice(("follow_up", "elder", "other")), whom=name, home_id=home,
        elder_id=elder, answered_at=answered, ended_at=(answered or at) + timedelta(seconds=dice.randint(40, 260) if spoke else 40),
        user_id=user.pk, seat=user.seat_number, agent=user.name, result="answered" if spoke else "no_answer",
    )  # fmt: skip


def _audits(dice: Random, users: dict[str, User], today: date) -> None:
    """The weeks that are over were drawn on their Mondays; all but the last are scored."""
    monday = today - timedelta(days=today.weekday())
    judge = accounts.actor_of(users["quality1"])
    for back in (4, 3, 2, 1):
        week = monday - timedelta(days=7 * back)
        drawn = datetime.combine(week + timedelta(days=7), time(5, 20), clock.SHANGHAI)
        with clock.pretend(drawn):
            plan = actions.draw_week(place=land.DISTRICT, week=week, by=THE_CLOCK, seed=f"demo{back}")
        if plan is None or back == 1:
            continue
        for n, row in enumerate(queries.picks_of(plan.pk)):
            with clock.pretend(drawn + timedelta(days=1, hours=4, minutes=7 * n)):
                actions.score(review_id=row.id, answers=_answers(dice), comment="", by=judge)
            if back > 2:  # the last week that was scored still waits for the agents
                with clock.pretend(drawn + timedelta(days=2, hours=5, minutes=3 * n)):
                    actions.move(review_id=row.id, move="accept", by=_of(users, row.agent_name))


def _of(users: dict[str, User], name: str) -> Actor:
    return next(accounts.actor_of(user) for user in users.values() if user.name == name)


def _answers(dice: Random) -> dict[str, object]:
    items = actions.form_in_force().criteria
    return {
        i["code"]: False if i.get("fatal") else max(0, i["points"] - dice.choices((0, 1, 3, 5), (70, 15, 10, 5))[0]) for i in items
    }  # fmt: skip


def _grievances(users: dict[str, User], today: date) -> None:
    """One that talking settled, and one that is being looked into."""
    agent, lead = (accounts.actor_of(users[name]) for name in ("agent1", "lead1"))
    with clock.pretend(datetime.combine(today - timedelta(days=9), time(10, 12), clock.SHANGHAI)):
        one = _complain(agent, "device", "手表充电器坏了，催了两次还没换")
        actions.complaint_move(complaint_id=one, move="talked_out", by=agent, note="当天送去新的充电器，用户满意")
    with clock.pretend(datetime.combine(today - timedelta(days=1), time(15, 40), clock.SHANGHAI)):
        two = _complain(agent, "agent", "夜里来电等了一分多钟才接")
        actions.complaint_move(complaint_id=two, move="formal", by=lead, note="沟通后仍不认可，按投诉办理")


def _complain(by: Actor, about: str, content: str) -> int:
    return actions.complain(by=by, source="phone", about=about, content=content, place=land.DISTRICT).pk


def callers(limit: int = 60) -> list[tuple[int, int, str, str, str]]:
    """People of the demo who call: home, elder, name, place, number."""
    mains = lists.mains_of([home.pk for home in elders.homes()[:limit]])
    return [
        (home, one.pk, one.name, one.home.place[:12], one.phone) for home, one in sorted(mains.items()) if one.phone
    ]
