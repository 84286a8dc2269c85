"""What may be asked of alarms. The scope of the asker applies, except where a verb says that it counts for the platform."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from anju.alarms.explaining import would_have_fired
from anju.alarms.ledger import Ledger, LedgerLine, ledger
from anju.alarms.models import Alarm, Pulse, Trouble
from anju.alarms.rules import Press, is_silent, join_reason
from anju.kernel import clock

__all__ = [
    "Ledger", "LedgerLine", "alarm", "by_case", "earlier", "ledger", "of_device", "of_home", "open_causes", "open_of_case", "page",
    "reason_to_join", "silences_open", "silent_sources", "troubles", "unclaimed", "would_have_fired",
]  # fmt: skip


def alarm(alarm_id: int) -> Alarm:
    """One alarm; Alarm.DoesNotExist when there is none in the asker's scope."""
    return Alarm.objects.get(pk=alarm_id)


def page(
    *,
    limit: int = 50,
    before_id: int | None = None,
    state: str = "",
    home_id: int | None = None,
    device_id: int | None = None,
    technical: bool | None = None,
) -> list[Alarm]:
    """Alarms in the asker's scope, the newest first; `before_id` is the last id of the page before."""
    wanted = Q()
    for name, value in (
        ("home_id", home_id),
        ("device_id", device_id),
        ("technical", technical),
        ("pk__lt", before_id),
    ):
        if value is not None:
            wanted &= Q(**{name: value})
    if state:
        wanted &= Q(state=state)
    return list(Alarm.objects.filter(wanted).order_by("-pk")[:limit])


def by_case(*, case_kind: str, case_id: int) -> list[Alarm]:
    """Every alarm of a case, the first first."""
    return list(Alarm.objects.filter(case_kind=case_kind, case_id=case_id).order_by("pk"))


def of_home(home_id: int, limit: int = 50) -> list[Alarm]:
    """The latest alarms of a home."""
    return page(home_id=home_id, limit=limit)


def of_device(device_id: int, limit: int = 50) -> list[Alarm]:
    """The latest alarms of a device."""
    return page(device_id=device_id, limit=limit)


def earlier(alarm: Alarm) -> Alarm | None:
    """The latest emergency of the same home before this one, or None; drills do not count."""
    if alarm.home_id is None:
        return None
    before = Alarm.objects.filter(home_id=alarm.home_id, technical=False, pk__lt=alarm.pk)
    return before.exclude(state=Alarm.State.DRILL).order_by("-pk").first()


def reason_to_join(alarm: Alarm) -> str:
    """Why this alarm joins the case that is open for its home, in a sentence for the ledger."""
    first = earlier(alarm)
    if first is None:
        return "同一家庭的事件正在处置"
    same = alarm.device_id is not None and first.device_id == alarm.device_id
    return join_reason(Press(first.label, first.at, same_device=same), alarm.at)


def open_causes(device_ids: Collection[int]) -> dict[int, set[str]]:
    """Kinds of the technical alarms that are open for each of these devices."""
    found: dict[int, set[str]] = {}
    if device_ids:
        rows = Alarm.unscoped.filter(device_id__in=device_ids, technical=True, state=Alarm.State.OPEN)
        for device_id, kind in rows.values_list("device_id", "kind"):
            if device_id is not None:
                found.setdefault(device_id, set()).add(kind)
    return found


def troubles(*, open_only: bool = True, limit: int = 50) -> list[Trouble]:
    """Troubles of the platform itself, the newest first."""
    rows: Iterable[Trouble] = Trouble.objects.filter(until=None) if open_only else Trouble.objects.all()
    return list(rows)[:limit]


def silent_sources(now: datetime | None = None) -> list[tuple[str, datetime, float]]:
    """Sources that have said nothing for 3 × their usual gap: (source, last heard, usual gap in seconds)."""
    now = now or clock.now()
    rows = Pulse.objects.order_by("source").values_list("source", "last_heard_at", "usual_gap")
    return [(source, last, usual) for source, last, usual in rows if is_silent(usual, now - last)]


def unclaimed(*, older_than: timedelta, now: datetime | None = None) -> list[Alarm]:
    """Open alarms that nobody took (no case): there must be none, whatever the scope. For the watch."""
    rows = Alarm.unscoped.filter(state=Alarm.State.OPEN, case_id=None, raised_at__lt=(now or clock.now()) - older_than)
    return list(rows.order_by("pk")[:100])


def silences_open(home_id: int) -> list[Alarm]:
    """Alarms of silence of this home that are not closed, with the case that each opened or joined."""
    kinds = ["inactivity", "not_back", "no_data"]
    rows = Alarm.objects.filter(home_id=home_id, kind__in=kinds, state__in=[Alarm.State.OPEN, Alarm.State.JOINED])
    return list(rows.order_by("-pk")[:10])


def open_of_case(*, case_kind: str, case_id: int) -> bool:
    """Whether an alarm of this case is still open."""
    return Alarm.objects.filter(case_kind=case_kind, case_id=case_id, state=Alarm.State.OPEN).exists()
