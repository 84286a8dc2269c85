"""Storms: deaf homes that share a cause become one case with a call list; each leaves it when it is heard again.

Called by the sweep before anything else is raised. Nothing is hidden: every home of a storm is a row with its place in
the list, and a home whose own deadline had passed before the outage keeps its own alarm (`outbreaks.may_join`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction
from django.db.models import Case, Count, F, IntegerField, Max, Q, Value, When

from anju.alarms import actions, outbreaks
from anju.alarms.facts import StormOver
from anju.alarms.models import HomeWatch, Storm, StormHome
from anju.alarms.outbreaks import KINDS, Deaf, Group, Outbreak
from anju.alarms.rules import PLATFORM, RULES
from anju.alarms.vigil import GRACE
from anju.devices import queries as devices
from anju.devices.models import RECEIVING_DISTRICT
from anju.elders import lists
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.flow.actor import Actor
from anju.places import queries as places

if TYPE_CHECKING:
    from anju.elders.models import Elder

__all__ = [
    "KINDS", "RESULTS", "StormHome", "call_list", "called", "common_place", "counts", "holds", "label", "listed", "look", "of_case",
    "open_storms", "points", "storm",
]  # fmt: skip
REMNANT: Final = 0.1
REMNANT_AFTER: Final = timedelta(hours=1)
"""When this part of the homes is still deaf this long after the last other one came back, it is no outage any more."""
KIND_POINTS: Final = {"widowed": 35, "alone": 30, "special": 20, "aged": 15, "couple": 5}
ABILITY_POINTS: Final = {"mild": 10, "moderate": 25, "severe": 40, "total": 45}
"""Points of a home in the call list, by its elder's kind and ability (codes of `elders.words`)."""
RESULTS: Final = {
    "well": "本人接听，平安", "family": "家属确认平安", "sent": "没人接，已请人上门", "again": "没人接，稍后再打",
}  # fmt: skip
"""What a call of the list can end in. Only her own voice is a sign of life; "again" leaves her among those to call."""

SOURCES: Final = {"ctwing": "电信平台", "onenet": "移动平台", "mqtt": "物联直连", "generic": "通用接口"}
"""Whose platform brings a device's words."""

_GROUPS: Final = """
SELECT w.home_id, extract(epoch FROM w.heard_until)::float8, h.place, h.building,
       array_agg(DISTINCT v.cell_id) FILTER (WHERE v.cell_id IS NOT NULL), array_agg(DISTINCT p.code), array_agg(DISTINCT p.source),
       array_agg(DISTINCT p.code || ' ' || v.firmware) FILTER (WHERE v.firmware <> '')
FROM alarms_homewatch w
JOIN elders_home h ON h.id = w.home_id
LEFT JOIN devices_device d ON d.home_id = w.home_id AND d.status = 'installed'
LEFT JOIN devices_vitals v ON v.device_id = d.id
LEFT JOIN devices_product p ON p.id = d.product_id
WHERE w.watched AND w.heard_until IS NOT NULL {only}
GROUP BY w.home_id, h.id
"""
_DEAF: Final = "AND w.heard_until < %s - (2 * w.period + %s) * interval '1 second'"
UNHEARD: Final = timedelta(minutes=70)
"""The shortest usual patience: who was heard since is not deaf."""
_TOTALS_FOR: Final = timedelta(minutes=10)
"""How many homes share a cell, a model, a street changes slowly: counted anew so often, and when homes come or go."""


def look(unheard: int | None = None) -> int:
    """Open, widen and end storms by what is deaf now; answers how many were open before or are now.

    `unheard`: how many homes were not heard for longer than `UNHEARD`, when the asker knows. Asks for little when nothing is new.
    """
    now = clock.now()
    open_now = Storm.objects.filter(ended_at=None).count()
    if not open_now and (_unheard(now) if unheard is None else unheard) < outbreaks.LEAST:
        return 0
    with transaction.atomic():
        if not _alone():
            return open_now
        deaf = _deaf(now)
        _recover({d.home_id for d in deaf})
        taken = set(StormHome.objects.filter(storm__ended_at=None, back_at=None).values_list("home_id", flat=True))
        for storm in Storm.objects.filter(ended_at=None):
            joining = [d for d in deaf if d.home_id not in taken and (storm.kind, storm.key) in d.groups]
            _add(storm, joining)
            taken |= {d.home_id for d in joining}
        left = [d for d in deaf if d.home_id not in taken]
        if outbreaks.found(left, {}):  # with totals unknown every large group would do: only then count them
            for outbreak in outbreaks.found(left, _totals(now)):
                _open(outbreak, {d.home_id: d for d in deaf})
        return max(open_now, Storm.objects.filter(ended_at=None).count())


