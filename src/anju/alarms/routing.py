"""One batch of the router: what devices said becomes vitals, alarms, and one settled line for each signal.

Everything of a batch happens in one transaction, the cursor included: a router that is killed at any point leaves nothing
half done, and the next one begins where the last commit ended. Inside it each alarm has its own savepoint, so a message
that can't be handled hurts only itself; an SOS in it goes to the desk all the same, as one of an unknown home.

Order of locks, the same in every batch: lanes, seen keys (sorted), vitals (by device), alarms and their cases.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import OperationalError, transaction

from anju.alarms import actions, noting, queries, storms, witnesses
from anju.alarms.faults import TroubleLine, is_database_gone, poison, words
from anju.alarms.models import Alarm, Trouble
from anju.alarms.rules import ALARM, DRILL, NO_ALARM, QUARANTINED, Known, Rule, Verdict, judge, rule_for
from anju.devices import queries as devices
from anju.devices.models import RECEIVING_DISTRICT
from anju.devices.queries import DeviceInfo
from anju.kernel import clock, locks
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals import actions as signal_actions
from anju.signals import queries as signals
from anju.signals.signal import Heard, Routed, RoutedSignal, Signal

_log = logging.getLogger(__name__)
_NO_UID: Final = UUID(int=0)
BACKOFF: Final = (1, 2, 5, 10, 30, 60, 120, 300)
"""Seconds until the next attempt at a pending signal."""
TIMES: Final = 3
"""How often a batch that loses its locks is tried as a whole, before its messages are tried one by one."""


@dataclass(slots=True)
class Round:
    """What one batch came to. `urgent_waits` are the seconds from receipt to the desk of each alarm it raised."""

    messages: int = 0
    duplicates: int = 0
    undecodable: int = 0
    signals: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    raised_at: list[datetime] = field(default_factory=list)
    sources: dict[str, list[datetime]] = field(default_factory=dict)
    troubles: list[TroubleLine] = field(default_factory=list)

    def count(self, outcome: str) -> None:
        """One more signal with this outcome."""
        self.signals += 1
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def route_some(*, urgent: bool, limit: int) -> Round:
    """Route the next messages of the urgent or the other lanes. An empty round means that nothing waited.

    If the batch as a whole can't be stored, it is routed again message by message, so that the lane goes on. A lock lost
    to somebody else is nobody's fault: the whole batch is given back, with the locks that the other one waits for, and
    taken again.
    """
    try:
        done = locks.again(lambda: _route(urgent=urgent, limit=limit, tame=False), times=TIMES)
    except Exception as error:
        if is_database_gone(error):
            raise
        _log.exception("a batch could not be routed; taking it message by message")
        done = _route_singly(urgent=urgent, limit=limit)
    _report(done.troubles)
    return done


def _route_singly(*, urgent: bool, limit: int) -> Round:
    total = Round()
    for _ in range(max(1, min(limit, 50))):
        try:
            one = _route(urgent=urgent, limit=1, tame=False)
        except Exception as error:
            if is_database_gone(error):
                raise
            if locks.is_lost(error):
                break  # it waits in its lane; the next round begins with it
            one = _route(urgent=urgent, limit=1, tame=True, error=words(error))
        if not one.messages:
            break
        total = _add(total, one)
    return total


def _add(a: Round, b: Round) -> Round:
    outcomes = {k: a.outcomes.get(k, 0) + b.outcomes.get(k, 0) for k in {*a.outcomes, *b.outcomes}}
    sources = {k: a.sources.get(k, []) + b.sources.get(k, []) for k in {*a.sources, *b.sources}}
    return Round(a.messages + b.messages, a.duplicates + b.duplicates, a.undecodable + b.undecodable,
                 a.signals + b.signals, outcomes, a.raised_at + b.raised_at, sources, a.troubles + b.troubles)  # fmt: skip


def _route(*, urgent: bool, limit: int, tame: bool, error: str = "") -> Round:
    done = Round()
    with seen_by(EVERYWHERE), transaction.atomic():
        batch = signals.next_batch(limit, urgent=urgent)
        if not batch:
            return done
        fresh_ids = signal_actions.claim(batch)
        fresh = [heard for heard in batch if (heard.lane_id, heard.seq) in fresh_ids]
        known = devices.by_keys(key for heard in fresh for key in heard.keys)
        desk = _Desk(known, {} if tame else queries.open_causes({info.id for info in known.values()}), error)
        if not (tame or urgent):
            desk.troubles += noting.note(fresh, desk.device_of)
        routed = [desk.route(heard, new=(heard.lane_id, heard.seq) in fresh_ids) for heard in batch]
        if not tame:
            desk.troubles += noting.note_life(fresh, desk.device_of, give_way=urgent)
        signal_actions.settle([_tamed(r) for r in routed] if tame else routed)
    if urgent and not tame:
        desk.troubles += noting.note_without_waiting(fresh, desk.device_of)
    done.troubles = desk.troubles
    for result in routed:
        _count(done, result)
    return done


def _count(done: Round, result: Routed) -> None:
    done.messages += 1
    done.sources.setdefault(result.heard.source, []).append(result.heard.received_at)
    if result.outcome == "duplicate":
        done.duplicates += 1
    elif result.outcome == "undecodable":
        done.undecodable += 1
        subject = f"{result.heard.source} {result.heard.product_id}".strip()
        done.troubles.append(
            (Trouble.Kind.UNDECODABLE, subject, f"{subject} 的报文无法解析，原文已留存：{result.heard.note}")
        )
    for signal in result.signals:
        done.count(signal.outcome)
        if signal.outcome in {"opened", "joined"}:
            done.raised_at.append(result.heard.received_at)


def _tamed(result: Routed) -> Routed:
    """Without whatever the database may have refused: a reading, or text with a NUL in it."""
    tame = [replace(s, signal=replace(s.signal, value=None, kind=s.signal.kind[:20])) for s in result.signals]
    return replace(result, signals=tame)


class _Desk:
    """What a batch must know while it goes through its messages: devices, and the alarms that are open on them."""

    def __init__(self, known: dict[str, DeviceInfo], causes: dict[int, set[str]], error: str) -> None:
        self.known, self.causes, self.error = known, causes, error
        self.judged = {info.id: _known(info) for info in known.values()}
        self.troubles: list[TroubleLine] = []

    def device_of(self, heard: Heard) -> DeviceInfo | None:
        """The registered device that sent this message, or None."""
        return next((self.known[key] for key in heard.keys if key in self.known), None)

    def route(self, heard: Heard, *, new: bool) -> Routed:
        """One message → its settled lines."""
        if not new:
            return Routed(heard, "duplicate")
        if heard.signals is None:
            return Routed(heard, "undecodable", error=heard.note)
        device = self.device_of(heard)
        rows = [self.signal(heard, nth, signal, device) for nth, signal in enumerate(heard.signals)]
        return Routed(heard, "signals", rows)

    def signal(self, heard: Heard, nth: int, signal: Signal, device: DeviceInfo | None) -> RoutedSignal:
        """One signal → its line, with the alarm that it raised."""
        place, home_id, device_id = RECEIVING_DISTRICT, None, None
        if device is not None:
            place, home_id, device_id = device.place or RECEIVING_DISTRICT, device.home_id, device.id
        row = RoutedSignal(nth, signal, NO_ALARM, place, device_id=device_id, home_id=home_id)
        if self.error:
            rule = rule_for(signal)
            return (
                self._despite(row, heard, rule, device, self.error)
                if rule
                else replace(row, reason=f"处理失败：{self.error}"[:200])
            )
        causes = frozenset(self.causes.get(device_id, ())) if device_id is not None else frozenset()
        verdict = judge(
            signal, self.judged[device.id] if device else None, received_at=heard.received_at, source=heard.source,
            open_causes=causes, battery=heard.vitals.get("battery"),
        )  # fmt: skip
        if (why := witnesses.withheld(signal.kind, home_id)) != "":
            return replace(row, signal=replace(signal, value=None), outcome=verdict.outcome, reason=why)
        if verdict.outcome in {NO_ALARM, QUARANTINED} and not verdict.recovers and not verdict.reset:
            return replace(row, outcome=verdict.outcome, reason=verdict.reason)
        return _patiently(
            lambda: self._act(row, heard, verdict, device),
            lambda error: self._despite(row, heard, verdict.rule, device, error),
        )

    def _act(self, row: RoutedSignal, heard: Heard, verdict: Verdict, device: DeviceInfo | None) -> RoutedSignal:
        if device is not None and verdict.recovers:
            actions.recover(device_id=device.id, causes=verdict.recovers, reason=_recovered(row.signal))
            self.causes[device.id] = self.causes.get(device.id, set()) - verdict.recovers
        if device is not None and verdict.reset:
            actions.note_reset(device_id=device.id, at=row.signal.at)
        if verdict.rule is None or verdict.outcome not in {ALARM, DRILL}:
            return replace(row, outcome=verdict.outcome, reason=verdict.reason)
        if verdict.rule.kind == "silent" and row.home_id is not None and storms.holds(row.home_id):
            return replace(row, outcome=NO_ALARM, reason="区域失联，已在名单中")
        alarm = raise_for(row, heard, verdict.rule, device, note=verdict.reason, drill=verdict.outcome == DRILL)
        if device is not None and verdict.rule.technical and alarm.state == Alarm.State.OPEN:
            self.causes.setdefault(device.id, set()).add(verdict.rule.kind)
        return replace(row, outcome=outcome_of(alarm), reason=alarm.join_reason or verdict.reason, alarm_id=alarm.pk)

    def _despite(
        self, row: RoutedSignal, heard: Heard, rule: Rule | None, device: DeviceInfo | None, error: str
    ) -> RoutedSignal:
        """The signal could not be handled as it should: an emergency rings as one of an unknown home, the rest waits."""
        self.troubles.append(poison(heard.source, error))
        if rule is not None and not rule.technical:
            try:
                with transaction.atomic():
                    return _as_unknown(row, heard, rule, device, error)
            except Exception as second:
                if is_database_gone(second) or locks.is_lost(second):
                    raise
                error = f"{error}；按未知家庭报警也失败：{words(second)}"
                _log.exception("an emergency could not be raised even as unknown")
        retry_at = clock.now() + timedelta(seconds=BACKOFF[0])
        return replace(row, outcome="pending", reason=error[:500], attempts=1, retry_at=retry_at)


def _as_unknown(row: RoutedSignal, heard: Heard, rule: Rule, device: DeviceInfo | None, error: str) -> RoutedSignal:
    where = (
        f"设备 {device.imei} {device.position}"
        if device is not None
        else f"设备 {heard.device_key or heard.operator_id}"
    )
    note = f"资料读取失败，按未知家庭报警。{where.strip()}。{error}"
    alarm = raise_for(replace(row, device_id=None, home_id=None), heard, rule, device, note=note)
    return replace(row, outcome=outcome_of(alarm), reason=note[:200], alarm_id=alarm.pk)


def raise_for(
    row: RoutedSignal, heard: Heard, rule: Rule, device: DeviceInfo | None, *, note: str = "", drill: bool = False
) -> Alarm:
    """The alarm of one signal: its codes where it has them, else those of the table; where it hangs from the record."""
    signal = row.signal
    stranger = "" if device is not None else f"设备号 {heard.device_key or heard.operator_id or '未知'}"
    return actions.raise_or_join(
        rule=replace(rule, dty=signal.dty or rule.dty, stc=signal.stc or rule.stc),
        at=signal.at,
        received_at=heard.received_at,
        source=heard.source,
        place=row.place,
        home_id=row.home_id,
        device_id=row.device_id,
        lco=signal.lco or (device.lco if device is not None else ""),
        where=device.position if device is not None else "",
        note="；".join(part for part in (note, stranger, heard.note) if part),
        message_id=heard.id,
        nth=row.nth,
        drill=drill,
    )


def outcome_of(alarm: Alarm) -> str:
    """The ledger's word for what became of the signal of this alarm."""
    return {Alarm.State.JOINED: "joined", Alarm.State.DRILL: "drill"}.get(Alarm.State(alarm.state), "opened")


