"""Storms: deaf homes that share a cause become one case with a call list; each leaves it when it is heard again.

Called by the sweep before anything else is raised. Nothing is hidden: every home of a storm is a row with its place in
the list, and a home whose own deadline had passed before the outage keeps its own alarm (`outbreaks.may_join`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Count, Max, Q

from anju.alarms import actions, outbreaks
from anju.alarms.facts import StormOver
from anju.alarms.models import HomeWatch, Storm, StormHome
from anju.alarms.outbreaks import KINDS, Deaf, Group, Outbreak
from anju.alarms.rules import PLATFORM, RULES
from anju.alarms.vigil import GRACE
from anju.devices.models import RECEIVING_DISTRICT
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.flow.actor import Actor

REMNANT: Final = 0.1
REMNANT_AFTER: Final = timedelta(hours=1)
"""When this part of the homes is still deaf this long after the last other one came back, it is no outage any more."""
VULNERABLE: Final = {"独居": 30, "孤寡": 35, "失能": 40, "半失能": 25, "高龄": 15}
"""Points of a home in the call list, by words of its elder's kind and ability."""

_WATCHED: Final = """
SELECT w.home_id, extract(epoch FROM w.heard_until)::float8, w.period, h.place, h.building, h.address IS NOT NULL,
       array_agg(DISTINCT v.cell_id) FILTER (WHERE v.cell_id IS NOT NULL), array_agg(DISTINCT p.code), array_agg(DISTINCT p.source)
FROM alarms_homewatch w
JOIN elders_home h ON h.id = w.home_id
LEFT JOIN devices_device d ON d.home_id = w.home_id AND d.status = 'installed'
LEFT JOIN devices_vitals v ON v.device_id = d.id
LEFT JOIN devices_product p ON p.id = d.product_id
WHERE w.watched AND w.heard_until IS NOT NULL
GROUP BY w.home_id, h.id
"""


def look() -> int:
    """Open, widen and end storms by what is deaf now; answers how many are open. Asks for rows only when enough are deaf."""
    now = clock.now()
    open_now = list(Storm.objects.filter(ended_at=None))
    if not open_now and _deaf_count(now) < outbreaks.LEAST:
        return 0
    with transaction.atomic():
        if not _alone():
            return len(open_now)
        deaf, totals = _state(now)
        _recover({d.home_id for d in deaf})
        taken = set(StormHome.objects.filter(storm__ended_at=None, back_at=None).values_list("home_id", flat=True))
        for storm in Storm.objects.filter(ended_at=None):
            joining = [d for d in deaf if d.home_id not in taken and (storm.kind, storm.key) in d.groups]
            _add(storm, joining)
            taken |= {d.home_id for d in joining}
        for outbreak in outbreaks.found([d for d in deaf if d.home_id not in taken], totals):
            _open(outbreak, {d.home_id: d for d in deaf})
        return Storm.objects.filter(ended_at=None).count()


def _deaf_count(now: datetime) -> int:
    """Cheap: how many watched homes were not heard for longer than the longest usual patience allows."""
    return HomeWatch.objects.filter(watched=True, heard_until__lt=now - timedelta(minutes=70)).count()


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('alarms.storms'))")
        return bool(cursor.fetchone() == (True,))


def _state(now: datetime) -> tuple[list[Deaf], Counter[Group]]:
    deaf: list[Deaf] = []
    totals: Counter[Group] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(_WATCHED)
        for home_id, covered, period, place, building, _, cells, models, carriers in cursor.fetchall():
            groups: list[Group] = [("street", place[:9]), ("building", f"{place} {building}" if building else "")]
            groups += [("cell", str(c)) for c in cells or ()] + [("model", m) for m in models or () if m]
            groups += [("carrier", c) for c in carriers or () if c]
            totals.update(groups)
            if now.timestamp() - covered > 2 * period + GRACE:
                deaf.append(Deaf(home_id, covered, tuple(groups)))
    return deaf, totals


def _open(outbreak: Outbreak, deaf: dict[int, Deaf]) -> None:
    kind, key = outbreak.group
    places = [w.place for w in HomeWatch.objects.filter(home_id__in=outbreak.homes)]
    since = datetime.fromtimestamp(outbreak.since, UTC)
    storm = Storm.objects.create(
        place=common_place(places), kind=kind, key=key[:80], since=since, opened_at=clock.now()
    )
    _add(storm, [deaf[h] for h in outbreak.homes])
    many = storm.homes.count()
    if not many:
        storm.delete()
        return
    local = clock.local(since)
    storm.alarm = actions.raise_or_join(
        rule=RULES["storm"], at=since, received_at=clock.now(), source=PLATFORM, place=storm.place,
        where=f"{KINDS[kind]} {key}"[:60],
        note=f"区域失联 {storm.pk}：{KINDS[kind]} {key} 自 {local:%H:%M} 起 {many} 户听不到（该范围共 {outbreak.of} 户），请按名单先后电话核实",
    )  # fmt: skip
    storm.save(update_fields=["alarm"])


