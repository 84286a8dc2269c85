"""What may be asked of the roster and the experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from anju.kernel import clock, hooks
from anju.kernel.flow.actor import NotAllowed
from anju.staff import rules
from anju.staff.models import FIELDS, POSTS, Booking, Duty, Expert, HandOver

__all__ = [
    "DAYS", "FIELDS", "POSTS", "ShiftCover", "away_of", "bookings", "cover_rows", "coverage", "expert", "experts",
    "gaps", "hand_over", "hand_overs", "hours_of", "leads_now", "on_duty", "on_duty_of", "roster", "shift_ends",
    "skills_kept",
]  # fmt: skip

DAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def roster(start: datetime, end: datetime, *, place: str = "") -> list[Duty]:
    """The duties that touch the span, struck ones left out, with their people."""
    rows = Duty.objects.filter(start__lt=end, end__gt=start, struck_at=None).select_related("user")
    return list(rows.filter(place=place) if place else rows)


def skills() -> Mapping[int, frozenset[str]]:
    """Who can do what: user → codes of skill groups. Skills are kept with the seats; nobody knows any where none are."""
    known: Mapping[int, frozenset[str]] = hooks.ask("skills", {})
    return known


def kept(known: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """The skill groups that anybody has: of the others the post alone decides."""
    return frozenset().union(*known.values()) & rules.SKILLS.keys()


def skills_kept() -> list[str]:
    """The names of the skills that are looked at; empty where the centre keeps none, and posts alone decide."""
    return [label for code, label in rules.SKILLS.items() if code in kept(skills())]


def on_duty(start: datetime, end: datetime, *, place: str = "") -> list[rules.OnDuty]:
    """The same as the rules read it."""
    known = skills()
    return [
        rules.OnDuty(d.user_id, d.post, d.start, d.end, known.get(d.user_id, frozenset()))
        for d in roster(start, end, place=place)
    ]


def on_duty_of(user_id: int, start: datetime, end: datetime) -> list[rules.OnDuty]:
    """All duties of one person in the span, in whatever place: nobody is in two."""
    rows = Duty.unscoped.filter(user_id=user_id, start__lt=end, end__gt=start, struck_at=None)
    return [rules.OnDuty(d.user_id, d.post, d.start, d.end) for d in rows]


def gaps(*, place: str, start: datetime, end: datetime) -> list[rules.Gap]:
    """What is missing in the span."""
    return rules.gaps(on_duty(start, end, place=place), start, end, kept=kept(skills()))


@dataclass(frozen=True, slots=True)
class ShiftCover:
    """One coming shift: for each row of `cover_rows` what is missing. `planned`: anybody is on the roster at all."""

    name: str
    start: datetime
    end: datetime
    runs: bool
    planned: bool
    cells: tuple[rules.Cover, ...]

    @property
    def gap(self) -> bool:
        """Whether an alarm of some type would find nobody."""
        return any(c.missing for c in self.cells)


def cover_rows() -> list[tuple[str, str]]:
    """The types of alarms that need the same people, together: (their labels, whom they need)."""
    words = {n.code: f"{n.label} {n.least} 人" for n in rules.NEEDS}
    groups: dict[tuple[str, ...], list[str]] = {}
    for alarm in rules.ALARMS.values():
        groups.setdefault(alarm.needs, []).append(alarm.label)
    return [("、".join(labels), "、".join(words[c] for c in needs)) for needs, labels in groups.items()]


def coverage(*, place: str, many: int = 6) -> list[ShiftCover]:
    """Is anybody there for every type of alarm: the shift that runs and those that come, the next first."""
    now = clock.local(clock.now())
    spans = rules.shifts_from(now, many)
    duties, has = on_duty(spans[0][1], spans[-1][2], place=place), kept(skills())
    found = []
    for name, start, end in spans:
        cells = rules.cover(duties, max(start, now), end, has)
        there = any(d.start < end and start < d.end for d in duties)
        found.append(ShiftCover(name, start, end, start <= now, there, tuple(cells.values())))
    return found


def leads_now(place: str) -> list[int]:
    """Users who are lead on duty at this moment for the place; empty when nobody is planned (then all leads count)."""
    now = clock.now()
    rows = Duty.objects.filter(post="lead", start__lte=now, end__gt=now, struck_at=None, place__startswith=place[:6])
    return sorted(set(rows.values_list("user_id", flat=True)))


def hand_overs(*, limit: int = 20) -> list[HandOver]:
    """The latest sheets in the asker's scope."""
    return list(HandOver.objects.select_related("from_lead", "to_lead").order_by("-ends_at")[:limit])


