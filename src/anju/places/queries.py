"""What may be asked about places: names, prefixes, the policy that holds somewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from anju.kernel.scope import Scope, current
from anju.places import rules
from anju.places.models import Place, PolicyProfile
from anju.places.rules import BadCode, Level, level_of, line_of, parent_of, prefix_of

__all__ = [
    "BadCode",
    "Level",
    "PlaceInfo",
    "Policy",
    "by_civil_code",
    "exists",
    "level_of",
    "line_of",
    "name_of",
    "names_of",
    "parent_of",
    "path_of",
    "policy_for",
    "prefix_of",
    "subtree",
]

_KEPT_FOR = 60.0  # seconds; a renamed street may be shown under its old name for so long
_names: dict[str, tuple[float, str]] = {}


@dataclass(frozen=True, slots=True)
class PlaceInfo:
    """A place as pages need it."""

    code: str
    name: str
    level: Level
    parent: str
    civil_code: str
    committee_phone: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Durations that hold at a place, in seconds, and the versions they come from."""

    version: str
    seconds: Mapping[str, int]
    looser: Mapping[str, tuple[int, int]]
    """Values that give more time than the platform's default: key → (here, default)."""


def names_of(codes: Iterable[str]) -> dict[str, str]:
    """Names of many places at once; an unknown code answers with itself."""
    wanted, now = set(codes), time.monotonic()
    known = {c: _names[c][1] for c in wanted if c in _names and _names[c][0] > now}
    if missing := wanted - known.keys():
        for code, name in Place.objects.filter(code__in=missing).values_list("code", "name"):
            known[code] = name
            _names[code] = (now + _KEPT_FOR, name)
    return {code: known.get(code, code) for code in wanted}


def name_of(code: str) -> str:
    """Name of the place, or the code when it is unknown (nothing breaks because a place has no name)."""
    return names_of([code])[code]


def path_of(code: str) -> str:
    """Street and community in a row, 春浦街道荷汀社区; the district's name for the district itself."""
    try:
        line = [c for c in reversed(line_of(code)) if level_of(c) not in {Level.REGION, Level.DISTRICT}]
    except BadCode:
        return code
    if not line:
        return name_of(code)
    names = names_of(line)
    return "".join(names[c] for c in line)


def forget_names() -> None:
    """After a place was renamed in this process."""
    _names.clear()


def exists(code: str) -> bool:
    """Is there such a place?"""
    return Place.objects.filter(code=code).exists()


def by_civil_code(code: str) -> str | None:
    """Statistics code of the place that the civil-affairs system calls `code`."""
    found = Place.objects.filter(civil_code=code).values_list("code", flat=True).first()
    return found or Place.objects.filter(code=code, civil_code="").values_list("code", flat=True).first()


def community_of(code: str) -> PlaceInfo | None:
    """The community of a place that lies in one (a grid, the community itself); None for wider or unknown places."""
    try:
        line = line_of(rules.check_code(code))
    except BadCode:
        return None
    mine = next((c for c in line if level_of(c) == Level.COMMUNITY), None)
    p = Place.objects.filter(code=mine).first() if mine else None
    return PlaceInfo(p.code, p.name, Level(p.level), p.parent_id or "", p.civil_code, p.committee_phone) if p else None


def subtree(scope: Scope | None = None, *, level: Level | None = None) -> list[PlaceInfo]:
    """Places inside a scope (the current one by default), in the order of their codes."""
    seen = scope or current()
    rows = Place.objects.all()
    if level is not None:
        rows = rows.filter(level=level)
    return [
        PlaceInfo(p.code, p.name, Level(p.level), p.parent_id or "", p.civil_code, p.committee_phone)
        for p in rows
        if any(prefix_of(p.code).startswith(prefix) for prefix in seen.places)
    ]


def policy_for(place: str) -> Policy:
    """What holds at a place now. Whoever opens a case keeps this: later versions do not move running deadlines.

    Reads past the scope on purpose: an agent's clock must not depend on what she may see.
    """
    line = line_of(rules.check_code(place))
    newest: dict[str, PolicyProfile] = {}
    for profile in PolicyProfile.unscoped.filter(place__in=line).order_by("version"):
        newest[profile.place_id] = profile
    outer = [c for c in reversed(line) if c in newest and level_of(c) in {Level.REGION, Level.DISTRICT}]
    inner = [c for c in reversed(line) if c in newest and c not in outer]
    district: dict[str, int] = {}
    for code in outer:
        district |= newest[code].data
    seconds = rules.combine(district, [newest[c].data for c in inner])
    version = "+".join(f"{c}:{newest[c].version}" for c in outer + inner) or "default"
    return Policy(version, MappingProxyType(seconds), MappingProxyType(rules.looser(seconds)))
