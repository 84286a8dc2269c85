"""What people tell of a home: she pressed a key, she is away or back, the alarm was a false one.

Writers of the same rows as `sensing`, which holds the way between a row and the pure watch.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from anju.alarms import queries, rhythm
from anju.alarms.models import HomeState, HomeWatch
from anju.alarms.sensing import LIFE, Watch, learnt_of, save
from anju.alarms.vigil import Sign
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals import queries as signals


@transaction.atomic
def alive(*, home_id: int, at: datetime, what: str) -> bool:
    """A sign of life that no sensor tells: her key press in a robot call, her voice confirmed by an agent, a visit."""
    with seen_by(EVERYWHERE):
        row = HomeWatch.objects.select_for_update(of=("self",)).filter(home_id=home_id, watched=True).first()
        if row is None:
            return False
        watch = Watch.of(row, learnt_of([row]).get(home_id))
        if watch.vigil.last_life_at is None or at.timestamp() > watch.vigil.last_life_at:
            row.last_life_what = what[:40]
        watch.vigil.live(Sign(at.timestamp()))
        save([row], watch.store())
        changed("home", home_id, row.place)
        return True


@transaction.atomic
def false_alarm(*, home_id: int, since: datetime, until: datetime, away: bool) -> None:
    """An agent confirmed that she was well: this silence is learnt. Emergencies and device faults never are (SEN-08)."""
    with seen_by(EVERYWHERE):
        row = HomeWatch.objects.select_for_update(of=("self",)).filter(home_id=home_id, watched=True).first()
        if row is None or until <= since:
            return
        watch = Watch.of(row, learnt_of([row]).get(home_id))
        mode = rhythm.AWAY if away else rhythm.HOME
        watch.vigil.teach(since=since.timestamp(), until=until.timestamp(), mode=mode)
        watch.before = None
        save([row], watch.store())


def learn_from_case(*, case_kind: str, case_id: int) -> int:
    """She was well: the silences of the alarms of this case are learnt. Answers how many."""
    learnt = 0
    with seen_by(EVERYWHERE):
        for alarm in queries.by_case(case_kind=case_kind, case_id=case_id):
            if alarm.kind not in {"inactivity", "not_back"} or alarm.home_id is None:
                continue
            signs = [
                a.at
                for a in signals.activity(alarm.home_id, alarm.at - timedelta(days=2), clock.now())
                if a.kind in LIFE
            ]
            since = max((at for at in signs if at < alarm.at), default=None)
            until = min((at for at in signs if at >= alarm.at), default=clock.now())
            if since is not None:
                false_alarm(home_id=alarm.home_id, since=since, until=until, away=alarm.kind == "not_back")
                learnt += 1
    return learnt


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

    A pause never stops an SOS; it stops only what silence would raise.
    """
    home = elders.home(home_id)
    if home is None:
        raise ValueError("没有这个家庭")
    now = clock.now()
    since = since or now
    if until <= max(since, now):
        raise ValueError("结束时间须晚于现在")
    state = HomeState.objects.create(
        home_id=home_id,
        place=home.place,
        kind=kind,
        since=since,
        until=until,
        said_by=by.name,
        said_how=how,
        note=note[:200],
    )
    if kind != HomeState.Kind.VISITOR:
        _pause(home_id, until)
    audit.record(
        "home.state", subject="home", subject_id=str(home_id), place=home.place, reason=note, detail={"kind": kind}
    )
    changed("home", home_id, home.place)
    return state


@transaction.atomic
def end_state(*, state_id: int, why: str) -> None:
    """She is back: watching goes on at once, from a fresh silence."""
    state = HomeState.objects.select_for_update().get(pk=state_id)
    if state.ended_at is None:
        state.ended_at, state.ended_why = clock.now(), why[:60]
        state.save(update_fields=["ended_at", "ended_why"])
        _pause(state.home_id, None)
        changed("home", state.home_id, state.place)


def _pause(home_id: int, until: datetime | None) -> None:
    row = HomeWatch.objects.select_for_update(of=("self",)).filter(home_id=home_id).first()
    if row is None:
        return
    row.paused_until = until
    due = min((t for t in (row.soft_at, row.hard_at) if t is not None), default=None)
    row.look_at = max(due, until) if due and until else due
    row.save(update_fields=["paused_until", "look_at"])