def hand_over(hand_over_id: int) -> HandOver:
    """One sheet; HandOver.DoesNotExist when it is out of scope."""
    return HandOver.objects.select_related("from_lead", "to_lead").get(pk=hand_over_id)


def hours_of(hours: Mapping[str, Sequence[Sequence[str]]]) -> dict[int, list[tuple[time, time]]]:
    """Checked hours: {"0": [["09:00", "11:30"]]} → times. NotAllowed says which day is wrong."""
    found: dict[int, list[tuple[time, time]]] = {}
    for day, spans in hours.items():
        try:
            weekday = int(day)
            pairs = [(time.fromisoformat(a), time.fromisoformat(b)) for a, b in spans]
            good = weekday in range(7) and all(a < b or b == time(0) for a, b in pairs)
        except (ValueError, TypeError):
            good, weekday, pairs = False, -1, []
        if not good:
            name = DAYS[int(day)] if day in "0123456" and day else day
            raise NotAllowed(f"{name}的值守时间不对，应写成 09:00-11:30", code="needs")
        found[weekday] = sorted(pairs)
    return found


def away_of(expert: Expert) -> frozenset[date]:
    """Days off; what can't be read is no day off."""
    days = set()
    for day in expert.away:
        try:
            days.add(date.fromisoformat(day))
        except (ValueError, TypeError):
            continue
    return frozenset(days)


@dataclass(frozen=True, slots=True)
class ExpertView:
    """One expert for the desk: there now, or the next appointments."""

    id: int
    name: str
    field: str
    field_label: str
    unit: str
    user_id: int | None
    has_phone: bool
    now: bool
    hours_text: str
    slots: tuple[datetime, ...]


def experts(*, field: str = "", at: datetime | None = None) -> list[ExpertView]:
    """The experts in the asker's scope, those on duty now first."""
    local = clock.local(at or clock.now())
    rows = Expert.objects.filter(active=True)
    rows = rows.filter(field=field) if field else rows
    taken: dict[int, set[datetime]] = {}
    for expert_id, when in Booking.objects.filter(state__in=["booked", "reminded"]).values_list("expert_id", "at"):
        taken.setdefault(expert_id, set()).add(clock.local(when))
    views = []
    for row in rows:
        hours, away = hours_of(row.hours), away_of(row)
        views.append(ExpertView(
            row.pk, row.name, row.field, FIELDS[row.field], row.unit, row.user_id, bool(row.phone),
            rules.reachable(hours, local, away=away), _words(hours),
            tuple(rules.next_slots(hours, local, taken.get(row.pk, set()), away=away)),
        ))  # fmt: skip
    return sorted(views, key=lambda v: (not v.now, v.field, v.name))


def _words(hours: Mapping[int, Sequence[tuple[time, time]]]) -> str:
    return "；".join(
        f"{DAYS[day]} " + "、".join(f"{a:%H:%M}-{b:%H:%M}" for a, b in spans) for day, spans in sorted(hours.items())
    )


def bookings(*, states: Sequence[str] = ("booked", "reminded", "missed"), limit: int = 100) -> list[Booking]:
    """Appointments in these states, the next first."""
    return list(Booking.objects.filter(state__in=states).select_related("expert", "elder").order_by("at")[:limit])


def expert(expert_id: int) -> Expert:
    """One expert; Expert.DoesNotExist when out of scope."""
    return Expert.objects.get(pk=expert_id)


def shift_ends(now: datetime, *, place: str) -> list[datetime]:
    """When shifts of leads end in the next twelve hours."""
    rows = Duty.objects.filter(
        post="lead", place=place, struck_at=None, end__gt=now, end__lte=now + timedelta(hours=12)
    )
    return sorted(set(rows.values_list("end", flat=True)))