def _unheard(now: datetime) -> int:
    return HomeWatch.objects.filter(watched=True, heard_until__lt=now - UNHEARD).count()


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('alarms.storms'))")
        return bool(cursor.fetchone() == (True,))


def _deaf(now: datetime) -> list[Deaf]:
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS.format(only=_DEAF), [now, GRACE])
        return [Deaf(row[0], row[1], _groups(*row[2:])) for row in cursor.fetchall()]


def _groups(
    place: str,
    building: str,
    cells: list[int] | None,
    models: list[str | None],
    carriers: list[str | None],
    firmwares: list[str] | None,
) -> tuple[Group, ...]:
    found: list[Group] = [("street", place[:9]), ("building", f"{place} {building}" if building else "")]
    found += [("cell", str(c)) for c in cells or ()]
    found += [("model", m) for m in models if m]
    found += [("firmware", f) for f in firmwares or ()]
    return (*found, *(("carrier", c) for c in carriers if c))


@dataclass(slots=True)
class _Counted:
    at: datetime | None = None
    homes: tuple[int, int | None] = (0, None)
    totals: Counter[Group] = field(default_factory=Counter)


_counted: Final = _Counted()


def _totals(now: datetime) -> Counter[Group]:
    many = HomeWatch.objects.filter(watched=True).aggregate(n=Count("pk"), last=Max("pk"))
    homes = (many["n"], many["last"])
    if _counted.at is None or _counted.homes != homes or abs(now - _counted.at) > _TOTALS_FOR:
        totals: Counter[Group] = Counter()
        with connection.cursor() as cursor:
            cursor.execute(_GROUPS.format(only=""))
            for row in cursor.fetchall():
                totals.update(_groups(*row[2:]))
        _counted.at, _counted.homes, _counted.totals = now, homes, totals
    return _counted.totals


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
        where=label(kind, key)[:60],
        note=f"区域失联 {storm.pk}：{label(kind, key)} 自 {local:%H:%M} 起 {many} 户听不到（该范围共 {outbreak.of} 户），请按名单先后电话核实",
    )  # fmt: skip
    storm.save(update_fields=["alarm"])


def _add(storm: Storm, joining: Sequence[Deaf]) -> None:
    watches = {w.home_id: w for w in HomeWatch.objects.filter(home_id__in=[d.home_id for d in joining])}
    mains = lists.mains_of(watches)
    rows = []
    for d in joining:
        watch = watches[d.home_id]
        deadline = watch.hard_at.timestamp() if watch.hard_at is not None else None
        if outbreaks.may_join(deadline=deadline, outage_since=storm.since.timestamp()):
            rows.append(StormHome(
                storm=storm, home_id=d.home_id, place=watch.place[:12], since=watch.heard_until or storm.since,
                rank=-points(mains.get(d.home_id)), due_at=watch.hard_at,
            ))  # fmt: skip
    if rows:
        StormHome.objects.bulk_create(rows, ignore_conflicts=True)
        changed("alarm", storm.alarm_id or 0, storm.place)


