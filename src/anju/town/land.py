"""The invented land of 望潮区: river, roads, compounds, buildings and gates, in metres and in WGS-84.

The district lies in open water of a bay, so no invented address ever points at somebody's house.
Everything follows from the table below; `map.geojson` is written from it (`manage.py demo --map`) and a test
holds the file to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

ORIGIN = (121.05, 30.40)
"""Longitude and latitude (WGS-84) of the point x = 0, y = 0."""
TURN = math.radians(7)
DISTRICT = "330199000000"
STREETS = {"330199001000": "春浦街道", "330199002000": "听潮街道"}

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Gate:
    """A way into a compound. `note` is what an ambulance driver has to know."""

    name: str
    at: Point
    ambulance: bool
    note: str


@dataclass(frozen=True, slots=True)
class Building:
    """One residential block: `at` is its middle, `units` its stairs."""

    number: int
    at: Point
    width: float
    depth: float
    floors: int
    lift: bool
    units: int

    def stair(self, unit: int) -> Point:
        """Where the stair of a unit (from 1) is."""
        step = self.width / self.units
        return (self.at[0] - self.width / 2 + step * (unit - 0.5), self.at[1] - self.depth / 2)


@dataclass(frozen=True, slots=True)
class Compound:
    """A walled neighbourhood of one community."""

    name: str
    road: str
    community: str
    corner: Point
    size: Point
    buildings: tuple[Building, ...]
    gates: tuple[Gate, ...]

    @property
    def ambulance_gate(self) -> Gate:
        """The gate an ambulance can pass."""
        return next(gate for gate in self.gates if gate.ambulance)


@dataclass(frozen=True, slots=True)
class Community:
    """A community with its 12-digit code and its rectangle in metres (west, south, east, north)."""

    code: str
    name: str
    box: tuple[float, float, float, float]
    compounds: tuple[tuple[str, str, bool], ...]  # name, road, new (with lifts)


COMMUNITIES = (
    Community(
        "330199001001",
        "荷汀社区",
        (-2600, 150, -950, 1650),
        (("荷汀花园", "荷汀路", True), ("荷汀北苑", "春浦路", False)),
    ),
    Community(
        "330199001002",
        "青芦社区",
        (-850, 150, 850, 1650),
        (("青芦新村", "青芦巷", False), ("芦岸公寓", "春浦路", True)),
    ),
    Community(
        "330199001003", "枕江社区", (950, 150, 2600, 1650), (("枕江小区", "枕江路", False), ("江月苑", "春浦路", True))
    ),
    Community(
        "330199002004",
        "柳塘社区",
        (-2600, -1650, -950, -150),
        (("柳塘新村", "柳塘巷", False), ("塘西里", "听潮路", False)),
    ),
    Community(
        "330199002005",
        "映月里社区",
        (-850, -1650, 850, -150),
        (("映月里小区", "映月路", False), ("三眼桥公寓", "听潮路", True)),
    ),
    Community(
        "330199002006",
        "听潮里社区",
        (950, -1650, 2600, -150),
        (("听潮里小区", "潮音巷", False), ("潮音坊", "听潮路", True)),
    ),
)


def to_degrees(at: Point) -> Point:
    """Metres of the plan → (longitude, latitude), with the bend and the turn that make the plan look grown."""
    x = at[0] + 55 * math.sin(at[1] / 760)
    y = at[1] + 70 * math.sin(at[0] / 1150)
    x, y = x * math.cos(TURN) - y * math.sin(TURN), x * math.sin(TURN) + y * math.cos(TURN)
    lon = ORIGIN[0] + x / (111_320 * math.cos(math.radians(ORIGIN[1])))
    return (round(lon, 6), round(ORIGIN[1] + y / 110_850, 6))


@cache
def compounds() -> tuple[Compound, ...]:
    """All compounds, west to east, north to south."""
    return tuple(made for community in COMMUNITIES for made in _of_community(community))


def _of_community(community: Community) -> Iterator[Compound]:
    west, south, east, north = community.box
    half = (east - west - 60) / 2
    for turn, (name, road, new) in enumerate(community.compounds):
        corner = (west + turn * (half + 60), south + 330 + 150 * ((turn + len(name)) % 2))
        size = (half, north - corner[1] - 60)
        yield Compound(
            name, road, community.code, corner, size, _buildings(corner, size, new=new), _gates(corner, size, road)
        )


def _buildings(corner: Point, size: Point, *, new: bool) -> tuple[Building, ...]:
    across, down = (3, 5) if new else (3, 6)
    step = ((size[0] - 50) / across, (size[1] - 60) / down)
    return tuple(
        Building(
            number=row * across + column + 1,
            at=(corner[0] + 25 + step[0] * (column + 0.5), corner[1] + size[1] - 30 - step[1] * (row + 0.5)),
            width=step[0] - (70 if new else 46),
            depth=22 if new else 15,
            floors=11 if new else 6,
            lift=new,
            units=2 if new else 3,
        )
        for row in range(down)
        for column in range(across)
    )


def _gates(corner: Point, size: Point, road: str) -> tuple[Gate, ...]:
    pick = len(road) + int(abs(corner[0]) // 100)
    west = Gate("西门", (corner[0], corner[1] + size[1] * 0.45), ambulance=True, note=f"{road}西门")
    north = Gate("北门", (corner[0] + size[0] * 0.5, corner[1] + size[1]), ambulance=True, note=f"{road}北门")
    east = Gate("东门", (corner[0] + size[0], corner[1] + size[1] * 0.55), ambulance=False, note="限高 2.2 米")
    south = Gate("南门", (corner[0] + size[0] * 0.5, corner[1]), ambulance=False, note="夜间锁闭")
    return (west, east) if pick % 2 else (north, south)


def entrance_text(compound: Compound, building: Building) -> str:
    """How an ambulance gets to the door, said in one line."""
    other = next(gate for gate in compound.gates if not gate.ambulance)
    return f"{compound.ambulance_gate.note}进，{building.number} 幢前可停（{other.name}{other.note}）"


def features() -> dict[str, Any]:
    """The whole map as a GeoJSON FeatureCollection in WGS-84."""
    shapes = [*_ground(), *_roads(), *_built()]
    return {"type": "FeatureCollection", "name": "望潮区（虚构）", "features": shapes}


def _feature(kind: str, geometry: str, coordinates: object, **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"kind": kind, **properties},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def _ring(points: list[Point]) -> list[list[list[float]]]:
    return [[list(to_degrees(p)) for p in [*points, points[0]]]]


def _box(west: float, south: float, east: float, north: float, steps: int = 6) -> list[Point]:
    """A rectangle with points along its sides, so that the bend shows."""
    fractions = [i / steps for i in range(steps)]
    return (
        [(west + (east - west) * f, south) for f in fractions]
        + [(east, south + (north - south) * f) for f in fractions]
        + [(east - (east - west) * f, north) for f in fractions]
        + [(west, north - (north - south) * f) for f in fractions]
    )


def _stream(y: float, width: float, swing: float) -> list[Point]:
    xs = range(-3300, 3301, 220)
    upper = [(float(x), y + swing * math.sin(x / 620) + width / 2) for x in xs]
    return upper + [(x, top - width) for x, top in reversed(upper)]


def _ground() -> Iterator[dict[str, Any]]:
    yield _feature("district", "Polygon", _ring(_box(-2750, -1850, 2750, 1850)), name="望潮区", code=DISTRICT)
    for code, name in STREETS.items():
        row = [c for c in COMMUNITIES if c.code.startswith(code[:9])]
        box = (
            min(c.box[0] for c in row),
            min(c.box[1] for c in row),
            max(c.box[2] for c in row),
            max(c.box[3] for c in row),
        )
        yield _feature("street", "Polygon", _ring(_box(*box)), name=name, code=code)
    for community in COMMUNITIES:
        yield _feature("community", "Polygon", _ring(_box(*community.box)), name=community.name, code=community.code)
    yield _feature("water", "Polygon", _ring(_stream(-2350, 620, 45)), name="望江")
    yield _feature("water", "Polygon", _ring(_stream(0, 70, 26)), name="听潮河")
    pond = [(-1900 + 170 * math.cos(a / 9 * math.tau), -1490 + 70 * math.sin(a / 9 * math.tau)) for a in range(9)]
    yield _feature("water", "Polygon", _ring(pond), name="柳塘")


def _roads() -> Iterator[dict[str, Any]]:
    def line(points: list[Point]) -> list[list[float]]:
        return [list(to_degrees(p)) for p in points]

    xs = [float(x) for x in range(-3000, 3001, 300)]
    ys = [float(y) for y in range(-1950, 1951, 300)]
    for name, y, major in (
        ("江堤路", -1900, True),
        ("听潮路", -130, True),
        ("春浦路", 130, True),
        ("望潮大道", 1750, True),
        ("柳映路", -1250, False),
        ("荷芦路", 420, False),
    ):
        yield _feature("road", "LineString", line([(x, y) for x in xs]), name=name, major=major)
    for name, x, major in (
        ("荷汀路", -2700, True),
        ("中河路", -900, True),
        ("枕江路", 900, True),
        ("东潮路", 2700, True),
    ):
        yield _feature("road", "LineString", line([(x, y) for y in ys]), name=name, major=major)
    for compound in compounds():
        (left, low), (w, h) = compound.corner, compound.size
        path = [(left + w / 2, low - 60), (left + w / 2, low + h / 2), (left + w / 2, low + h)]
        yield _feature("road", "LineString", line(path), name=f"{compound.name}内路", major=False)


def _built() -> Iterator[dict[str, Any]]:
    for compound in compounds():
        (x, y), (w, h) = compound.corner, compound.size
        yield _feature(
            "compound", "Polygon", _ring(_box(x, y, x + w, y + h)), name=compound.name, community=compound.community
        )
        for block in compound.buildings:
            (bx, by), bw, bd = block.at, block.width / 2, block.depth / 2
            yield _feature(
                "building", "Polygon", _ring([(bx - bw, by - bd), (bx + bw, by - bd), (bx + bw, by + bd), (bx - bw, by + bd)]),
                number=block.number, compound=compound.name, floors=block.floors, lift=block.lift,
            )  # fmt: skip
        for gate in compound.gates:
            yield _feature(
                "gate", "Point", list(to_degrees(gate.at)),
                name=f"{compound.name}{gate.name}", compound=compound.name, ambulance=gate.ambulance, note=gate.note,
            )  # fmt: skip
