"""From what the queries say to what the templates draw: icons, looks, words. No rules and no queries here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ICONS = {
    "sos": "sos",
    "fall": "alert",
    "gas": "flame",
    "smoke": "flame",
    "co": "flame",
    "flood": "drop",
    "water": "drop",
    "silent": "clock",
    "no_sign": "clock",
    "no_data": "deaf",
    "call": "phone-in",
    "care": "heart",
    "door": "door",
    "revisit": "phone",
}
"""Icon by kind of incident; others get the alarm triangle."""
GROUPS = {"emergency": "紧急", "warn": "提醒", "work": "回访与关怀"}
DIALS = {"call_120": "120", "call_110": "110", "call_119": "119"}
KEYS = {"accept": "a", "ask_b": "b"}
"""Keys of the desk by move."""
SOURCES = {"device": "设备", "A": "A", "B": "B", "lead": "班长", "elder": "老人", "contact": "联系人", "call": "", "system": ""}
ENTRY_LOOKS = {
    "alarm": "emergency", "dial": "emergency", "call_120": "emergency", "call_110": "emergency", "call_119": "emergency",
    "late": "warn", "overdue": "warn", "refused": "warn", "authority": "warn", "duty_overdue": "warn",
    "safe": "ok", "coming": "ok", "arrived": "ok",
    "note": "work", "move": "work", "contact": "work", "duty": "work", "elder": "work",
}  # fmt: skip


def icon_of(kind: str) -> str:
    """The icon of a kind of incident."""
    return ICONS.get(kind.split("_")[0], ICONS.get(kind, "alert"))


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the queue. `look` is the data-kind; `ring_kind` makes an emergency's ring red."""

    row: Any
    look: str
    icon: str
    mine: bool

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest is the query's row
        return getattr(self.row, name)

    @property
    def ring_kind(self) -> str:
        """Red rings are for people in danger now."""
        return "emergency" if self.look == "emergency" else ""


@dataclass(frozen=True, slots=True)
class Group:
    """Cards of one urgency."""

    kind: str
    label: str
    rows: list[Card]


def cards(rows: Iterable[Any], my_name: str) -> list[Group]:
    """The queue by urgency, in the order the query gives."""
    found: dict[str, list[Card]] = {}
    for row in rows:
        look = {"emergency": "emergency", "warn": "warn"}.get(row.kind, "")
        look = "deaf" if look == "warn" and icon_of(row.incident_kind) == "deaf" else look
        mine = my_name in (row.a_seat, row.b_seat)
        found.setdefault(row.kind, []).append(Card(row, look, icon_of(row.incident_kind), mine))
    return [Group(kind, GROUPS.get(kind, kind), found[kind]) for kind in GROUPS if kind in found]


def ringing(rows: Iterable[Any]) -> int:
    """The highest priority that nobody has taken yet; -1 when nothing rings."""
    return max((row.priority for row in rows if row.ringing), default=-1)


def ladder_rung(rung: Any) -> dict[str, Any]:  # noqa: ANN401 - RungView
    """A step of the contact ladder as it is drawn."""
    open_ = rung.state in {"turn", "ringing"}
    facts = "".join(
        part
        for part in (
            " · 持备用钥匙" if rung.has_key else "",
            f" · 约 {rung.eta_minutes} 分到" if rung.eta_minutes else "",
            "" if rung.available else " · 此时通常不便",
        )
    )
    kinds = {"coming": ("ok", "route"), "failed": ("warn", "phone"), "ringing": ("work", "phone"), "turn": ("work", "bell"), "ended": ("mute", "check")}
    kind, icon = kinds.get(rung.state, ("mute", "phone"))
    called = {"turn": "呼叫", "ringing": "再拨", "failed": "重拨", "coming": "再呼", "ended": "再呼"}
    return {
        "index": rung.index, "nth": rung.index + 1, "title": rung.relation or rung.kind_label, "name": rung.name,
        "phone_masked": rung.phone_masked, "facts": facts, "available": rung.available, "has_key": rung.has_key,
        "open": open_ and rung.attempt_id is not None, "attempt_id": rung.attempt_id, "eta_minutes": rung.eta_minutes,
        "state_label": rung.state_label, "kind": kind, "icon": icon, "next_due_at": rung.next_due_at,
        "call_label": called.get(rung.state, "呼叫"), "no_call": "" if rung.phone_masked else "没有登记号码",
    }  # fmt: skip


def every_label(seconds: float | None) -> str:
    """ "2 分", "90 秒", "" for once."""
    if not seconds:
        return ""
    return f"{round(seconds / 60)} 分" if seconds >= 60 and seconds % 60 == 0 else f"{round(seconds)} 秒"


def duty_row(duty: Any, now: datetime) -> dict[str, Any]:  # noqa: ANN401 - DutyView
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
    key: str
    nothing: str
    duties: list[dict[str, Any]] = field(default_factory=list)


