"""From what the queries say to what the templates draw: icons, looks, words. No rules and no queries here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.safestring import SafeString

from anju.incidents.views import CaseView, DutyView, EntryView, MoveView, QueueRow, RungView
from anju.kernel.clock import local
from anju.portals.desk import cards
from anju.signals.queries import Activity

ICONS = (
    ("失联", "deaf"), ("久静", "clock"), ("无活动", "clock"), ("跌", "alert"), ("燃气", "flame"), ("烟", "flame"), ("一氧化碳", "flame"),
    ("火", "flame"), ("水", "drop"), ("来电", "phone-in"), ("门", "door"), ("求助", "sos"), ("回访", "phone"), ("关怀", "heart"),
)  # fmt: skip
"""Icon by a word in the label of the kind; the first that fits, else the alarm triangle."""
GROUPS = {"emergency": "紧急", "warn": "提醒", "work": "回访与演练"}
DIALS = {"call_120": "120", "call_110": "110", "call_119": "119"}
KEYS = {"accept": "a", "ask_b": "b"}
"""Keys of the desk by move."""
SOURCES = {"device": "设备", "A": "A", "B": "B", "lead": "班长", "elder": "老人", "contact": "联系人"}
LOOKS = {
    "alarm": "emergency",
    "late": "warn",
    "overdue": "warn",
    "duty_overdue": "warn",
    "authority": "warn",
    "drill": "work",
}
"""Colour of a line of the story by its kind; what a person did is blue."""
MOVE_LOOKS = {
    "call_120": "emergency", "call_110": "emergency", "call_119": "emergency", "needs_help": "emergency",
    "safe": "ok", "arrived": "ok", "helper_going": "ok", "coming": "ok", "coming_with_key": "ok", "safe_at_home": "ok",
    "no_answer": "warn", "cannot": "warn", "wrong_number": "warn", "nobody_reached": "warn", "not_called": "warn", "unanswered": "warn",
}  # fmt: skip
ASKING = {"ask_120_sent", "ask_120_position", "ask_condition", "ask_state", "ask_scene", "ask_helper"}
"""Duties whose answer belongs into the story: they ask for it."""


RUNG_LOOKS = {
    "coming": ("ok", "route"), "failed": ("warn", "phone"), "ringing": ("work", "phone"), "turn": ("work", "bell"),
    "talking": ("work", "phone"), "unsaid": ("warn", "pen"),
    "ended": ("mute", "check"),
}  # fmt: skip
"""Colour and icon of a contact by the state of the attempt."""


def icon_of(label: str) -> str:
    """The icon of a kind of incident."""
    return next((icon for word, icon in ICONS if word in label), "alert")


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of one urgency, each as its card."""

    kind: str
    label: str
    cards: list[SafeString]


def groups(rows: Iterable[QueueRow], now: datetime, shown: Set[str] = frozenset()) -> list[Group]:
    """The queue by urgency, in the order the query gives. `shown`: versions of cards that the page has already."""
    found: dict[str, list[SafeString]] = {}
    for row in rows:
        look = {"emergency": "emergency", "warn": "warn"}.get(row.kind, "")
        icon = "phone" if row.state == "follow_up" else icon_of(row.kind_label)
        look = "deaf" if look == "warn" and icon == "deaf" else look
        found.setdefault(row.kind, []).append(cards.html(row, look, icon, now, shown))
    return [Group(kind, GROUPS.get(kind, kind), found[kind]) for kind in GROUPS if kind in found]


def ringing(rows: Iterable[QueueRow]) -> int:
    """The highest priority that nobody has taken yet; -1 when nothing rings."""
    return max((row.priority for row in rows if row.ringing), default=-1)


def ladder_rung(rung: RungView) -> dict[str, Any]:
    """A step of the contact ladder as it is drawn."""
    open_ = rung.state in {"turn", "ringing", "talking", "unsaid"}
    facts = "".join(
        part
        for part in (
            " · 持备用钥匙" if rung.has_key else "",
            f" · 约 {rung.eta_minutes} 分到" if rung.eta_minutes else "",
            "" if rung.available else " · 此时通常不便",
        )
    )
    kind, icon = RUNG_LOOKS.get(rung.state, ("mute", "phone"))
    label = rung.result_label
    if rung.state == "coming":
        label = f"赶来 约 {local(rung.eta_at):%H:%M}" if rung.eta_at else "赶来"
    elif open_:
        label = {"turn": "轮到", "ringing": "正在联系", "talking": "通话", "unsaid": "待登记结果"}[rung.state]
    if rung.attempts > 1 and rung.state == "failed":
        label = f"{label} {rung.attempts} 次"
    called = {"turn": "呼叫", "ringing": "再拨", "failed": "重拨", "coming": "再呼", "ended": "再呼"}
    return {
        "index": rung.index, "nth": rung.index + 1, "title": rung.relation or rung.kind_label, "name": rung.name,
        "phone_masked": rung.phone_masked, "facts": facts, "available": rung.available, "has_key": rung.has_key,
        "open": open_ and rung.attempt_id is not None, "attempt_id": rung.attempt_id, "eta_minutes": rung.eta_minutes,
        "state_label": label, "coming": rung.state == "coming", "kind": kind, "icon": icon, "next_due_at": rung.next_due_at,
        "call_label": called.get(rung.state, "呼叫"), "no_call": "" if rung.phone_masked else "没有登记号码",
    }  # fmt: skip


