"""Days that are over, counted once: stored by hour, place, queue and agent, added up by `lines` and `seats`.

Exact: a day is counted by the very statements of `counting`, and a trigger marks it stale in the transaction of whatever
changes it (a late write-up, a corrected call, an imported or a deleted one). A stale day is counted from the calls until the
job has stored it anew. Why no change is missed: the job locks the day's row before it counts, the trigger writes that row; and
a day is first counted ten minutes after its row was made, when nothing is left of transactions that began before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Min, Sum

from anju.calls.figures.models import Cell, Day, SeatCell, SeatTime
from anju.calls.kpis.counting import (
    PERIODS,
    By,
    Chosen,
    Line,
    cells_of,
    direct_lines,
    direct_seats,
    filters,
    of_seats,
    run,
    seat_cells_of,
    taken,
    together,
)
from anju.calls.kpis.definitions import Counts
from anju.calls.models import Call, SeatLog
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by

SETTLED_AFTER: Final = 2
"""Days: a call within 24 hours may still decide whether one was solved."""
SEASONED: Final = timedelta(minutes=10)
"""No transaction lives so long; see above."""
_TIMES: Final = {"wait_us": "wait_seconds", "talk_us": "talk_seconds", "wrap_us": "wrap_seconds"}
_KEYS: Final = {
    "all": ("''", "''"),
    **{p: (f"to_char(date_trunc('{p}', c.day + make_interval(hours => c.hour)), 'YYYY-MM-DD\"T\"HH24:MI')", "''") for p in PERIODS},
    "hour_of_day": ("lpad(c.hour::text, 2, '0')", "''"),
    "queue": ("coalesce(q.code, '')", "coalesce(q.name, '未入队')"),
    "group": ("coalesce(g.code, '')", "coalesce(g.name, '未分组')"),
    "user": ("coalesce(c.user_id::text, '')", "''"),
    "seat": ("c.seat", "''"),
}  # fmt: skip
_GROUPS: Final = " LEFT JOIN calls_queue_skills qs ON qs.queue_id = c.queue_id LEFT JOIN calls_skillgroup g ON g.id = qs.skillgroup_id"


# ---- reading


def lines(chosen: Chosen, by: By = "all") -> list[Line]:
    """The counts, one line a group, in the order of the keys: stored days added up, the rest counted now. The asker's scope only."""
    days, spans = split(chosen.since, chosen.until)
    if not days:
        return direct_lines(chosen, by)
    rest = (line for a, b in spans for line in direct_lines(replace(chosen, since=a, until=b), by))
    return together([*_stored(chosen, by, days), *rest])


def seats(chosen: Chosen, by: By, now: datetime) -> dict[str, Counts]:
    """Busy and present seconds by user, by seat, or of all (key ""). Seats are the centre's, whatever the scope."""
    days, spans = split(chosen.since, chosen.until)
    found: dict[str, Counts] = {}
    if days:
        rows = SeatTime.objects.filter(day__in=days)
        rows = rows.filter(user_id=chosen.user_id) if chosen.user_id is not None else rows
        rows = rows.filter(seat=chosen.seat) if chosen.seat else rows
        column = {"user": "user_id", "seat": "seat"}.get(by)
        groups = (
            rows.order_by().values(*([column] if column else [])).annotate(busy=Sum("busy_us"), there=Sum("present_us"))
        )
        totals = groups if column else [rows.aggregate(busy=Sum("busy_us"), there=Sum("present_us"))]
        for row in totals:
            if row["there"] is not None:
                key = str(row[column]) if column else ""
                found[key] = Counts(busy_seconds=(row["busy"] or 0) / 1e6, present_seconds=row["there"] / 1e6)
    for a, b in spans:
        for key, counts in direct_seats(replace(chosen, since=a, until=b), by, now).items():
            found[key] = found.get(key, Counts()) + counts
    return found


def split(since: datetime, until: datetime) -> tuple[list[date], list[tuple[datetime, datetime]]]:
    """The stored days inside a span, and what of it is left to count."""
    first = clock.local(since).date()
    first += timedelta(days=0 if since == _midnight(first) else 1)
    end = clock.local(until).date()
    days: list[date] = []
    if first < end and first <= clock.today() - timedelta(days=SETTLED_AFTER):
        days = list(
            Day.objects.filter(stale=False, day__gte=first, day__lt=end).order_by("day").values_list("day", flat=True)
        )
    spans, begin = [], since
    for day in days:
        if begin < _midnight(day):
            spans.append((begin, _midnight(day)))
        begin = _midnight(day + timedelta(days=1))
    return days, [*spans, (begin, until)] if begin < until else spans


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.SHANGHAI)


