"""What staff and family correct in a home's rhythm: a nap, a weekly outing, up by seven, a day that is to teach nothing.

A told habit holds from now on and is shown with who said it; it never silences an SOS, and never moves a deadline beyond
its cap. Every change is in the audit (SEN-08).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import transaction

from anju.accounts.permissions import must
from anju.alarms import habits, rhythm
from anju.alarms.habits import WEEK, Habit
from anju.alarms.models import Alarm, HomeWatch
from anju.alarms.more_models import HomeHabit
from anju.alarms.rows import DOORS, Watch, learnt_of, local, save, signs_of_life
from anju.alarms.vigil import AFTER_DOOR, SAID
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.flow.actor import Actor
from anju.signals import queries as signals

MOST: Final = 12
"""Habits that one home may have at once."""
BACK: Final = timedelta(days=60)
"""So far back a day can still be taken out: older ones have faded."""
DAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@transaction.atomic
def tell_habit(
    *, home_id: int, kind: str, by: Actor, days: int = WEEK, start: float = 0.0, end: float = 0.0, how: str = "staff", note: str = ""
) -> HomeHabit:  # fmt: skip
    """She naps from `start` to `end` o'clock (quiet), or always stirs by `start` (up_by), on these days of the week (bits).

    ValueError says in Chinese what can't be.
    """
    must(by, "rhythm.correct")
    home = elders.home(home_id)
    if home is None:
        raise ValueError("没有这个家庭")
    if wrong := habits.fault(kind, days, start, end) or _how(how):
        raise ValueError(wrong)
    if HomeHabit.objects.filter(home_id=home_id, ended_at=None).exclude(kind=HomeHabit.Kind.IGNORE).count() >= MOST:
        raise ValueError(f"一户最多记 {MOST} 条作息，请先取消不用的")
    row = HomeHabit.objects.create(
        home_id=home_id, place=home.place, kind=kind, days=days, start=start, end=end if kind == "quiet" else start,
        said_by=by.name, said_how=how, note=note.strip()[:200], said_at=clock.now(),
    )  # fmt: skip
    _follow(home_id)
    _audit(row, "rhythm.habit", note)
    return row


@transaction.atomic
def end_habit(*, habit_id: int, home_id: int, by: Actor) -> None:
    """It is not so any more; what the home itself teaches holds again."""
    must(by, "rhythm.correct")
    row = HomeHabit.objects.select_for_update().get(pk=habit_id, home_id=home_id)
    if row.ended_at is None and row.kind != HomeHabit.Kind.IGNORE:
        row.ended_at, row.ended_by = clock.now(), by.name
        row.save(update_fields=["ended_at", "ended_by"])
        _follow(home_id)
        _audit(row, "rhythm.habit_ended", "")


@transaction.atomic
def ignore_day(*, home_id: int, day: date, by: Actor, how: str = "staff", note: str = "") -> HomeHabit:
    """This day was not as usual (guests, repairs, an illness): what it taught is taken back, and today teaches no more."""
    must(by, "rhythm.correct")
    home, today = elders.home(home_id), clock.today()
    if home is None:
        raise ValueError("没有这个家庭")
    if wrong := _how(how):
        raise ValueError(wrong)
    if not today - BACK <= day <= today:
        raise ValueError(f"须是今天或 {BACK.days} 天以内的一天")
    if HomeHabit.objects.filter(home_id=home_id, kind=HomeHabit.Kind.IGNORE, on_day=day).exists():
        raise ValueError("这一天须只记一次，已经记过了")
    row = HomeHabit.objects.create(
        home_id=home_id, place=home.place, kind=HomeHabit.Kind.IGNORE, on_day=day, said_by=by.name, said_how=how,
        note=note.strip()[:200], said_at=clock.now(), ended_at=clock.now(), ended_by=by.name,
    )  # fmt: skip
    _take_back(home_id, day, today)
    _audit(row, "rhythm.ignore_day", note)
    return row


def _take_back(home_id: int, day: date, today: date) -> None:
    watched = HomeWatch.objects.select_for_update(of=("self",)).filter(home_id=home_id).first()
    if watched is None:
        return
    watch = Watch.of(watched, learnt_of([watched]).get(home_id))
    vigil, start = watch.vigil, datetime.combine(day, time(), clock.SHANGHAI)
    vigil.rhythm.forget(today.toordinal())
    lost = Alarm.objects.filter(home_id=home_id, kind__in=SAID, at__gte=start, at__lt=start + timedelta(days=1))
    alarmed = [at.timestamp() for at in lost.values_list("at", flat=True)]
    for since, until, mode in silences_of(home_id, start):
        if not any(since <= at <= until for at in alarmed):
            _, tod = local(since)
            vigil.rhythm.unlearn(tod=tod, age=(until - since) / 3600, mode=mode, day=day.toordinal())
    if day == today:
        vigil.learn_from = max(vigil.learn_from, (start + timedelta(days=1)).timestamp())
    vigil.rhythm.tail = None
    vigil.aim()
    watch.store()
    save([watched], [watch.learnt()])


def silences_of(home_id: int, start: datetime) -> list[tuple[float, float, int]]:
    """The silences that ended on the day that begins at `start`: (from, to, mode) as they were learnt."""
    end, found = start + timedelta(days=1), []
    last: float | None = None
    door, mode = -1e12, rhythm.HOME
    for sign in signs_of_life(signals.activity(home_id, start - timedelta(days=2), end)):
        at = sign.at.timestamp()
        if last is not None and at - last >= rhythm.START * 3600 and at >= start.timestamp():
            found.append((last, at, mode))
        if sign.kind in DOORS:
            door, mode = at, rhythm.AWAY
        elif at - door > AFTER_DOOR:
            mode = rhythm.HOME
        last = at
    return found


def _follow(home_id: int) -> None:
    """The home's row carries its habits, so that no message has to look for them."""
    row = HomeWatch.objects.select_for_update(of=("self",)).filter(home_id=home_id).first()
    if row is None:
        return
    told = HomeHabit.objects.filter(home_id=home_id, ended_at=None).exclude(kind=HomeHabit.Kind.IGNORE)
    row.habits = [Habit(h.kind, h.days, h.start, h.end).packed() for h in told.order_by("pk")]
    HomeWatch.objects.filter(home_id=home_id).update(habits=row.habits)
    watch = Watch.of(row, learnt_of([row]).get(home_id))
    watch.vigil.aim()
    watch.store()
    save([row], [])


