"""The same counts from plain records, call by call: the definition that an inspector can follow, and the SQL must agree with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from anju.calls.kpis.definitions import SAME_MATTER, SHORT, Counts

SATISFIED_FROM = 4
"""The survey after the call gives 1 (worst) to 5 (best); 4 and 5 are satisfied, 0 is no answer."""


@dataclass(frozen=True, slots=True)
class LegRecord:
    """A seat that was rung for a call."""

    user: int
    seat: str
    ringing: datetime | None
    answered: datetime | None = None
    ended: datetime | None = None
    wrapped: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call with its seats. `by_person`: an agent dialled it. `caller` is "" for a hidden number."""

    incoming: bool
    arrived: datetime
    answered: datetime | None
    ended: datetime | None
    caller: str = ""
    resolved: bool | None = None
    satisfaction: int = 0
    by_person: bool = True
    legs: tuple[LegRecord, ...] = ()


def count(calls: Iterable[CallRecord], others: Sequence[CallRecord] = ()) -> Counts:
    """Counts of these calls; `others` are calls outside the period that may belong to the same matter."""
    mine = list(calls)
    near = _by_caller([*mine, *others])
    total = Counts()
    for call in mine:
        total += _incoming(call, near) if call.incoming else _outgoing(call)
    return total


def _outgoing(call: CallRecord) -> Counts:
    if not call.by_person:
        return Counts()
    return Counts(outgoing=1, outgoing_answered=int(call.answered is not None))


def _incoming(call: CallRecord, near: Mapping[str, Sequence[CallRecord]]) -> Counts:
    if call.answered is None and call.ended is None:
        return Counts()  # still waiting: not yet counted
    wrapped = [leg for leg in call.legs if leg.wrapped and leg.ended]
    wrap = sum((leg.wrapped - leg.ended).total_seconds() for leg in wrapped if leg.wrapped and leg.ended)
    if call.answered is None:
        short = call.ended is not None and call.ended - call.arrived < SHORT
        return Counts(offered=1, abandoned=1, abandoned_short=int(short), wrapped=len(wrapped), wrap_seconds=wrap)
    wait = call.answered - call.arrived
    first = call.resolved is not None and not _near(call, near, before=True)
    solved = first and bool(call.resolved) and _takers(call) <= 1 and not _near(call, near, before=False)
    return Counts(
        offered=1, answered=1, wait_seconds=wait.total_seconds(), wrapped=len(wrapped), wrap_seconds=wrap,
        talked=int(call.ended is not None), talk_seconds=(call.ended - call.answered).total_seconds() if call.ended else 0.0,
        judged=int(first), solved=int(solved), rated=int(call.satisfaction > 0), satisfied=int(call.satisfaction >= SATISFIED_FROM),
        **levels(wait),
    )  # fmt: skip


def levels(wait: timedelta) -> dict[str, int]:
    """In which of the four levels an answer after this wait lies."""
    return {f"within_{n}": int(wait <= timedelta(seconds=n)) for n in (15, 20, 60, 180)}


def _takers(call: CallRecord) -> int:
    return len({leg.user for leg in call.legs if leg.answered})


def _by_caller(calls: Iterable[CallRecord]) -> dict[str, list[CallRecord]]:
    found: dict[str, list[CallRecord]] = {}
    for call in calls:
        if call.caller and call.incoming and call.answered:
            found.setdefault(call.caller, []).append(call)
    return found


def _near(call: CallRecord, near: Mapping[str, Sequence[CallRecord]], *, before: bool) -> bool:
    """Whether the same number got through within a day before (or after) this call."""
    for other in near.get(call.caller, ()):
        gap = call.arrived - other.arrived if before else other.arrived - call.arrived
        if timedelta(0) < gap <= SAME_MATTER:
            return True
    return False


def count_legs(call: CallRecord, leg: LegRecord) -> Counts:
    """What one ringing of one seat counts for this agent and this seat."""
    if leg.ringing is None and leg.answered is None:
        return Counts()
    wrap = (leg.wrapped - leg.ended).total_seconds() if leg.wrapped and leg.ended else None
    after = Counts(wrapped=int(wrap is not None), wrap_seconds=wrap or 0.0)
    if leg.answered is None:
        if leg.ended is None:
            return Counts()  # still ringing
        if call.answered is None and call.ended is not None and call.ended <= leg.ended + timedelta(seconds=1):
            return after + Counts(offered=1, abandoned=1)  # the caller gave up while it rang here
        if call.answered is not None and leg.ringing is not None and leg.ringing <= call.answered <= leg.ended:
            return after  # somebody else was faster: no fault and no merit of this seat
        return after + Counts(offered=1, missed=1)
    first = call.answered is not None and leg.answered <= call.answered + timedelta(seconds=1)
    wait = leg.answered - (call.arrived if first or leg.ringing is None else leg.ringing)
    return after + Counts(
        offered=1, answered=1, wait_seconds=wait.total_seconds(), talked=int(leg.ended is not None),
        talk_seconds=(leg.ended - leg.answered).total_seconds() if leg.ended else 0.0,
        rated=int(first and call.satisfaction > 0), satisfied=int(first and call.satisfaction >= SATISFIED_FROM), **levels(wait),
    )  # fmt: skip
