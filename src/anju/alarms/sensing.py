"""The watch over all homes: life signs of a batch go to the homes' rows, and the clock sweeps what is due.

`hear` runs inside the router's transaction, after the vitals: a message that is settled has been counted as a life sign,
and one that is routed again has not. The way between a row and the pure watch is in `rows`, who is watched in `enrolling`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import OperationalError, connection, transaction
from django.db.models import F

from anju.alarms import actions, doors, enrolling, explaining, priors, queries, states, storms, whereabouts, witnesses
from anju.alarms.enrolling import NO_CONSENT, NO_SENSOR, NOT_YET, enrol, enrol_all
from anju.alarms.facts import ElderAsked, SilenceBroken
from anju.alarms.faults import is_database_gone
from anju.alarms.models import HomeRhythm, HomeWatch, Trouble
from anju.alarms.rows import DOORS, LIFE, SENSORS, Heeded, Watch, learnt_of, save, vigil_of
from anju.alarms.rules import PLATFORM, RULES, Rule
from anju.alarms.vigil import SAID, Raised
from anju.devices.queries import DeviceInfo
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals.signal import Heard

__all__ = [
    "DOORS", "LIFE", "NOT_YET", "NO_CONSENT", "NO_SENSOR", "SENSORS", "Heeded", "Watch", "enrol", "enrol_all", "hear", "learnt_of",
    "look_at", "next_due", "priors", "save", "sweep", "vigil_of",
]  # fmt: skip

_log = logging.getLogger(__name__)
AT_ONCE: Final = 200
AGAIN: Final = timedelta(minutes=1)
"""A home that is due and waits for data is looked at again so soon."""
_LOOK_OVER: Final = """
SELECT array_agg(home_id ORDER BY look_at) FILTER (WHERE look_at <= %(now)s), count(*) FILTER (WHERE heard_until < %(deaf)s)
FROM alarms_homedue WHERE look_at <= %(now)s OR heard_until < %(deaf)s
"""
TWO_WITNESSES: Final = 7
"""Priority of a silence that a second witness shares (incident.md)."""


def hear(messages: Iterable[tuple[Heard, DeviceInfo | None]], *, give_way: bool = False) -> int:
    """Count the life signs of a batch; answers how many homes were heard.

    `give_way`: the urgent reader must not wait for a row that a telemetry batch holds; that batch counts its own signs.
    """
    by_home: dict[int, list[Heeded]] = {}
    for heard, device in messages:
        if device is not None and device.home_id is not None and _counts(heard, device):
            by_home.setdefault(device.home_id, []).append(Heeded(device, heard))
    if not by_home:
        return 0
    rows = _rows({h: by_home[h][0].device.place for h in sorted(by_home)}, give_way=give_way)
    taught: list[HomeRhythm] = []
    whole: list[HomeWatch] = []
    learnt = learnt_of(rows)
    for row in rows:
        try:
            taught += _hear_home(row, learnt.get(row.home_id), by_home[row.home_id])
            whole.append(row)
        except (ValueError, KeyError, TypeError, OverflowError):  # one odd row must not cost the others their signs
            _log.exception("what home %s said could not be counted", row.home_id)
            actions.trouble(
                kind=Trouble.Kind.POISON, subject=f"home {row.home_id}", text="一户的活动无法计入，看护照旧到期"
            )
    save(whole, taught)
    return len(whole)


def _hear_home(row: HomeWatch, packed: bytes | None, said: Sequence[Heeded]) -> list[HomeRhythm]:
    watch = Watch.of(row, packed)
    shown, before = watch.vigil.raised & SAID, watch.vigil.last_life_at
    for one in sorted(said, key=lambda s: s.heard.received_at):
        watch.hear(one)
    taught = watch.store()
    if shown and watch.vigil.last_life_at != before and row.last_life_at is not None and row.hard_at is not None:
        text = f"{clock.local(row.last_life_at):%H:%M} {row.last_life_what}"
        announce(SilenceBroken(row.home_id, row.last_life_at, row.hard_at, text))
    return taught


def _counts(heard: Heard, device: DeviceInfo) -> bool:
    if device.status != "installed" or not heard.signals or heard.source == PLATFORM:
        return False
    if device.in_test(heard.received_at):
        return False
    return device.kind in SENSORS or any(s.kind in LIFE for s in heard.signals)


def _rows(home_ids: Mapping[int, str], *, give_way: bool) -> list[HomeWatch]:
    wanted = HomeWatch.objects.select_for_update(skip_locked=give_way, of=("self",)).filter(home_id__in=list(home_ids))
    rows = list(wanted.order_by("home_id"))
    missing = {h: place for h, place in home_ids.items() if h not in {r.home_id for r in rows}}
    if missing and not give_way:
        HomeWatch.objects.bulk_create(
            [HomeWatch(home_id=h, place=p, watched=False, why_not=NOT_YET, stale=True) for h, p in missing.items()],
            ignore_conflicts=True,
        )
    return [r for r in rows if r.watched]


# ---- the sweep


def sweep(limit: int = 2000) -> int:
    """Let what is due happen; answers how many alarms were raised or elders asked. Safe in any number of processes.

    What fails hurts only itself: one home, or one of the rules. It is told as a trouble of the platform and tried again.
    """
    done = 0
    with seen_by(EVERYWHERE), audit.acting("系统时钟"):
        for name, step in (("enrol", enrolling.look_again), ("states", states.follow)):
            _safely(name, step)
        due, unheard = _look_over(limit)
        if _safely("storms", lambda: storms.look(unheard)):
            due, _ = _look_over(limit)  # who left a storm may be due now
        for home_ids in (due[at : at + AT_ONCE] for at in range(0, len(due), AT_ONCE)):
            with transaction.atomic():
                _give_way()
                done += _sweep_some(home_ids)
        for name, rule in (("doors", doors.sweep), ("witnesses", witnesses.sweep), ("places", whereabouts.sweep)):
            done += _safely(name, rule)
    return done


def look_at(home_ids: Sequence[int]) -> int:
    """Let what is due of these homes happen and of no others; answers how many alarms were raised or elders asked."""
    with seen_by(EVERYWHERE), audit.acting("系统时钟"), transaction.atomic():
        return _sweep_some(home_ids)


def next_due(until: datetime, *, without: Iterable[int] = (), heard: bool = False) -> HomeWatch | None:
    """Of the homes that are due by then, the one that is due first; `heard`: only of those that were heard to their deadline."""
    rows = HomeWatch.objects.filter(watched=True, look_at__lte=until).exclude(home_id__in=list(without))
    if heard:
        rows = rows.filter(covered_until__gte=F("hard_at"))
    return rows.order_by("look_at", "home_id").first()


def _give_way() -> None:
    """The sweep never waits long for a row that a batch of the router holds: it comes round again, the batch does not."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '500ms'")


