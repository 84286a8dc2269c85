"""What every decoder answers, and the rules for odd values. Pure: no Django, no clock, no network; never raises but
`BadEnvelope`. An odd or missing field is noted; it never drops an SOS.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from anju.devices.profile import UNKNOWN, Profile
from anju.signals.signal import URGENT

# kind, at (ms since 1970, None = unknown), dty, stc, lco, count, value, the device's number
Line = tuple[str, int | None, str, str, str, int, Any, int | None]
Profiles = Mapping[tuple[str, str], Profile]

EARLIEST = 1_577_836_800_000  # 2020-01-01: a clock before that was never set
FUTURE = 5 * 60 * 1000  # a clock may run ahead that much
CHINA = timezone(timedelta(hours=8))
LONGEST = 80  # characters of a name
MOST_LINES = 2_000  # signals of one message
SEES = frozenset({"camera"})  # kinds of products that may send pictures
MOST_MESSAGES = 500  # messages of one body
_encode = msgspec.json.Encoder().encode

# kind → (dty, "" = the product's own; stc)
CODES: Mapping[str, tuple[str, str]] = {
    "sos": ("", "0010"), "help": ("0901", "0010"), "sos_reset": ("", "0092"), "motion": ("0010", "0119"),
    "door_open": ("0014", "0902"), "door_closed": ("0014", "0903"), "tamper": ("0038", "0125"), "tamper_clear": ("0038", "0093"),
    "battery": ("", "0016"), "vitals": ("", "0901"), "online": ("", "0075"), "offline": ("", "0073"),
    "fault": ("", "0067"), "fault_clear": ("", "0093"), "test": ("", "0102"), "reply": ("", "0901"),
    "gas": ("0021", "0009"), "gas_clear": ("0021", "0093"), "smoke": ("0023", "0009"), "smoke_clear": ("0023", "0093"),
    "co": ("0026", "0009"), "co_clear": ("0026", "0093"), "fall": ("0005", "0009"), "fall_clear": ("0005", "0093"),
    "flood": ("0033", "0009"), "flood_clear": ("0033", "0093"), "bed": ("0012", "0119"), "place": ("0051", "0901"),
    "scene": ("", "0009"), "scene_clear": ("", "0093"),
    "reading": ("0902", "0901"), "water": ("", "0901"), "power": ("", "0901"), "gasuse": ("", "0901"), "phone_use": ("", "0901"),
}  # fmt: skip


class BadEnvelope(ValueError):
    """Nobody can say who sent what: the only content that is refused (4xx). `code` counts it, the text is for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Report:
    """One message as decoded. No `lines`: undecodable, and `note` says why."""

    source: str
    device_key: str
    operator_id: str
    product_id: str
    kind: str  # report, online, event, response, other
    stamp: str  # the sender's own time stamp or message id as text, "" if none: part of the de-duplication key
    device_ms: int | None  # the stamp as a sane time
    content: bytes  # what equal messages have in common
    lines: list[Line] = field(default_factory=list)
    vitals: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    understood: bool = False  # something was recognised, even if it says nothing (Motion_Status 0)
    pictures: bool = False  # it may hold pictures of a home: they are cut out before anything is kept
    stranger: bool = True  # of a product that is not in the catalogue: it may be a camera too
    opened: bytes = b""  # what stood inside a sealed push

    @property
    def urgent(self) -> bool:
        """It carries a cry for help or another life-safety alarm."""
        for line in self.lines:  # noqa: SIM110 - on the hot path
            if line[0] in URGENT:
                return True
        return False

    @property
    def windowed(self) -> bool:
        """Equal messages can't be told from repeated ones but by the time between them."""
        if self.stamp:
            return False
        return self.vitals.get("seq") is None or self.urgent

    @property
    def dedup(self) -> bytes:
        """16 bytes, equal for equal messages."""
        who = self.operator_id or self.device_key
        head = f"{self.source}|{who}|{self.stamp}|{self.kind}|".encode(errors="replace")
        return hashlib.blake2b(head + self.content, digest_size=16).digest()

    @property
    def note(self) -> str:
        """What was odd, in one line."""
        return ";".join(self.notes)[:500]

    def add(self, profile: Profile, kind: str, at: int | None = None, *, count: int = 1, value: Any = None) -> None:
        """One more signal."""
        dty, stc = CODES.get(kind, ("", ""))
        seq = self.vitals.get("seq")
        self.lines.append((kind, at, dty or profile.dty or "0004", stc, "", count, value, seq))


