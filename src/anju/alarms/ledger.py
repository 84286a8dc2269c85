"""The ledger: every acknowledged message and every alarm accounted for, counted from the rows (architecture §6, LEAP-02).

    message = duplicate + undecodable + waiting + with signals;      a message's signals = as many rows as it decoded to
    signal  = no_alarm + opened + joined + drill + quarantined + pending;   the last four outcomes' alarms exist
    alarm   = open + closed (by whom, why) + joined (why) + drill;   an alarm of a signal is named by that signal
    lane    = numbered without a gap, so that a row that is gone is missed

Nothing here trusts a counter. It is one snapshot: the router commits messages, signals, alarms and cursor together, so the
ledger balances at any moment, also while a thousand messages a second go through. It counts for the whole platform; who may
see it is the asker's business (no line names a home).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.db import connection, transaction

from anju.kernel import clock

Step = Literal["minute", "hour", "day"]
LATE: Final = timedelta(seconds=5)
"""Anything that waits longer is an alarm of its own."""
SOURCES: Final = {
    "ctwing": "电信 CTWing",
    "onenet": "移动 OneNET",
    "mqtt": "MQTT 直连",
    "generic": "通用接口",
    "platform": "平台自身",
    "manual": "人工登记",
    "phone": "电话",
}


@dataclass(slots=True)
class LedgerLine:
    """One source in one minute (or hour, or day; or everything, as the total)."""

    source: str
    start: datetime | None
    messages: int = 0
    duplicates: int = 0
    undecodable: int = 0
    waiting: int = 0
    with_signals: int = 0
    expected: int = 0
    signals: int = 0
    no_alarm: int = 0
    opened: int = 0
    joined: int = 0
    drill: int = 0
    quarantined: int = 0
    pending: int = 0
    alarms: int = 0
    alarms_open: int = 0
    alarms_closed: int = 0
    alarms_joined: int = 0
    alarms_drill: int = 0
    wrong_messages: int = 0
    wrong_signals: int = 0
    wrong_alarms: int = 0

    @property
    def difference(self) -> int:
        """How many rows do not add up; 0 = balanced."""
        of_messages = abs(self.messages - self.duplicates - self.undecodable - self.waiting - self.with_signals)
        named = self.no_alarm + self.opened + self.joined + self.drill + self.quarantined + self.pending
        of_alarms = abs(self.alarms - self.alarms_open - self.alarms_closed - self.alarms_joined - self.alarms_drill)
        return (
            of_messages
            + abs(self.signals - named)
            + of_alarms
            + self.wrong_messages
            + self.wrong_signals
            + self.wrong_alarms
        )

    @property
    def source_label(self) -> str:
        """The source as people know it."""
        return SOURCES.get(self.source, self.source)

    def add(self, other: LedgerLine) -> None:
        """Sum up."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


COUNTS: Final = tuple(name for name in LedgerLine.__slots__ if name not in {"source", "start"})


@dataclass(frozen=True, slots=True)
class LaneGap:
    """Messages that a lane once numbered and that are no longer there."""

    lane_id: int
    gateway: str
    missing: int


@dataclass(slots=True)
class Ledger:
    """The books of a span of time, from one snapshot."""

    since: datetime
    until: datetime
    at: datetime
    lines: list[LedgerLine]
    gaps: list[LaneGap] = field(default_factory=list)
    late_messages: int = 0
    late_signals: int = 0

    @property
    def total(self) -> LedgerLine:
        """All lines together."""
        total = LedgerLine("", None)
        for line in self.lines:
            total.add(line)
        return total

    @property
    def balances(self) -> bool:
        """Whether every row is accounted for."""
        return not self.gaps and all(line.difference == 0 for line in self.lines)

    @property
    def differences(self) -> list[str]:
        """What does not add up, in Chinese sentences; empty when all is well."""
        said = []
        for line in self.lines:
            if line.difference:
                when = clock.local(line.start).strftime("%m-%d %H:%M") if line.start else ""
                said.append(f"{when} {line.source_label}：差 {line.difference}（{_why(line)}）")
        return said + [f"通道 {gap.lane_id}（{gap.gateway}）缺 {gap.missing} 条报文" for gap in self.gaps]

    def as_json(self) -> dict[str, Any]:
        """For the command and the API; times are ISO 8601."""
        total = self.total

        def plain(line: LedgerLine) -> dict[str, Any]:
            start = line.start.isoformat() if line.start else None
            return asdict(line) | {"start": start, "difference": line.difference}

        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "at": self.at.isoformat(),
            "balances": self.balances,
            "differences": self.differences,
            "late_messages": self.late_messages,
            "late_signals": self.late_signals,
            "lane_gaps": [asdict(gap) for gap in self.gaps],
            "total": plain(total),
            "lines": [plain(line) for line in self.lines],
        }