_failing: set[str] = set()


def _safely(name: str, step: Callable[[], int]) -> int:
    try:
        found = step()
    except Exception as error:
        if is_database_gone(error):
            raise
        _log.exception("%s failed in the sweep; the others go on", name)
        _failing.add(name)
        actions.trouble(
            kind=Trouble.Kind.POISON, subject=f"sweep {name}", text=f"看护的一项检查失败，其余照常：{error}"
        )
        return 0
    if name in _failing:
        _failing.discard(name)
        actions.trouble_over(kind=Trouble.Kind.POISON, subject=f"sweep {name}")
    return found


def _look_over(limit: int) -> tuple[list[int], int]:
    """One pass over all homes: which must be looked at, the longest due first, and how many were not heard of late.

    Deadlines are not indexed, so that a message is two narrow updates in place; this pass is what that costs. It reads the
    copies (`HomeDue`); the row itself is asked again under its lock before anything is raised.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_OVER, {"now": now, "deaf": now - storms.UNHEARD})
        due, unheard = cursor.fetchone()
    return list(due or ())[:limit], unheard


def _sweep_some(home_ids: Sequence[int]) -> int:
    now = clock.now()
    rows = list(
        HomeWatch.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(home_id__in=home_ids, watched=True, look_at__lte=now)
        .order_by("home_id")
    )
    done, learnt, whole = 0, learnt_of(rows), []
    for row in rows:
        try:
            with transaction.atomic():
                done += _sweep_one(row, learnt.get(row.home_id), now)
            whole.append(row)
        except Exception as error:
            if is_database_gone(error):
                raise
            if isinstance(error, OperationalError):  # somebody holds its case: it stays due and comes next time
                continue
            _log.exception("home %s could not be swept; the others go on", row.home_id)
            HomeWatch.objects.filter(home_id=row.home_id).update(look_at=now + AGAIN)
            text = f"一户到期却没能报警，一分钟后再试：{error}"
            actions.trouble(kind=Trouble.Kind.POISON, subject=f"home {row.home_id}", text=text)
    save(whole, [])
    return done


def _sweep_one(row: HomeWatch, packed: bytes | None, now: datetime) -> int:
    if row.paused_until is not None and row.paused_until > now:
        row.look_at = row.paused_until
        return 0
    watch = Watch.of(row, packed)
    found = watch.vigil.sweep(now.timestamp())
    if any(raised.kind == "no_data" for raised in found) and enrolling.fitted(row):
        row.look_at = now  # a device that is gone held it up: judged anew by those that are there
        return 0
    watch.store()
    if not found and row.look_at is not None and row.look_at <= now:
        row.look_at = now + AGAIN
    return sum(_tell(row, raised) for raised in found)


def _tell(row: HomeWatch, raised: Raised) -> int:
    seconded = witnesses.agree(row, raised) if raised.kind in {"ask", "inactivity"} else ""
    if raised.kind == "ask" and not seconded:
        elder = elders.main_elder(row.home_id)
        if elder is not None:
            announce(ElderAsked(row.home_id, elder.pk, row.place, explaining.sentence(row, raised)))
        return 1
    if raised.kind == "no_data" and storms.holds(row.home_id):
        return 0
    rule = RULES["inactivity" if raised.kind == "ask" else raised.kind]
    if (
        seconded
    ):  # two witnesses are silent: a person, at once (issue: one silent sensor sends a call, two send a person)
        rule = Rule(rule.kind, rule.label, TWO_WITNESSES, rule.dty, rule.stc)
        row.raised = sorted({*row.raised, "hard", "inactivity"})
    actions.raise_or_join(
        rule=rule, at=datetime.fromtimestamp(raised.deadline, UTC), received_at=clock.now(), source=PLATFORM,
        place=row.place, home_id=row.home_id, note=seconded + explaining.sentence(row, raised),
    )  # fmt: skip
    if raised.kind == "no_data":
        _send_repair(row)
    changed("home", row.home_id, row.place)
    return 1


def _send_repair(row: HomeWatch) -> None:
    """A deaf home is a repair too: for each of its sensors that was not heard, unless one is under way."""
    sensors = enrolling.sensors_of(row.home_id)
    known = queries.open_causes({d.device.id for d in sensors})
    for sensor in sensors:
        ear = row.ears.get(str(sensor.device.id))
        heard = ear is not None and row.hard_at is not None and ear["to"] >= row.hard_at.timestamp()
        if sensor.device.kind == "door":  # it speaks when the door moves: only its own limit says that it is mute
            heard = not sensor.silent
        if not heard and "silent" not in known.get(sensor.device.id, set()):
            actions.raise_or_join(
                rule=RULES["silent"], at=clock.now(), received_at=clock.now(), source=PLATFORM, place=row.place,
                home_id=row.home_id, device_id=sensor.device.id, where=sensor.device.position,
                note="家中长时间听不到任何数据，请尽快检修",
            )  # fmt: skip
