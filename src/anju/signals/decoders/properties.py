"""Properties → signals, as the product's profile says. Walks any nesting, so that an SOS is found wherever it was put."""

from __future__ import annotations

import math
from typing import Any

from anju.devices.profile import Profile
from anju.elders.geo import BadCoordinates, to_wgs84
from anju.signals.decoders.base import Report, moment, name, whole
from anju.signals.decoders.json_in import Twice

DEEPEST = 8
_OFF = frozenset({"0", "false", "off", "no", "normal", "none", "正常", "关", "否"})
# reading → bounds; what lies outside is a defect of the device and is left out
BOUNDS = {
    "battery": (0, 100),
    "rsrp": (-200, 50),
    "snr": (-100, 100),
    "cell_id": (0, 2**60),
    "csq": (0, 199),
    "seq": (0, 2**60),
}
_TEXTS = frozenset({"firmware"})  # readings that are words
_METERS = frozenset({"water", "power", "gasuse", "phone_use"})
_POSITION = frozenset({"lat", "lon", "accuracy"})
_COUNTS = frozenset({"motion_count", "motioncount"})
_TIMES = ("time", "t", "timestamp", "ts", "at")


def _same(text: str) -> str:
    return text.lower().replace("_", "").replace("-", "")


def plan(profile: Profile, key: str) -> tuple[str, Any]:
    """What a property means: ("kinds", map) · ("reading", name) · ("text", name) · ("records", kind) · ("count", "") · ("", None)."""
    cached = profile.plans.get(key)
    if cached is None:
        cached = _look_up(profile, key)
        if len(profile.plans) > 5_000:
            profile.plans.clear()
        profile.plans[key] = cached
    return cached


def _look_up(profile: Profile, key: str) -> tuple[str, Any]:
    wanted = _same(key)
    tables = (
        ("measure", profile.measures), ("kinds", profile.properties), ("reading", profile.readings), ("records", profile.records),
    )  # fmt: skip
    for what, table in tables:
        if key in table:
            return _as_text(what, table[key])
    for what, table in tables:
        for known, meaning in table.items():
            if _same(known) == wanted:
                return _as_text(what, meaning)
    return ("count", "") if wanted in _COUNTS else ("", None)


def _as_text(what: str, meaning: Any) -> tuple[str, Any]:
    return ("text", meaning) if what == "reading" and meaning in _TEXTS else (what, meaning)


def text_of(value: Any) -> str | None:  # noqa: PLR0911 - a table of spellings
    """A state as text: "0" when it is off in any spelling, None when nothing is said."""
    if type(value) is int and -999 < value < 1000:
        return str(value)
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "nan"
        value = int(value) if value.is_integer() else value
    if isinstance(value, int) and abs(value) > 10**18:
        return "big"
    text = str(value).strip().lower()
    if text in _OFF:
        return "0"
    try:
        number = float(text)
    except ValueError:
        return text or None
    return str(int(number)) if math.isfinite(number) and number.is_integer() and abs(number) < 1e18 else text


def _decimal(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value.strip())
        except ValueError:
            return None
    if isinstance(value, int) and abs(value) > 10**15:
        return None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e15 else None


def _unwrap(value: Any, now_ms: int) -> tuple[list[Any], int | None]:
    """The plain values of a property, and its own time: OneNET's {value, time}, a list of states, a list of those."""
    if isinstance(value, dict):
        at = next((moment(value[k], now_ms) for k in _TIMES if k in value), None)
        inner = [value[k] for k in ("value", "v", "status", "state") if k in value]
        if isinstance(value, Twice):
            inner += [value.first[k] for k in ("value", "v", "status", "state") if k in value.first]
        return [p for v in inner for p in _unwrap(v, now_ms)[0]], at
    if isinstance(value, list):
        pairs = [_unwrap(v, now_ms) for v in value]
        return [p for plain, _ in pairs for p in plain], next((at for _, at in pairs if at), None)
    return [value], None


def _records(report: Report, profile: Profile, kind: str, value: Any, now_ms: int) -> None:
    if isinstance(value, dict):
        value = value.get("value", [value])
    for record in value if isinstance(value, list) else [value]:
        if isinstance(record, dict):
            at = next((moment(record[k], now_ms) for k in _TIMES if k in record), None)
            count = next((record[k] for k in ("n", "count", "num") if k in record), 1)
        else:
            at, count = moment(record, now_ms), 1
        report.add(profile, kind, at, count=whole(count, 1, 100_000) or 1)


def _state(report: Report, profile: Profile, kinds: dict[str, str], value: Any, now_ms: int) -> None:
    values, at = ([value], None) if type(value) is int else _unwrap(value, now_ms)
    texts = [t for t in map(text_of, values) if t is not None]
    report.understood = report.understood or bool(texts)
    for text in dict.fromkeys(texts):
        kind = kinds.get(text)
        if kind is None and text != "0":
            kind = kinds.get("*", "")
        if kind:
            report.add(profile, kind, at)
            if kind in {"tamper", "tamper_clear"}:
                report.vitals["tamper"] = kind == "tamper"