def _how(how: str) -> str:
    return "" if how in HomeHabit.How.values else "请选是谁说的"


def _audit(row: HomeHabit, what: str, why: str) -> None:
    audit.record(
        what, subject="home", subject_id=str(row.home_id), place=row.place, reason=why[:200],
        detail={"kind": row.kind, "days": row.days, "start": row.start, "end": row.end, "how": row.said_how,
                "day": row.on_day.isoformat() if row.on_day else ""},
    )  # fmt: skip
    changed("home", row.home_id, row.place)


def in_words(row: HomeHabit) -> str:
    """周一至周日 13:00–15:00 常没动静."""
    if row.kind == HomeHabit.Kind.IGNORE:
        return f"{row.on_day:%Y-%m-%d} 不作数"
    chosen = [name for n, name in enumerate(DAYS) if row.days >> n & 1]
    when = "每天" if len(chosen) == 7 else "、".join(chosen)
    if row.kind == HomeHabit.Kind.UP_BY:
        return f"{when}最晚 {_hour(row.start)} 有动静，没有就先问她"
    return f"{when} {_hour(row.start)}–{_hour(row.end)} 常没动静"


def _hour(hours: float) -> str:
    minutes = round(hours * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def of_home(home_id: int, limit: int = 20) -> list[HomeHabit]:
    """What holds now and the days that were taken out, the newest first."""
    rows = HomeHabit.objects.filter(home_id=home_id).order_by("-said_at")
    return [h for h in rows[: 4 * limit] if h.ended_at is None or h.kind == HomeHabit.Kind.IGNORE][:limit]