def every_label(seconds: float | None) -> str:
    """ "2 分", "90 秒", "" for once."""
    if not seconds:
        return ""
    return f"{round(seconds / 60)} 分" if seconds >= 60 and seconds % 60 == 0 else f"{round(seconds)} 秒"


def duty_row(duty: DutyView, now: datetime) -> dict[str, Any]:
    """A duty as it is drawn: done once, or coming round with its clock."""
    due, every = duty.due_at, duty.every_seconds
    look = ""
    if due is not None:
        close = every and (due - now) <= timedelta(seconds=every / 3)
        look = "due" if duty.overdue or close else ""
    elif duty.done_at:
        look = "done"
    return {
        "name": duty.name, "label": duty.label, "due_at": due, "every_seconds": every, "every_label": every_label(every),
        "done_at": duty.done_at, "done_by": duty.done_by, "look": look, "fixed": look == "done",
        "asks": duty.name in ASKING, "sent": duty.name == "ask_120_sent",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seat:
    """One column of the duty board."""

    letter: str
    who: str
    about: str
    me: bool
    act: str
    act_label: str
    nothing: str
    duties: list[dict[str, Any]] = field(default_factory=list)


def seats(view: CaseView, user_id: int, now: datetime) -> list[Seat]:
    """Seat A with the helpers, seat B with the elder; whoever is alone sees both."""
    found = []
    head = view.incident
    for letter, about, holder, name in (
        ("A", "呼救 · 联络 · 记录", head.a_seat_id, head.a_seat),
        ("B", "陪护 · 指导", head.b_seat_id, head.b_seat),
    ):
        mine = holder == user_id
        duties = [duty_row(d, now) for d in view.duties if d.seat == letter or (not d.seat and letter == "A")]
        duties.sort(
            key=lambda d: ({"due": 0, "done": 2}.get(d["look"], 1), d["due_at"] or now if d["look"] == "due" else now)
        )
        act, label = ("leave", "离席") if mine else ("take", "入席" if holder is None else "接管")
        if head.state in {"closed", "waiting", "overdue"}:
            act = ""
        who = f"{name}（您）" if mine else name or "空着"
        found.append(Seat(letter, who, about, mine, act, label, "此刻没有这一席的事", duties))
    return found


def entry_row(entry: EntryView) -> dict[str, Any]:
    """A line of the story."""
    person = entry.source not in {"system", "device"}
    move = str(entry.data.get("move") or entry.data.get("result") or "")
    look = MOVE_LOOKS.get(move) or LOOKS.get(entry.kind) or ("work" if person else "")
    return {
        "key": entry.id, "at": entry.at, "who": SOURCES.get(entry.source, ""), "text": entry.text, "look": look,
        "quiet": not person and not look,
    }  # fmt: skip


def split_moves(view: CaseView) -> tuple[Drawn | None, list[Drawn], list[dict[str, Any]]]:
    """(the one primary move, the other moves, the dials 110/119/120)."""
    drawn = [Drawn(m) for m in view.moves]
    dials = [
        {
            "name": m.name,
            "label": ("拨 " if m.name == "call_120" else "") + DIALS[m.name],
            "now": view.incident.state == "rescue_due",
        }
        for m in drawn
        if m.name in DIALS
    ]
    rest = [m for m in drawn if m.name not in DIALS]
    primary = next((m for m in rest if m.move.emphasis == "primary"), None)
    return primary, [m for m in rest if m is not primary], dials


@dataclass(frozen=True, slots=True)
class Drawn:
    """A move with what only the page knows: its key, and whether it stops to ask."""

    move: MoveView

    @property
    def name(self) -> str:
        """The name of the move."""
        return self.move.name

    @property
    def key(self) -> str:
        """The key of the desk that presses it."""
        return KEYS.get(self.move.name, "")

    @property
    def dials(self) -> str:
        """The emergency number it stands for."""
        return DIALS.get(self.move.name, "")

    @property
    def dialog(self) -> bool:
        """Stop and think: dials, reasons, answers that the process wants, and what ends a case."""
        return bool(self.dials or self.move.needs_reason or self.move.fields or self.move.emphasis == "ok")


def steps(view: CaseView) -> list[dict[str, str]]:
    """The bar of five with what is known of each."""
    head = view.incident
    notes = {0: "", 4: head.outcome_label}
    if head.accepted_at:
        waited = max(0, round((head.accepted_at - head.first_alarm_at).total_seconds()))
        notes[0] = (
            f"{local(head.accepted_at):%H:%M:%S} · {waited} 秒"
            if waited < 600
            else f"{local(head.accepted_at):%m-%d %H:%M}"
        )
    found = []
    for n, step in enumerate(view.steps):
        note = head.state_label if step.state == "now" else notes.get(n, "")
        found.append({"label": step.label, "note": note, "state": "" if step.state == "next" else step.state})
    return found


def strip(events: Iterable[Activity], start: datetime, now: datetime, *, devices: int) -> dict[str, Any]:
    """Today as a strip: x in percent of the day. `events` are signals.queries.activity."""
    day = timedelta(days=1)

    def x(at: datetime) -> float:
        return round(min(max((at - start) / day, 0), 1) * 100, 2)

    rows = list(events)
    moves = sorted({x(e.at) for e in rows if e.kind == "motion"})
    doors = sorted({x(e.at) for e in rows if e.kind in {"door_open", "door_closed"}})
    sos = [
        {"x": x(e.at), "label": f"{local(e.at):%H:%M} 求助", "anchor": "end" if x(e.at) > 12 else "start"}
        for e in rows
        if e.kind == "sos"
    ][-1:]
    hours = [
        {"x": h / 24 * 100, "label": f"{h:02d}", "anchor": {0: "start", 24: "end"}.get(h, "middle")}
        for h in range(0, 25, 3)
    ]
    here = x(now)
    return {
        "moves": moves, "doors": doors, "sos": sos, "hours": hours, "now": here, "rest": round(100 - here, 2),
        "sentence": _sentence(rows, now, devices),
    }  # fmt: skip


def _sentence(rows: list[Activity], now: datetime, devices: int) -> str:
    if not devices:
        return "这户没有会动静的设备，看不到起居。"
    moved = [e for e in rows if e.kind == "motion" and e.at <= now]
    doors = [e for e in rows if e.kind in {"door_open", "door_closed"} and e.at <= now]
    if not moved and not doors:
        return "今日还没有收到活动。没有收到不等于没有活动，先看设备是否失联。"
    parts = []
    if moved:
        first, last = moved[0].at, moved[-1].at
        parts.append(f"今日首次活动 {local(first):%H:%M}，最后一次 {local(last):%H:%M}，距今 {ago(now - last)}")
    if doors:
        parts.append(f"入户门最后一次 {local(doors[-1].at):%H:%M}")
    return "；".join(parts) + "。平日节律还没有学出，这里只列听到的。"


def ago(gone: timedelta) -> str:
    """ "1 时 32 分", "12 分", "3 天 4 时" """
    minutes = max(0, int(gone.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} 分"
    if minutes < 1440:
        return f"{minutes // 60} 时 {minutes % 60} 分"
    return f"{minutes // 1440} 天 {minutes % 1440 // 60} 时"


def sheet_lines(lines: Iterable[Any]) -> list[dict[str, Any]]:
    """The rescue sheet; allergies are marked, because they must not be overheard."""
    return [
        {"label": line.label, "text": line.text, "marked": line.label == "过敏" and line.text not in {"无", "没有"}}
        for line in lines
    ]


def fact(
    label: str, text: object, *, wide: bool = True, field: str = "", elder_id: int = 0, strong: bool = False
) -> dict[str, Any]:
    """One item of the file; `field` makes it a masked one with 显示."""
    return {
        "label": label,
        "text": text or "—",
        "wide": wide,
        "field": field if text else "",
        "elder_id": elder_id,
        "strong": strong and bool(text),
    }


def counts(parts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The states of all homes, in their fixed order."""
    words = (
        ("有动静", "ok", "move", "30 分钟内"), ("安静", "work", "rest", "听得到，半小时没有动静"), ("外出", "mute", "away", "开门后无活动"),
        ("久静", "warn", "clock", "超出平日节律"), ("失联", "deaf", "deaf", "听不到，也就不知道"), ("停机", "mute", "stop", "不计入户数"),
    )  # fmt: skip
    return [{"word": w, "kind": k, "icon": i, "note": n, "count": parts.get(w, 0)} for w, k, i, n in words]


def ago_short(gone: timedelta) -> str:
    """ "1 秒", "12 分", "3 时 4 分" """
    seconds = max(0, int(gone.total_seconds()))
    return f"{seconds} 秒" if seconds < 60 else ago(gone)


def day_time(at: datetime, now: datetime) -> str:
    """09:12, 昨日 21:04, 11-18 21:04"""
    days = (local(now).date() - local(at).date()).days
    clock_ = f"{local(at):%H:%M}"
    return clock_ if days == 0 else f"昨日 {clock_}" if days == 1 else f"{local(at):%m-%d} {clock_}"


def age(born: date | None, now: datetime) -> str:
    """Full years as text; empty when unknown."""
    if born is None:
        return ""
    today = local(now).date()
    return str(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))