def _patiently(act: Callable[[], RoutedSignal], despite: Callable[[str], RoutedSignal]) -> RoutedSignal:
    """Act in a savepoint. A lock lost to somebody else gives the batch back; anything else is the signal's own fault."""
    for attempt in (1, 2, 3):
        try:
            with transaction.atomic():
                return act()
        except OperationalError as error:
            if is_database_gone(error) or locks.is_lost(error):
                raise
            if attempt == 3:
                return despite(words(error))
        except Exception as error:
            if is_database_gone(error):
                raise
            _log.exception("a signal could not be handled")
            return despite(words(error))
    raise AssertionError("unreachable")


def _report(troubles: list[TroubleLine]) -> None:
    """Tell of troubles in transactions of their own: their rows must not make routers wait for each other."""
    latest = {(kind, subject): text for kind, subject, text in troubles}
    for (kind, subject), text in latest.items():
        try:
            with seen_by(EVERYWHERE), transaction.atomic():
                actions.trouble(kind=kind, subject=subject, text=text)
        except Exception as error:
            if is_database_gone(error):
                raise
            _log.exception("could not report a trouble")


def _recovered(signal: Signal) -> str:
    words = {
        "tamper_clear": "防拆已恢复",
        "battery": "电池已更换",
        "fault_clear": "故障已恢复",
        "mains_clear": "市电已恢复",
    }
    return words.get(signal.kind, "设备已恢复上报")


