"""The demo's week of duties, with the gaps that a small centre has, and two experts by hours."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.staff import actions, queries
from anju.town import ids, land

SHIFTS = (
    ("lead1", "lead", 8, 16),
    ("agent1", "agent", 8, 16),
    ("agent2", "agent", 16, 24),
    ("dispatcher1", "dispatcher", 8, 16),
)


def make() -> int:
    """Duties of this week and the next that are missing; answers how many."""
    users = {u.username: u for u in User.objects.filter(username__in=[s[0] for s in SHIFTS])}
    lead = users.get("lead1")
    if lead is None:
        return 0
    by, today, made = accounts.actor_of(lead), clock.today(), 0
    monday = datetime.combine(today - timedelta(days=today.weekday()), time(), clock.SHANGHAI)
    for day in range(14):
        for name, post, first, last in SHIFTS:
            start, end = (monday + timedelta(days=day, hours=h) for h in (first, last))
            try:
                actions.plan(
                    by=by, place=land.DISTRICT, user_id=users[name].pk, post=post, start=start, end=end,
                    shift="早班" if first == 8 else "中班",
                )  # fmt: skip
                made += 1
            except (NotAllowed, KeyError):
                continue
    if not queries.experts():
        weekdays = {str(day): [["09:00", "11:30"], ["14:00", "16:30"]] for day in range(5)}
        actions.save_expert(by=by, place=land.DISTRICT, name="唐之远", field="doctor", hours=weekdays, phone=ids.mobile(70),
                            unit="望潮区第一医院")  # fmt: skip
        actions.save_expert(by=by, place=land.DISTRICT, name="许若谷", field="lawyer", hours={"1": [["14:00", "17:00"]]},
                            phone=ids.mobile(71), unit="望潮区法律援助中心")  # fmt: skip
    return made