def points(elder: Elder | None) -> int:
    """How much a blind home needs a call: by her kind, ability, illnesses and age. More = sooner."""
    if elder is None:
        return 0
    score = KIND_POINTS.get(elder.kind, 0) + ABILITY_POINTS.get(elder.ability, 0)
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
    back = [r for r in StormHome.objects.filter(storm__ended_at=None, back_at=None) if r.home_id not in still_deaf]
    for row in back:
        row.back_at = clock.now()
        changed("home", row.home_id, row.place)
    StormHome.objects.bulk_update(back, ["back_at"], batch_size=500)
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
            announce(StormOver(storm.pk, storm.alarm_id, storm.all, left=storm.blind))
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
    """Somebody called a blind home and noted what came of it: a code of `RESULTS`."""
    from anju.alarms import states  # states → sensing → storms

    if result not in RESULTS:
        raise ValueError("请选联系的结果")
    row = StormHome.objects.select_for_update(of=("self",)).select_related("storm").get(pk=row_id)
    row.called_at, row.called_by, row.result = clock.now(), by.name[:60], RESULTS[result]
    row.save(update_fields=["called_at", "called_by", "result"])
    audit.record("storm.called", subject="home", subject_id=str(row.home_id), place=row.place, reason=row.result)
    if result == "well":
        states.alive(home_id=row.home_id, at=row.called_at, what="电话核实")
    changed("alarm", row.storm.alarm_id or 0, row.place)
    return row


# ---- for the pages


def label(kind: str, key: str) -> str:
    """What the homes of an outage share, in words: 基站 330105 · 楼栋 荷汀社区 6 幢 · 型号 NB 人体活动传感器 · 运营商 移动平台."""
    named = key
    if kind in {"model", "firmware"}:
        code, _, version = key.partition(" ")
        named = f"{devices.product_names().get(code, code)} {version}".strip()
    elif kind == "street":
        named = places.name_of(key.ljust(12, "0"))
    elif kind == "building":
        place, _, building = key.partition(" ")
        named = f"{places.name_of(place)} {building}"
    elif kind == "carrier":
        named = SOURCES.get(key, key)
    return f"{KINDS.get(kind, kind)} {named}"


def of_case(incident_id: int) -> Storm | None:
    """The outage that this case is about, in the asker's scope."""
    return Storm.objects.filter(alarm__case_kind="incident", alarm__case_id=incident_id).first()


def open_storms() -> list[tuple[Storm, int, int]]:
    """Outages that are not over, in the asker's scope: (storm, homes still blind, of these not yet reached)."""
    blind = Q(homes__back_at=None)
    rows = Storm.objects.filter(ended_at=None).annotate(
        blind=Count("homes", filter=blind), waiting=Count("homes", filter=blind & _WAITING)
    )
    return [(row, row.blind, row.waiting) for row in rows]


_WAITING_ROW: Final = Q(called_at=None) | Q(result=RESULTS["again"])
_WAITING: Final = Q(homes__called_at=None) | Q(homes__result=RESULTS["again"])


def call_list(storm_id: int, *, start: int = 0, size: int = 50) -> tuple[list[StormHome], int]:
    """A page of the homes of a storm, whom to call first first: not yet reached by vulnerability, then those reached, then those back."""
    stands = Case(
        When(back_at__isnull=False, then=Value(2)), When(_WAITING_ROW, then=Value(0)), default=Value(1),
        output_field=IntegerField(),
    )  # fmt: skip
    rows = StormHome.objects.filter(storm_id=storm_id).annotate(stands=stands)
    ordered = rows.order_by("stands", "rank", F("due_at").asc(nulls_last=True), "home_id")
    return list(ordered[start : start + size]), rows.count()


def listed(row_id: int) -> StormHome:
    """One home of a list; StormHome.DoesNotExist outside the asker's scope."""
    return StormHome.objects.select_related("storm").get(pk=row_id)


def storm(storm_id: int) -> Storm:
    """One outage; Storm.DoesNotExist outside the asker's scope."""
    return Storm.objects.get(pk=storm_id)


def counts(storm_id: int) -> dict[str, int]:
    """How many homes it took, how many are blind, not yet reached, well by voice, sent to, and heard again."""
    blind = Q(back_at=None)
    found: dict[str, int] = StormHome.objects.filter(storm_id=storm_id).aggregate(
        all=Count("pk"), blind=Count("pk", filter=blind), back=Count("pk", filter=~blind),
        waiting=Count("pk", filter=blind & _WAITING_ROW),
        well=Count("pk", filter=Q(result__in=[RESULTS["well"], RESULTS["family"]])),
        sent=Count("pk", filter=Q(result=RESULTS["sent"])),
    )  # fmt: skip
    return found