def _known(info: DeviceInfo) -> Known:
    return Known(info.id, info.status == "installed", info.home_id, info.battery_low, info.test_from, info.test_until)


# --- what waits ------------------------------------------------------------------------------------------------------


def retry_pending(limit: int = 20) -> int:
    """Try again what could not be handled; answers how many are settled now. Each in its own transaction."""
    settled, troubles = 0, list[TroubleLine]()
    for _ in range(limit):
        try:
            with seen_by(EVERYWHERE), transaction.atomic():
                due = signals.due_pending(clock.now(), 1)
                if not due:
                    break
                row = _retry(due[0], troubles)
        except OperationalError as error:
            if is_database_gone(error) or not locks.is_lost(error):
                raise
            break  # it stays due
        settled += row.outcome != "pending"
    _report(troubles)
    return settled


def _retry(pending: signals.PendingSignal, troubles: list[TroubleLine]) -> RoutedSignal:
    device = devices.by_id(pending.device_id) if pending.device_id is not None else None
    heard = Heard(
        lane_id=pending.message_id >> 40, seq=pending.message_id & ((1 << 40) - 1), received_at=pending.received_at,
        urgent=False, source=pending.source, device_key=device.imei if device else "", operator_id="", product_id="",
        device_at=None, uid=_NO_UID, dedup=b"", windowed=False, kind="retry", signals=(pending.signal,),
    )  # fmt: skip
    desk = _Desk({device.imei: device} if device else {}, queries.open_causes({device.id} if device else set()), "")
    row = desk.signal(heard, pending.nth, pending.signal, device)
    troubles += desk.troubles
    again = None
    if row.outcome == "pending":
        again = clock.now() + timedelta(seconds=BACKOFF[min(pending.attempts, len(BACKOFF) - 1)])
    signal_actions.resolve(
        signal_id=pending.id, outcome=row.outcome, reason=row.reason, alarm_id=row.alarm_id, attempts=pending.attempts + 1,
        retry_at=again,
    )  # fmt: skip
    return row