def walk(report: Report, profile: Profile, value: Any, now_ms: int) -> None:
    """Read every property in `value` (an object, at any depth) into the report."""
    walker = _Walker(report, profile, now_ms)
    walker.walk(value, 0)
    walker.places()
    if (seq := report.vitals.get("seq")) is not None:
        report.lines = [line if line[7] is not None else (*line[:7], seq) for line in report.lines]
    if counts := walker.counts:
        report.lines = [
            (*ln[:5], counts[0], *ln[6:]) if ln[0] == "motion" and ln[5] == 1 else ln for ln in report.lines
        ]


def walk_twice(report: Report, profile: Profile, envelope: Any, now_ms: int) -> None:
    """What an envelope says under keys that stand in it twice: both count."""
    if isinstance(envelope, Twice):
        report.notes.append("报文中有重复的键")
        walk(report, profile, {k: v for k, v in envelope.first.items() if v != envelope[k]}, now_ms)


class _Walker:
    """One walk through an object."""

    __slots__ = ("counts", "fixes", "now_ms", "profile", "report")

    def __init__(self, report: Report, profile: Profile, now_ms: int) -> None:
        self.report, self.profile, self.now_ms = report, profile, now_ms
        self.counts: list[int] = []
        self.fixes: list[dict[str, Any]] = []

    def walk(self, value: Any, depth: int) -> None:
        """Every property of an object, every object of a list."""
        if depth > DEEPEST:
            self.report.notes.append("嵌套过深，部分内容未解析")
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, (dict, list)):
                    self.walk(item, depth + 1)
        elif isinstance(value, dict):
            self._fix(value)
            for key, inner in value.items():
                self._property(key, inner, depth)
            if isinstance(value, Twice):
                self.report.notes.append("报文中有重复的键")
                for key, inner in value.first.items():
                    if inner != value[key]:
                        self._property(key, inner, depth)

    def _property(self, key: str, value: Any, depth: int) -> None:
        what, how = plan(self.profile, key)
        if what == "kinds":
            _state(self.report, self.profile, how, value, self.now_ms)
        elif what == "reading":
            number = self._number(value, *BOUNDS.get(how, (-(2**60), 2**60)))
            if number is not None:
                self.report.vitals[how] = number
        elif what == "text":
            self._text(how, value)
        elif what == "records":
            _records(self.report, self.profile, how, value, self.now_ms)
        elif what == "measure":
            self._measure(how, value)
        elif what == "count":
            number = self._number(value, 1, 100_000)
            if number is not None:
                self.counts.append(number)
        elif isinstance(value, (dict, list)):
            self.walk(value, depth + 1)

    def _text(self, how: str, value: Any) -> None:
        plain, _ = _unwrap(value, self.now_ms)
        if said := next(filter(None, map(name, plain)), ""):
            self.report.vitals[how] = said

    def _measure(self, how: tuple[str, float], value: Any) -> None:
        """A meter's total or a clinical measure, with its own time where it has one; a list of them is a history."""
        what, factor = how
        if what in _POSITION:
            return
        for one in value[:500] if isinstance(value, list) else [value]:
            plain, at = _unwrap(one, self.now_ms)
            for number in (n for n in map(_decimal, plain) if n is not None):
                told = round(number * factor, 6)
                if what in _METERS:
                    self.report.add(self.profile, what, at, value=told)
                else:
                    self.report.add(self.profile, "reading", at, value={"measure": what, "value": told})
                self.report.understood = True

    def _fix(self, value: dict[str, Any]) -> None:
        """A position whose parts stand side by side in one object, with the time of the fix."""
        found: dict[str, Any] = {}
        for key, inner in value.items() if self.profile.measures else ():
            what, how = plan(self.profile, key)
            if what == "measure" and how[0] in _POSITION:
                plain, at = _unwrap(inner, self.now_ms)
                number = _decimal(plain[0]) if plain else None
                if number is not None:
                    found[how[0]] = number * how[1]
                    found["at"] = at or found.get("at")
        if "lat" in found and "lon" in found:
            own = next((moment(value[k], self.now_ms) for k in _TIMES if k in value), None)
            self.fixes.append({**found, "at": found.get("at") or own})

    def places(self) -> None:
        """Emit the positions, in WGS-84."""
        for fix in self.fixes[:500]:
            try:
                lon, lat = to_wgs84(fix["lon"], fix["lat"], self.profile.datum)
            except BadCoordinates as odd:
                self.report.notes.append(str(odd))
                continue
            self.report.add(
                self.profile,
                "place",
                fix["at"],
                value={"lat": lat, "lon": lon, "accuracy": round(fix.get("accuracy", 0.0), 1)},
            )
            self.report.understood = True

    def _number(self, value: Any, low: int, high: int) -> int | None:
        if type(value) is int:
            return value if low <= value <= high else None
        plain, _ = _unwrap(value, self.now_ms)
        return next((n for n in (whole(p, low, high) for p in plain) if n is not None), None)
