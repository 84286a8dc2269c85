"""The demo's fortnight of duties round the clock, with one gap to be seen, signed hand-overs, skills, and two experts by hours."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.calls import actions as calls
from anju.kernel import clock
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.staff import actions, queries
from anju.staff.rules import SHIFTS, SKILLS
from anju.town import ids, land

CREWS = {"夜班": ("lead3", "agent3"), "早班": ("lead1", "agent1", "dispatcher1"), "中班": ("lead2", "agent2")}
"""Who works which shift; the lead takes calls as well."""
POSTS = {"lead": "lead", "agent": "agent", "dispatcher": "dispatcher"}
ILL = (9, "agent3")
"""On this day of the fortnight she is away and nobody was found yet: the page shows what that means."""
TRAINED = {
    "rescue": {"lead1": 9, "lead2": 8, "lead3": 8, "agent1": 7, "agent2": 6, "agent3": 6},
    "fire": {"lead1": 8, "lead2": 8, "agent3": 5, "lead3": 7},
    "health": {"agent1": 8, "agent2": 7, "agent3": 6, "lead1": 6},
    "care": {"agent1": 6, "agent2": 8, "agent3": 7, "lead2": 5},
}
WORDS = (
    "本班来电平稳。何家老人昨夜试机一次，已核对资料；荷汀花园 6 幢门磁失联，已派装维，明早上门。待回拨 0 通，人员齐。",
    "晚间 2 起误碰，均已回访。1017 席耳机有杂音，备用机在 2 号柜。周阿根老人住院停机，联系人已告知居委。",
    "夜间 1 起紧急，送医，家属已到；3 天内回访已排。机房 UPS 自检正常。",
)


def make() -> int:
    """Duties of this week and the next that are missing; answers how many."""
    users = {u.username: u for u in User.objects.filter(username__in=[n for crew in CREWS.values() for n in crew])}
    lead = users.get("lead1")
    if lead is None:
        return 0
    by, made = accounts.actor_of(lead), 0
    for day in range(-1, 14):
        for name, first, last in SHIFTS:
            start, end = (_monday() + timedelta(days=day, hours=h) for h in (first, last))
            for person in CREWS[name]:
                if (day, person) == ILL or person not in users:
                    continue
                made += _plan(by, users[person].pk, POSTS[person.rstrip("0123456789")], start, end, name)
    for code, members in TRAINED.items():
        levels = {users[name].pk: level for name, level in members.items() if name in users}
        calls.put_skill(by=THE_PLATFORM, code=code, name=SKILLS[code], members=levels)
    _hand_overs(users)
    _experts(by)
    return made


def _monday() -> datetime:
    today = clock.today()
    return datetime.combine(today - timedelta(days=today.weekday()), time(), clock.SHANGHAI)


def _plan(by: Actor, user_id: int, post: str, start: datetime, end: datetime, shift: str) -> int:
    try:
        actions.plan(by=by, place=land.DISTRICT, user_id=user_id, post=post, start=start, end=end, shift=shift)
    except NotAllowed:  # planned already
        return 0
    return 1


def _hand_overs(users: dict[str, User]) -> None:
    """The last three shifts were handed over and signed."""
    if queries.hand_overs(limit=1):
        return
    now, order = clock.local(clock.now()), [crew[0] for crew in (CREWS[name] for name, _, _ in SHIFTS)]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = [
        (n, midnight + timedelta(days=day, hours=last))
        for day in (-2, -1, 0)
        for n, (_, _, last) in enumerate(SHIFTS)
        if midnight + timedelta(days=day, hours=last, minutes=10) < now
    ]
    for words, (n, end) in zip(WORDS, ends[-3:], strict=False):
        leaving, coming = (accounts.actor_of(users[order[k % 3]]) for k in (n, n + 1))
        with clock.pretend(end - timedelta(minutes=20)):
            sheet = actions.begin_hand_over(place=land.DISTRICT, ends_at=end, from_lead_id=leaving.user_id)
        with clock.pretend(end - timedelta(minutes=4)):
            figures = {"未结事件": n, "排队来电": 0, "待回拨": 0, "在线坐席": 2, "失约待跟进": 0}
            actions.offer(by=leaving, hand_over_id=sheet.pk, text=words, facts=figures)
        with clock.pretend(end + timedelta(minutes=3)):
            actions.take(by=coming, hand_over_id=sheet.pk)


def _experts(by: Actor) -> None:
    if queries.experts():
        return
    weekdays = {str(day): [["09:00", "11:30"], ["14:00", "16:30"]] for day in range(5)}
    actions.save_expert(by=by, place=land.DISTRICT, name="唐之远", field="doctor", hours=weekdays, phone=ids.mobile(70),
                        unit="望潮区第一医院")  # fmt: skip
    actions.save_expert(by=by, place=land.DISTRICT, name="许若谷", field="lawyer", hours={"1": [["14:00", "17:00"]]},
                        phone=ids.mobile(71), unit="望潮区法律援助中心")  # fmt: skip
