"""Pure decisions of the switchboard: who is calling, who waits first, which seat rings next. No Django, no clock, no I/O."""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

EMERGENCY, ALARM_DEVICE, SERVICE = 9, 7, 1
"""Priorities of arrival (SCAIP 0-9): an emergency key or number, a known alarm device, anything else."""
URGENT = 7
"""From here on a caller needs no skill, waits for no prompt and rings several seats at once."""
MISSES_UNTIL_BREAK = 2
"""So many calls in a row that a seat lets ring; then it goes to break "未接" and is not rung again until it is ready."""
LEADS, EVERYBODY, RESCUE = 1, 2, 3
"""Levels of overflow: 0 the queue's own seats, then leads too, then every seat, then the dialplan's ring-all."""

_SHORT = frozenset({"110", "112", "119", "120", "122"})


def digits(number: str) -> str:
    """Only its figures; "" for a caller who withholds hers ("anonymous", "Restricted", "")."""
    found = re.sub(r"[^\d]", "", number)
    return found if re.search(r"\d", number) else ""


_EXTENSION = re.compile(r"[,，;；#转x]|分机|ext", re.IGNORECASE)


def dialable(number: str) -> str:
    """The number as a trunk wants it: "+86 138-0000-0000" → "13800000000"; "" when it is none.

    An extension is left out ("8888 0001 转 801"): dialled behind the number it would be somebody else's.
    """
    line = _EXTENSION.split(number.strip(), maxsplit=1)[0]
    found = re.sub(r"^(\+86|0086|86(?=1[3-9]\d{9}$))", "", re.sub(r"[^\d+]", "", line))
    found = found.lstrip("+")
    return found if found in _SHORT or 3 <= len(found) <= 20 else ""


def has_extension(number: str) -> bool:
    """Whether a switchboard answers first: a person can ask for her there, a robot would speak to whoever lifts."""
    return _EXTENSION.search(number) is not None


def variants(number: str, area: str = "") -> tuple[str, ...]:
    """Under which spellings an archive may know this caller, the likeliest first; () for an anonymous one.

    Mobile: with and without +86, 0086, 86, a leading 0 (trunks add it to foreign mobiles). Fixed line: with and without
    the area code `area` ("0571").
    """
    plain = re.sub(r"[^\d+]", "", number.strip())
    if not re.search(r"\d", plain):
        return ()
    bare = re.sub(r"^(\+86|0086)", "", plain).lstrip("+")
    found = [bare]
    if re.fullmatch(r"86(1[3-9]\d{9}|0\d{9,11})", bare):
        found.append(bare[2:])
    if re.fullmatch(r"01[3-9]\d{9}", bare):
        found.append(bare[1:])
    if re.fullmatch(r"[1-9]\d{8,10}", bare) and not re.fullmatch(r"1[3-9]\d{9}", bare):
        found.append(f"0{bare}")
    if area and re.fullmatch(r"[2-9]\d{6,7}", bare):
        found.append(area + bare)
    if area and bare.startswith(area) and len(bare) >= len(area) + 7:
        found.append(bare[len(area) :])
    return tuple(dict.fromkeys(f for f in found if f))


LOCAL = 7
"""Figures of the shortest number that is dialled without its area code."""


def is_called(dialled: str, ours: str) -> bool:
    """Whether what a trunk says was dialled is our number: with something before it, or without its 0 or its area code.

    Carriers hand a fixed line over as 0571…, 571…, +86571…, 0086571… or as its last seven or eight figures; taken for an
    unknown number, the emergency line was none.
    """
    figures = re.sub(r"\D", "", dialled)
    bare = ours.lstrip("0")
    return (
        dialled.endswith(ours)
        or (len(bare) > LOCAL and figures.endswith(bare))
        or (len(figures) >= LOCAL and ours.endswith(figures))
    )


@dataclass(frozen=True, slots=True)
class Waiter:
    """A call that waits. `since` is its arrival in seconds on any one clock."""

    call_id: str
    priority: int
    since: float
    queue: str = ""
    skills: frozenset[str] = frozenset()
    level: int = 0
    only: str = ""
    """A blind transfer waits for this seat alone (while it lasts)."""
    refused: frozenset[str] = frozenset()
    """Seats that this call rang in vain since it last ran out of seats."""
    at_once: int = 1
    """Seats that may ring for it together."""
    ringing: int = 0
    """Seats that ring for it already."""
    serves: frozenset[str] = frozenset()
    """Seats that answer for the place of the number that was called; empty: all do."""


