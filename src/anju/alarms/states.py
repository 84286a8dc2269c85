"""What people tell of a home: she pressed a key, she is away or back, the alarm was a false one.

Writers of the same rows as `sensing`. A state ends by itself: then a fresh silence begins, at home, so that who was expected
back and is not is asked by her own deadline, and nobody is called at the minute it ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from anju.accounts.permissions import must
from anju.alarms import doors, queries, rhythm
from anju.alarms.models import HomeState, HomeWatch
from anju.alarms.rows import Watch, learnt_of, moment, save, signs_of_life
from anju.alarms.vigil import Sign
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals import queries as signals

LONGEST: Final = timedelta(days=120)
"""A state is told for so long at most; a longer absence is a suspended service."""
PAUSING: Final = (HomeState.Kind.HOLIDAY, HomeState.Kind.HOSPITAL, HomeState.Kind.TEST)
"""While one of these runs, silence raises nothing. A visitor pauses nothing: she may fall while the visitor sleeps."""
STIRS: Final = timedelta(hours=6)
"""When somebody moves about a home that is said to be empty for so long, it is watched again."""
INSIDE: Final = frozenset({"motion", "bed"})


@transaction.atomic
def alive(*, home_id: int, at: datetime, what: str, told: bool = True) -> bool:
    """A sign of life that no sensor tells: her key press in a robot call, her voice confirmed by an agent, a visit.

    `told=False`: something in the home itself was used (a tap): that ends the silence as a sensor does.
    """
    with seen_by(EVERYWHERE):
        row = _locked(home_id)
        if row is None or not row.watched:
            return False
        watch = Watch.of(row, learnt_of([row]).get(home_id))
        if watch.vigil.last_life_at is None or at.timestamp() > watch.vigil.last_life_at:
            row.last_life_what = what[:40]
        watch.vigil.live(Sign(at.timestamp(), told=told))
        save([row], watch.store())
        if told:
            doors.answered(home_id=home_id, at=at)
        changed("home", home_id, row.place)
        return True


@transaction.atomic
def false_alarm(*, home_id: int, since: datetime, until: datetime | None, away: bool) -> None:
    """An agent confirmed that she was well: this silence is learnt. Emergencies and device faults never are (SEN-08).

    `until`: when a sensor saw her again; None when none has: then it is learnt whole once one does.
    """
    with seen_by(EVERYWHERE):
        row = _locked(home_id)
        if row is None or not row.watched or (until is not None and until <= since):
            return
        watch = Watch.of(row, learnt_of([row]).get(home_id))
        if until is None:
            watch.vigil.well(since=since.timestamp())
            watch.store()
            save([row], [])
            return
        mode = rhythm.AWAY if away else rhythm.HOME
        watch.vigil.teach(since=since.timestamp(), until=until.timestamp(), mode=mode)
        watch.store()
        save([row], [watch.learnt()])


def learn_from_case(*, case_kind: str, case_id: int) -> int:
    """She was well: the silences of the alarms of this case are learnt. Answers how many."""
    learnt = 0
    with seen_by(EVERYWHERE):
        for alarm in queries.by_case(case_kind=case_kind, case_id=case_id):
            if alarm.kind not in {"inactivity", "not_back"} or alarm.home_id is None:
                continue
            seen = signals.activity(alarm.home_id, alarm.at - timedelta(days=2), clock.now())
            signs = [a.at for a in signs_of_life(seen)]
            since = max((at for at in signs if at < alarm.at), default=None)
            until = min((at for at in signs if at >= alarm.at), default=None)
            if since is not None:
                false_alarm(home_id=alarm.home_id, since=since, until=until, away=alarm.kind == "not_back")
                learnt += 1
    return learnt


def _locked(home_id: int) -> HomeWatch | None:
    return HomeWatch.objects.select_for_update(of=("self",)).filter(home_id=home_id).first()


# ---- away, in hospital, a visitor, a test


@transaction.atomic
def say_state(
    *,
    home_id: int,
    kind: str,
    until: datetime,
    by: Actor,
    how: str = "staff",
    note: str = "",
    since: datetime | None = None,
) -> HomeState:
    """Somebody told that she is away, in hospital, has a visitor, or that devices are tested. It ends by itself.

    It begins at `since` (now by default). A pause never stops an SOS; it stops only what silence would raise.
    """
    must(by, "home.state")
    home, now = elders.home(home_id), clock.now()
    since = since or now
    if home is None:
        raise ValueError("没有这个家庭")
    if kind not in HomeState.Kind.values:
        raise ValueError("没有这种情况，须从列表里选")
    if until <= max(since, now):
        raise ValueError("结束时间须晚于现在")
    if until - now > LONGEST:
        raise ValueError(f"一次最多记 {LONGEST.days} 天，须到期再续；更久请办停机")
    state = HomeState.objects.create(
        home_id=home_id,
        place=home.place,
        kind=kind,
        since=since,
        until=until,
        said_by=by.name,
        said_how=how[:20],
        note=note[:200],
    )
    _fit(home_id, now)
    audit.record(
        "home.state", subject="home", subject_id=str(home_id), place=home.place, reason=note,
        detail={"kind": kind, "until": until.isoformat(), "how": how},
    )  # fmt: skip
    changed("home", home_id, home.place)
    return state


@transaction.atomic
def end_state(*, state_id: int, why: str, home_id: int | None = None, by: Actor | None = None) -> None:
    """She is back: watching goes on at once, from a fresh silence. DoesNotExist when the state is not this home's.

    `by`: the person who says so; nobody when the clock or the home itself does.
    """
    if by is not None:
        must(by, "home.state")
    rows = HomeState.objects.select_for_update()
    state = rows.get(pk=state_id) if home_id is None else rows.get(pk=state_id, home_id=home_id)
    if state.ended_at is None:
        _end(state, clock.now(), why)
        audit.record("home.state_ended", subject="home", subject_id=str(state.home_id), place=state.place, reason=why)


def _end(state: HomeState, at: datetime, why: str) -> None:
    state.ended_at, state.ended_why = at, why[:60]
    state.save(update_fields=["ended_at", "ended_why"])
    with seen_by(EVERYWHERE):
        _fit(state.home_id, at)
    changed("home", state.home_id, state.place)


def follow() -> int:
    """What was told begins and ends by itself; answers how many states ended. Called by the sweep."""
    now, ended = clock.now(), 0
    for state_id in list(HomeState.objects.filter(ended_at=None, until__lte=now).values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            rows = HomeState.objects.select_for_update(skip_locked=True)
            state = rows.filter(pk=state_id, ended_at=None).first()
            if state is not None:
                _end(state, state.until, "到期，自动恢复")
                ended += 1
    running = _running(now).filter(kind__in=PAUSING).values_list("home_id", "until")
    wanted: dict[int, datetime] = {}
    for home_id, until in running:
        wanted[home_id] = max(until, wanted.get(home_id, until))
    for row in HomeWatch.objects.filter(home_id__in=wanted).only("home_id", "paused_until"):
        if row.paused_until != wanted[row.home_id]:
            with transaction.atomic():
                _fit(row.home_id, now)
    return ended


def _running(now: datetime, **of: int) -> QuerySet[HomeState]:
    return HomeState.objects.filter(ended_at=None, since__lte=now, until__gt=now, **of)


def _fit(home_id: int, now: datetime) -> None:
    """The home's row follows the states that run now; when the last pause ended, a fresh silence begins."""
    row = _locked(home_id)
    if row is None:
        return
    states = list(_running(clock.now(), home_id=home_id))
    paused = max((s.until for s in states if s.kind in PAUSING), default=None)
    resumed = row.paused_until is not None and paused is None
    visited = max((s.until for s in states if s.kind == HomeState.Kind.VISITOR), default=None)
    watch = Watch.of(row, learnt_of([row]).get(home_id))
    row.paused_until = paused
    if paused is not None or visited is not None:
        until = max(t for t in (paused, visited) if t is not None)
        watch.vigil.learn_from = max(watch.vigil.learn_from, until.timestamp())
    elif watch.vigil.learn_from > now.timestamp():
        watch.vigil.learn_from = now.timestamp()
    if resumed and watch.vigil.last_life_at is not None and watch.vigil.last_life_at < now.timestamp():
        watch.vigil.restart(now.timestamp())
        row.last_life_what = "恢复看护"
        row.last_life_at = moment(watch.vigil.last_life_at)
    watch.store()
    save([row], [])
    HomeWatch.objects.filter(home_id=home_id).update(paused_until=paused)


@transaction.atomic
def notice_returns() -> int:
    """A home that is said to be empty, and where somebody moves about for hours, is watched again. Answers how many."""
    now, found = clock.now(), 0
    with seen_by(EVERYWHERE):
        away = _running(now).filter(kind__in=[HomeState.Kind.HOLIDAY, HomeState.Kind.HOSPITAL])
        for state in away.filter(since__lt=now - STIRS):
            since = max(state.since + timedelta(hours=1), now - timedelta(days=1))
            seen = [a.at for a in signals.activity(state.home_id, since, now) if a.kind in INSIDE]
            hours = {clock.local(at).replace(minute=0, second=0, microsecond=0) for at in seen}
            if seen and seen[-1] - seen[0] >= STIRS and len(hours) >= 4 and now - seen[-1] < timedelta(hours=2):
                _end(state, now, "家里连续有活动，自动恢复看护")
                found += 1
    return found