def _stored(chosen: Chosen, by: By, days: Sequence[date]) -> list[Line]:
    said, values = filters(chosen)
    of, table, names = of_seats(chosen, by), "kpis_cell", _columns(Cell)
    if of:
        table, names = "kpis_seatcell", _columns(SeatCell)
        by = "all" if by in {"queue", "group"} else by
        for column, wanted in (("user_id", chosen.user_id), ("seat", chosen.seat or None)):
            if wanted is not None:
                said.append(f"c.{column} = %s AND c.taker")
                values.append(wanted)
    key, label = _KEYS[by]
    sums = ", ".join(f"sum(c.{n}) / 1e6 AS {_TIMES[n]}" if n in _TIMES else f"sum(c.{n}) AS {n}" for n in names)
    join = _GROUPS if by == "group" else ""
    where = " AND ".join(["c.day = ANY(%s)", *said])
    sql = (
        f"SELECT {key} AS key, max({label}) AS label, {sums} FROM {table} c LEFT JOIN calls_queue q ON q.id = c.queue_id{join} "  # noqa: S608
        f"WHERE {where} GROUP BY 1"  # built of the constants above; every value is a parameter
    )
    return run(sql, [list(days), *values])


def _columns(model: type[Cell | SeatCell]) -> list[str]:
    known = {f.name for f in fields(Counts)} | set(_TIMES)
    return [f.name for f in model._meta.fields if f.name in known]


# ---- storing


def note_days() -> int:
    """The days that are over and not yet known get a row; how many."""
    with seen_by(EVERYWHERE):
        firsts = [Call.objects.filter(direction=way).aggregate(at=Min("planned_at"))["at"] for way in ("in", "out")]
    firsts.append(SeatLog.objects.aggregate(at=Min("since"))["at"])
    began = min((clock.local(at).date() for at in firsts if at is not None), default=None)
    last = clock.today() - timedelta(days=SETTLED_AFTER)
    if began is None or began > last:
        return 0
    known = set(Day.objects.values_list("day", flat=True))
    missing = [day for n in range((last - began).days + 1) if (day := began + timedelta(days=n)) not in known]
    Day.objects.bulk_create([Day(day=day, noted_at=clock.now()) for day in missing], ignore_conflicts=True)
    return len(missing)


def store_due(limit: int) -> int:
    """Count and store stale days, the newest first; how many."""
    ripe = Day.objects.filter(stale=True, noted_at__lte=clock.now() - SEASONED).order_by("-day")
    return sum(store(day) for day in list(ripe.values_list("day", flat=True)[:limit]))


@transaction.atomic
def store(day: date) -> bool:
    """Count one day and store it, whole or not at all; False when somebody else just did."""
    row = Day.objects.select_for_update().filter(day=day, stale=True).first()
    if row is None:
        return False
    row.stale, row.computed_at = False, clock.now()  # before counting: see the head of this file
    row.save(update_fields=["stale", "computed_at"])
    span = Chosen(_midnight(day), _midnight(day + timedelta(days=1)))
    with seen_by(EVERYWHERE):
        for model in (Cell, SeatCell):
            model.objects.filter(day=day).delete()
        Cell.objects.bulk_create(_cell(Cell, day, line) for line in cells_of(span))
        rung, took = seat_cells_of(span)
        SeatCell.objects.bulk_create(
            _cell(SeatCell, day, line) for line in [*rung, *(replace(t, counts=taken(t.counts)) for t in took)]
        )
    SeatTime.objects.filter(day=day).delete()
    SeatTime.objects.bulk_create(_times(day, span))
    return True


def _cell(model: type[Any], day: date, line: Line) -> Any:
    """A line whose key is hour|place|queue|emergency, and for seats |user|seat|taker."""
    hour, place, queue, emergency, *seat = line.key.split("|")
    given: dict[str, Any] = {n: getattr(line.counts, n) for n in _columns(model) if n not in _TIMES}
    given |= {us: round(getattr(line.counts, seconds) * 1e6) for us, seconds in _TIMES.items()}
    if seat:
        given |= {"user_id": int(seat[0]) or None, "seat": seat[1], "taker": seat[2] == "1"}
    return model(day=day, hour=int(hour), place=place, queue_id=int(queue) or None, emergency=emergency == "1", **given)


def _times(day: date, span: Chosen) -> list[SeatTime]:
    found = []
    for key, counts in direct_seats(span, "both", clock.now()).items():
        user, _, seat = key.partition("|")
        found.append(
            SeatTime(day=day, user_id=int(user), seat=seat, busy_us=round(counts.busy_seconds * 1e6), present_us=round(counts.present_seconds * 1e6))
        )  # fmt: skip
    return found