def _add(storm: Storm, joining: Sequence[Deaf]) -> None:
    watches = {w.home_id: w for w in HomeWatch.objects.filter(home_id__in=[d.home_id for d in joining])}
    rows = []
    for d in joining:
        watch = watches[d.home_id]
        deadline = watch.hard_at.timestamp() if watch.hard_at is not None else None
        if outbreaks.may_join(deadline=deadline, outage_since=storm.since.timestamp()):
            rows.append(StormHome(
                storm=storm, home_id=d.home_id, place=watch.place[:12], since=watch.heard_until or storm.since, rank=-points(d.home_id),
                due_at=watch.hard_at,
            ))  # fmt: skip
    if rows:
        StormHome.objects.bulk_create(rows, ignore_conflicts=True)
        changed("alarm", storm.alarm_id or 0, storm.place)


def points(home_id: int) -> int:
    """How much a blind home needs a call: by her kind, ability, illnesses and age. More = sooner."""
    elder = elders.main_elder(home_id)
    if elder is None:
        return 0
    words = f"{elder.get_kind_display()}{elder.get_ability_display()}"
    score = sum(value for word, value in VULNERABLE.items() if word in words)
    score += 10 if elder.chronic or elder.illnesses else 0
    age = clock.today().year - elder.birth_date.year if elder.birth_date else 70
    return score + max(0, min(30, age - 70))


def common_place(places: Sequence[str]) -> str:
    """The smallest place that holds all of them; the receiving district when they share none."""
    if not places:
        return RECEIVING_DISTRICT
    for length in (12, 9, 6):
        if len({p[:length] for p in places}) == 1:
            return places[0][:length].ljust(12, "0")
    return RECEIVING_DISTRICT


def _recover(still_deaf: set[int]) -> None:
    for row in StormHome.objects.filter(storm__ended_at=None, back_at=None).exclude(home_id__in=still_deaf):
        row.back_at = clock.now()
        row.save(update_fields=["back_at"])
        changed("home", row.home_id, row.place)
    for storm in Storm.objects.filter(ended_at=None).annotate(
        all=Count("homes"), blind=Count("homes", filter=Q(homes__back_at=None)), latest=Max("homes__back_at")
    ):
        nearly = storm.latest is not None and clock.now() - storm.latest > REMNANT_AFTER
        if storm.blind and not (nearly and storm.blind <= storm.all * REMNANT):
            continue
        _release(storm)
        storm.ended_at = clock.now()
        storm.save(update_fields=["ended_at"])
        if storm.alarm_id is not None:
            announce(StormOver(storm.pk, storm.alarm_id, storm.homes.count()))
        changed("alarm", storm.alarm_id or 0, storm.place)


def _release(storm: Storm) -> None:
    """The outage is over; who is still deaf has a trouble of her own and gets her own alarm and repair."""
    for row in storm.homes.filter(back_at=None):
        watch = HomeWatch.objects.select_for_update(of=("self",)).filter(home_id=row.home_id).first()
        if watch is not None:
            watch.raised = [kind for kind in watch.raised if kind != "no_data"]
            watch.look_at = clock.now()
            watch.save(update_fields=["raised", "look_at"])
        row.back_at, row.result = clock.now(), row.result or "区域已恢复，该户仍听不到，转单户处理"
        row.save(update_fields=["back_at", "result"])


def holds(home_id: int) -> bool:
    """Whether this home is in the call list of an open storm: its deafness is known there and needs no alarm of its own."""
    return StormHome.objects.filter(home_id=home_id, storm__ended_at=None, back_at=None).exists()


@transaction.atomic
def called(*, row_id: int, by: Actor, result: str) -> StormHome:
    """Somebody called a blind home and wrote down what she said."""
    row = StormHome.objects.select_for_update().get(pk=row_id)
    row.called_at, row.called_by, row.result = clock.now(), by.name, result[:80]
    row.save(update_fields=["called_at", "called_by", "result"])
    audit.record("storm.called", subject="home", subject_id=str(row.home_id), place=row.place, reason=result)
    changed("alarm", row.storm.alarm_id or 0, row.place)
    return row