def _why(line: LedgerLine) -> str:
    parts = [
        (line.wrong_messages, "条报文的信号数不符"),
        (line.wrong_signals, "条信号的告警不存在"),
        (line.wrong_alarms, "条告警没有对应信号"),
    ]
    return "，".join(f"{n} {text}" for n, text in parts if n) or "分类之和不等于总数"


def ledger(since: datetime, until: datetime, *, step: Step = "minute") -> Ledger:
    """The books of what was received in [since, until), per source and `step`."""
    if step not in {"minute", "hour", "day"}:
        raise ValueError(f"unknown step {step!r}")
    with _snapshot():
        lines = _lines(since, until, step)
        gaps = _gaps(since, until)
        late_messages, late_signals = _late(since, until)
    return Ledger(since, until, clock.now(), lines, gaps, late_messages, late_signals)


@contextmanager
def _snapshot() -> Iterator[None]:
    """All queries see one state of the database. Inside a caller's transaction, the caller's isolation holds."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


_MESSAGES = """
WITH m AS (
  SELECT id, source, received_at, outcome, n FROM signals_message WHERE received_at >= %(since)s AND received_at < %(until)s
), s AS (
  SELECT message_id, min(source) AS source, min(received_at) AS received_at, count(*) AS total,
    count(*) FILTER (WHERE outcome = 'no_alarm') AS no_alarm, count(*) FILTER (WHERE outcome = 'opened') AS opened,
    count(*) FILTER (WHERE outcome = 'joined') AS joined, count(*) FILTER (WHERE outcome = 'drill') AS drill,
    count(*) FILTER (WHERE outcome = 'quarantined') AS quarantined, count(*) FILTER (WHERE outcome = 'pending') AS pending,
    count(*) FILTER (WHERE outcome IN ('opened', 'joined', 'drill')
      AND NOT EXISTS (SELECT 1 FROM alarms_alarm a WHERE a.id = x.alarm_id)) AS homeless
  FROM signals_signal x WHERE received_at >= %(since)s AND received_at < %(until)s GROUP BY message_id
)
SELECT coalesce(m.source, s.source), date_trunc(%(step)s, coalesce(m.received_at, s.received_at), 'Asia/Shanghai'),
  count(m.id), count(*) FILTER (WHERE m.outcome = 'duplicate'), count(*) FILTER (WHERE m.outcome = 'undecodable'),
  count(*) FILTER (WHERE m.outcome = 'pending'), count(*) FILTER (WHERE m.outcome = 'signals'),
  coalesce(sum(m.n) FILTER (WHERE m.outcome = 'signals'), 0), coalesce(sum(s.total), 0), coalesce(sum(s.no_alarm), 0),
  coalesce(sum(s.opened), 0), coalesce(sum(s.joined), 0), coalesce(sum(s.drill), 0), coalesce(sum(s.quarantined), 0),
  coalesce(sum(s.pending), 0), coalesce(sum(s.homeless), 0),
  count(*) FILTER (WHERE m.id IS NULL OR coalesce(s.total, 0) <> CASE WHEN m.outcome = 'signals' THEN m.n ELSE 0 END)
