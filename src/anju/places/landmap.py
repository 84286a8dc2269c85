"""The vector map of the district as paths of a picture: water, compounds, buildings, roads, names. Homes are put on it by pages.

Coordinates are WGS-84 degrees. The file is the invented one of the demo until a setting names another (architecture §8b);
without a file, or with homes outside of it, the homes still stand where they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from django.contrib.staticfiles import finders

MAP_FILE: Final = "town/map.geojson"
CSS: Final = {"water": "map__water", "building": "map__block", "compound": "map__land", "community": "map__edge"}
ORDER: Final = ("map__land", "map__water", "map__block", "map__edge")
LEAST_METRES: Final = 300.0
EDGE: Final = 0.06
"""Share of the picture that stays free around the outermost home."""

Point = tuple[float, float]


@dataclass(slots=True)
class Picture:
    """What lies under the homes: paths by class, names; and the way from degrees to the picture."""

    width: int
    height: int
    west: float
    north: float
    by_lon: float
    by_lat: float
    areas: list[tuple[str, str]] = field(default_factory=list)
    roads: list[tuple[str, str]] = field(default_factory=list)
    names: list[tuple[int, int, str]] = field(default_factory=list)

    def xy(self, point: Sequence[float]) -> Point:
        """A point of the picture; (0, 0) is its upper left corner."""
        return round((point[0] - self.west) * self.by_lon, 1), round((self.north - point[1]) * self.by_lat, 1)

    def outline(self, points: Iterable[Sequence[float]], *, closed: bool) -> str:
        """An outline as an SVG path."""
        return "M" + "L".join(f"{x} {y}" for x, y in (self.xy(p) for p in points)) + ("Z" if closed else "")


def picture(points: Sequence[Point], *, width: int = 960, height: int = 600) -> Picture | None:
    """The land under these points, in a picture that holds them all; None without points."""
    if not points:
        return None
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    lon, lat = (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2
    metres_lon, metres_lat = 111_320 * math.cos(math.radians(lat)), 110_540.0
    wide = max(LEAST_METRES, (max(lons) - min(lons)) * metres_lon / (1 - 2 * EDGE))
    high = max(LEAST_METRES * height / width, (max(lats) - min(lats)) * metres_lat / (1 - 2 * EDGE))
    scale = min(width / wide, height / high)
    by_lon, by_lat = metres_lon * scale, metres_lat * scale
    made = Picture(width, height, lon - width / 2 / by_lon, lat + height / 2 / by_lat, by_lon, by_lat)
    for feature in _features():
        _add(made, feature)
    made.areas.sort(key=lambda a: ORDER.index(a[0]))
    return made


def _add(made: Picture, feature: dict[str, Any]) -> None:
    props, shape = feature.get("properties", {}), feature.get("geometry", {})
    kind, points = props.get("kind"), shape.get("coordinates", [])
    if shape.get("type") == "Polygon" and kind in CSS and _seen(made, points[0]):
        made.areas.append((CSS[kind], made.outline(points[0], closed=True)))
        if kind == "compound" and props.get("name"):
            corners = [made.xy(p) for p in points[0]]
            x, y = sum(c[0] for c in corners) / len(corners), min(c[1] for c in corners) + 16
            made.names.append((round(x), round(y), str(props["name"])))
    elif shape.get("type") == "LineString" and kind == "road" and _seen(made, points):
        made.roads.append((str(props.get("class") or ""), made.outline(points, closed=False)))


def _seen(made: Picture, points: Iterable[Sequence[float]]) -> bool:
    xs, ys = zip(*(made.xy(p) for p in points), strict=True)
    return bool(max(xs) > 0 and min(xs) < made.width and max(ys) > 0 and min(ys) < made.height)


@lru_cache(maxsize=1)
def _features() -> tuple[dict[str, Any], ...]:
    path = finders.find(MAP_FILE)
    if not isinstance(path, str):
        return ()
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path of the finders
        return tuple(json.load(file).get("features", ()))