def seats(view: Any, user_id: int, now: datetime) -> list[Seat]:  # noqa: ANN401 - CaseView
    """Seat A with the helpers, seat B with the elder; whoever is alone sees both."""
    found = []
    for letter, about, holder in (("A", "呼救 · 联络 · 记录", view.a_seat), ("B", "陪护 · 指导", view.b_seat)):
        mine = holder is not None and holder.user_id == user_id
        duties = [duty_row(d, now) for d in view.duties if d.seat == letter or (not d.seat and letter == "A")]
        duties.sort(key=lambda d: d["look"] == "done")
        act, label = ("leave", "离席") if mine else ("take", "入席" if holder is None else "接替")
        if not view.seats_open:
            act = ""
        who = f"{holder.name}（您）" if mine else holder.name if holder else "空着"
        found.append(Seat(letter, who, about, mine, act, label, "", "此刻没有这一席的事", duties))
    return found


def entry_row(entry: Any) -> dict[str, Any]:  # noqa: ANN401 - EntryView
    """A line of the story."""
    who = SOURCES.get(entry.source, entry.source)
    look = ENTRY_LOOKS.get(entry.kind, "emergency" if entry.source == "device" else "")
    return {"key": entry.id, "at": entry.at, "who": who, "text": entry.text, "look": look, "quiet": entry.source == "system"}


def split_moves(moves: Iterable[Any], view: Any) -> tuple[Any, list[Any], list[dict[str, Any]]]:  # noqa: ANN401
    """(the one primary move, the other moves, the dials 110/119/120)."""
    drawn = [Drawn(m) for m in moves]
    dials = [
        {"name": m.name, "label": ("拨 " if m.name == "call_120" else "") + DIALS[m.name], "now": view.state == "rescue_due"}
        for m in drawn
        if m.name in DIALS
    ]
    rest = [m for m in drawn if m.name not in DIALS]
    primary = next((m for m in rest if m.emphasis == "primary"), None)
    return primary, [m for m in rest if m is not primary], dials


@dataclass(frozen=True, slots=True)
class Drawn:
    """A move with what only the page knows: its key, and whether it stops to ask."""

    move: Any

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest is the query's view
        return getattr(self.move, name)

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
        """Stop and think: dials, reasons, answers that the process wants."""
        return bool(self.dials or self.move.needs_reason or self.move.asks)


def strip(events: Iterable[Any], start: datetime, now: datetime, *, devices: int) -> dict[str, Any]:
    """Today as a strip: x in percent of the day. `events` are signals.queries.activity."""
    day = timedelta(days=1)

    def x(at: datetime) -> float:
        return round(min(max((at - start) / day, 0), 1) * 100, 2)

    rows = list(events)
    moves = sorted({x(e.at) for e in rows if e.kind == "motion"})
    doors = sorted({x(e.at) for e in rows if e.kind in {"door_open", "door_closed"}})
    sos = [
        {"x": x(e.at), "label": f"{e.at.astimezone(start.tzinfo):%H:%M} 求助", "anchor": "end" if x(e.at) > 12 else "start"}
        for e in rows
        if e.kind == "sos"
    ][-1:]
    hours = [{"x": h / 24 * 100, "label": f"{h:02d}", "anchor": {0: "start", 24: "end"}.get(h, "middle")} for h in range(0, 25, 3)]
    here = x(now)
    return {
        "moves": moves, "doors": doors, "sos": sos, "hours": hours, "now": here, "rest": round(100 - here, 2),
        "sentence": _sentence(rows, start, now, devices),
    }  # fmt: skip


def _sentence(rows: list[Any], start: datetime, now: datetime, devices: int) -> str:
    if not devices:
        return "这户没有会动静的设备，看不到起居。"
    moved = [e for e in rows if e.kind == "motion" and e.at <= now]
    doors = [e for e in rows if e.kind in {"door_open", "door_closed"} and e.at <= now]
    if not moved and not doors:
        return "今日还没有收到活动。没有收到不等于没有活动，先看设备是否失联。"
    zone = start.tzinfo
    parts = []
    if moved:
        first, last = moved[0].at, moved[-1].at
        parts.append(f"今日首次活动 {first.astimezone(zone):%H:%M}，最后一次 {last.astimezone(zone):%H:%M}，距今 {ago(now - last)}")
    if doors:
        parts.append(f"入户门最后一次 {doors[-1].at.astimezone(zone):%H:%M}")
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
    return [{"label": line.label, "text": line.text, "marked": line.label == "过敏"} for line in lines]


def fact(label: str, text: object, *, wide: bool = True, field: str = "", elder_id: int = 0, strong: bool = False) -> dict[str, Any]:
    """One item of the file; `field` makes it a masked one with 显示."""
    return {"label": label, "text": text or "—", "wide": wide, "field": field if text else "", "elder_id": elder_id, "strong": strong and bool(text)}


def counts(parts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The states of all homes, in their fixed order."""
    words = (
        ("有动静", "ok", "move", "30 分钟内"), ("安静", "work", "rest", "听得到，半小时没有动静"), ("外出", "mute", "away", "开门后无活动"),
        ("久静", "warn", "clock", "超出平日节律"), ("失联", "deaf", "deaf", "听不到，也就不知道"), ("停机", "mute", "stop", "不计入户数"),
    )  # fmt: skip
    return [{"word": w, "kind": k, "icon": i, "note": n, "count": parts.get(w, 0)} for w, k, i, n in words]