@dataclass(slots=True)
class Chair:
    """A seat as routing sees it. Hundreds are made for one ring, so it is not frozen, which would be three times as slow."""

    extension: str
    idle_since: float
    ready: bool = True
    """False: on break or writing up; rung only when everybody is."""
    registered: bool = True
    is_lead: bool = False
    queue: str = ""
    skills: frozenset[str] = frozenset()
    levels: dict[str, int] = field(default_factory=dict)


def order(waiters: Iterable[Waiter]) -> list[Waiter]:
    """Who is served first: the higher priority, then the older call, then by id so that the order is one."""
    return sorted(waiters, key=lambda w: (-w.priority, w.since, w.call_id))


def may_take(chair: Chair, waiter: Waiter) -> bool:
    """Whether this seat may be rung for this call at the level that it has reached.

    Level 0: agents of the queue (a seat moved to a queue takes only that one) who have every skill it wants and, when the
    called number belongs to a place, answer for it. Level 1:
    leads too. Level 2: whatever the queue and the skills; for an urgent caller also who is on break or writes up. An
    urgent caller asks for no skill and no queue from the beginning: any agent, at once.
    """
    urgent = waiter.priority >= URGENT
    if not chair.registered or not (chair.ready or (urgent and waiter.level >= EVERYBODY)):
        return False
    if waiter.only:
        return chair.extension == waiter.only
    if chair.is_lead:
        return waiter.level >= LEADS
    if waiter.level >= EVERYBODY or urgent:
        return True
    if waiter.serves and chair.extension not in waiter.serves:
        return False
    return chair.queue in {"", waiter.queue} and waiter.skills <= chair.skills


def candidates(waiter: Waiter, chairs: Iterable[Chair], most: int = 10_000) -> list[Chair]:
    """The seats to ring (so many at most), the best first: not yet rung for this call, of the number's own place, its queue's
    own, best skilled, longest idle.

    A seat that was rung in vain comes again only when no other is left, and never a second time at once.
    """
    able = [c for c in chairs if may_take(c, waiter)]
    fresh = [c for c in able if c.extension not in waiter.refused]

    def rank(chair: Chair) -> tuple[bool, bool, bool, bool, int, float, str]:
        skill = sum(chair.levels.get(s, 0) for s in waiter.skills) if waiter.skills else 0
        return (
            not chair.ready, chair.is_lead, bool(waiter.serves) and chair.extension not in waiter.serves,
            chair.queue != waiter.queue, -skill, chair.idle_since, chair.extension,
        )  # fmt: skip

    return heapq.nsmallest(most, fresh, key=rank)


def match(waiters: Iterable[Waiter], chairs: Sequence[Chair]) -> list[tuple[Waiter, list[Chair]]]:
    """Which call rings which seats now, in the order of who is served first. No seat is given twice.

    Several seats ring for one caller only while enough are left for every caller behind her.
    """
    free = {c.extension: c for c in chairs}
    found: list[tuple[Waiter, list[Chair]]] = []
    line = order(waiters)
    for n, waiter in enumerate(line):
        if not free:
            break
        wanted = waiter.at_once - waiter.ringing
        share = wanted
        if wanted > 1 or (waiter.ringing and wanted > 0):
            behind = sum(1 for w in line[n + 1 :] if not w.ringing and any(may_take(c, w) for c in free.values()))
            share = min(wanted, max(len(free) - behind, 0 if waiter.ringing else 1))
        chosen = candidates(waiter, free.values(), share) if share > 0 else []
        if chosen:
            found.append((waiter, chosen))
            for chair in chosen:
                del free[chair.extension]
    return found


def after_miss(misses: int, cause: str) -> tuple[int, bool]:
    """Misses of a seat after a ring that was not answered, and whether it goes to break "未接" now.

    Busy and unregistered are no misses: the seat is simply not there.
    """
    if cause in {"busy", "unreachable"}:
        return misses, False
    return misses + 1, misses + 1 >= MISSES_UNTIL_BREAK


def outcome(cause: str, *, answered: bool, rang: bool) -> str:
    """The result of a leg from the engine's cause."""
    if answered:
        return "answered"
    return {
        "busy": "busy",
        "refused": "refused",
        "unknown_number": "refused",
        "unreachable": "unreachable",
        "no_answer": "no_answer",
    }.get(cause, "no_answer" if rang else "refused")


def arrival(*, emergency_key: bool, emergency_number: bool, alarm_device: bool, known: bool) -> int:
    """Priority of a call that comes in, 0-9."""
    if emergency_key or emergency_number:
        return EMERGENCY
    if alarm_device:
        return ALARM_DEVICE
    return SERVICE + (1 if known else 0)


def prefixed(number: str, prefixes: Collection[str]) -> bool:
    """Whether the number begins with one of these."""
    return any(number.startswith(p) for p in prefixes)