def no_more(many: list[Any]) -> list[Any]:
    """The messages of a body. More than can be kept are refused before anything is acknowledged: none is left out."""
    if len(many) > MOST_MESSAGES:
        raise BadEnvelope("too_many", f"一次最多 {MOST_MESSAGES} 条消息。请分批上报。")
    return many


def objects(many: list[Any]) -> list[dict[str, Any]]:
    """The same, each an object: what stands beside messages and is none is a message that can't be decoded, and costs the
    others nothing. `BadEnvelope` when not one is an object.
    """
    if not any(isinstance(one, dict) for one in many):
        raise BadEnvelope("not_an_object", "报文须为 JSON 对象。请检查推送格式。")
    return [one if isinstance(one, dict) else {"payload": one} for one in no_more(many)]


def content_of(value: Any) -> bytes:
    """A JSON value as bytes, equal for equal values; also of a text that UTF-8 cannot hold (half a character)."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def is_sound(value: Any) -> bool:
    """Whether no text in it holds half a character."""
    try:
        _encode(value)
    except UnicodeEncodeError:
        return False
    return True


def profile_of(profiles: Profiles, source: str, product_id: str) -> Profile:
    """The product's profile; without one the common properties hold."""
    return profiles.get((source, product_id), UNKNOWN)


_UNKNOWN = frozenset({"undefined", "null", "none", "-1"})


def name(value: Any) -> str:
    """A device's or product's name as text; "" for what operators write when they do not know it."""
    if type(value) is str and value.isalnum() and value.isascii() and len(value) <= LONGEST:
        return "" if len(value) < 10 and value.lower() in _UNKNOWN else value
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else ""
    if not isinstance(value, (str, int)):
        return ""
    try:
        text = str(value).strip()
    except ValueError:  # an integer of thousands of digits
        return ""
    if text.lower() in _UNKNOWN:
        return ""
    return clean(text)[:LONGEST]


def clean(text: str) -> str:
    """What PostgreSQL can store: no NUL, no half characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def whole(value: Any, low: int, high: int) -> int | None:
    """A whole number between the bounds, or None: also from "87", 87.0, "87%"."""
    if type(value) is int:
        return value if low <= value <= high else None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            value = float(value.strip().rstrip("%"))
        except ValueError:
            return None
    if isinstance(value, float):
        value = round(value) if math.isfinite(value) else None
    return value if isinstance(value, int) and low <= value <= high else None


def stamp_of(value: Any) -> str:
    """A time stamp or message id as text."""
    if value is None or isinstance(value, (bool, dict, list)):
        return ""
    if type(value) is int and -1 <= value < 10**18:
        return str(value) if value > 0 else ""
    try:
        return str(value).strip()[:LONGEST]
    except ValueError:
        return ""


def moment(value: Any, now_ms: int) -> int | None:
    """Milliseconds since 1970 from what devices send (ms, s, text, ISO), or None when no clock that was set says so."""
    if type(value) is int and EARLIEST <= value <= now_ms + FUTURE:
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text)
        except ValueError:
            try:
                at = datetime.fromisoformat(text)
                value = (at if at.tzinfo else at.replace(tzinfo=CHINA)).timestamp() * 1000
            except (ValueError, OverflowError):
                return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if 0 < value < 100_000_000_000:  # seconds
        value = value * 1000
    return int(value) if EARLIEST <= value <= now_ms + FUTURE else None


def finish(report: Report, profile: Profile) -> Report:
    """What every message gets: a low battery as a signal, sane times, and one signal at least if anything was understood."""
    report.pictures, report.stranger = profile.kind in SEES, profile is UNKNOWN
    battery = report.vitals.get("battery")
    if battery is not None and battery <= profile.battery_low:
        report.add(profile, "battery", value=battery)
    if report.stamp and report.device_ms is None and report.kind != "response":
        report.notes.append("设备时间不可信，按接收时间处理")
    if not report.lines and (report.vitals or report.understood):
        report.add(profile, "vitals", value=report.vitals or None)
    if len(report.lines) > MOST_LINES:
        report.lines.sort(key=lambda line: line[0] not in URGENT)
        del report.lines[MOST_LINES:]
        report.notes.append("信号过多，已截断")
    if not report.lines:
        report.notes.append("没有认识的内容")
    return report