FROM m FULL JOIN s ON s.message_id = m.id GROUP BY 1, 2 ORDER BY 2, 1
"""

_ALARMS = """
SELECT source, date_trunc(%(step)s, received_at, 'Asia/Shanghai'), count(*),
  count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'closed' AND closed_by <> '' AND closed_reason <> ''),
  count(*) FILTER (WHERE state = 'joined' AND join_reason <> ''), count(*) FILTER (WHERE state = 'drill'),
  count(*) FILTER (WHERE message_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM signals_signal s WHERE s.alarm_id = a.id AND s.received_at = a.received_at))
FROM alarms_alarm a WHERE received_at >= %(since)s AND received_at < %(until)s GROUP BY 1, 2
"""


def _lines(since: datetime, until: datetime, step: Step) -> list[LedgerLine]:
    found: dict[tuple[str, datetime], LedgerLine] = {}
    asked = {"since": since, "until": until, "step": step}
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES, asked)
        for source, start, *n in cursor.fetchall():
            line = found.setdefault((source, start), LedgerLine(source, start))
            (
                line.messages, line.duplicates, line.undecodable, line.waiting, line.with_signals, line.expected, line.signals,
                line.no_alarm, line.opened, line.joined, line.drill, line.quarantined, line.pending, line.wrong_signals,
                line.wrong_messages,
            ) = (int(x) for x in n)  # fmt: skip
        cursor.execute(_ALARMS, asked)
        for source, start, *n in cursor.fetchall():
            line = found.setdefault((source, start), LedgerLine(source, start))
            (
                line.alarms, line.alarms_open, line.alarms_closed, line.alarms_joined, line.alarms_drill, line.wrong_alarms,
            ) = (int(x) for x in n)  # fmt: skip
    return [found[key] for key in sorted(found, key=lambda k: (k[1], k[0]))]


_SEEN = """
SELECT id >> 40, min(id), max(id) FROM signals_message WHERE received_at >= %s AND received_at < %s GROUP BY 1
"""
_LANES = """
SELECT l.id, l.gateway, l.opened_at, l.closed_at, greatest(l.last_seq, c.seq)
FROM signals_lane l JOIN signals_cursor c ON c.lane_id = l.id
WHERE (l.opened_at < %s AND (l.closed_at IS NULL OR l.closed_at >= %s)) OR l.id = ANY(%s) ORDER BY l.id
"""
_BEFORE = "SELECT max(id) FROM signals_message WHERE id > %s AND id < %s"
_BETWEEN = "SELECT count(*) FROM signals_message WHERE id BETWEEN %s AND %s"


def _gaps(since: datetime, until: datetime) -> list[LaneGap]:
    """Lanes that touch the span and have a hole in their numbers there, or end before what was acknowledged or read."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [since, until])
        seen = {lane: (low, high) for lane, low, high in cursor.fetchall()}
        cursor.execute(_LANES, [until, since, list(seen)])
        for lane, gateway, opened_at, closed_at, sure in cursor.fetchall():
            zero, missing = lane << 40, 0
            if lane in seen:
                low, high = seen[lane]
                cursor.execute(_BEFORE, [zero, low])
                before = cursor.fetchone()[0]
                start = before if before is not None else (zero + 1 if opened_at >= since else low)
                cursor.execute(_BETWEEN, [start, high])
                missing += high - start + 1 - cursor.fetchone()[0]
            if until > clock.now() or (closed_at is not None and closed_at < until):
                cursor.execute(_BEFORE, [zero, zero + (1 << 40)])
                missing += max(0, sure - ((cursor.fetchone()[0] or zero) - zero))
            if missing:
                found.append(LaneGap(lane, gateway, missing))
    return found


def _late(since: datetime, until: datetime) -> tuple[int, int]:
    asked = [since, min(until, clock.now() - LATE)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM signals_message WHERE outcome = 'pending' AND received_at >= %s AND received_at < %s",
            asked,
        )
        messages = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM signals_signal WHERE outcome = 'pending' AND received_at >= %s AND received_at < %s",
            asked,
        )
        return messages, cursor.fetchone()[0]
