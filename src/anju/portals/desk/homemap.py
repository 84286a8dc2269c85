"""The surroundings of a home, drawn on the server from the invented vector map: houses, roads, the ambulance entrance.

Coordinates are WGS-84. The piece shown holds the home and the entrance; without a map or a position there is no picture.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.contrib.staticfiles import finders

MAP_FILE = "town/map.geojson"
WIDTH, HEIGHT = 400, 300
LEAST_METRES = 220.0
"""Metres across the picture at least; more when the entrance is farther."""
CSS = {"water": "map__water", "building": "map__block", "compound": "map__land"}


@lru_cache(maxsize=1)
def _features() -> tuple[dict[str, Any], ...]:
    path = finders.find(MAP_FILE)
    if not isinstance(path, str):
        return ()
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path of the finders
        return tuple(json.load(file).get("features", ()))


class View:
    """From degrees to the picture."""

    def __init__(self, home: tuple[float, float], entrance: tuple[float, float] | None) -> None:
        far = entrance or home
        self.lon, self.lat = (home[0] + far[0]) / 2, (home[1] + far[1]) / 2
        by_lon, by_lat = 111_320 * math.cos(math.radians(self.lat)), 110_540
        wide, high = abs(home[0] - far[0]) * by_lon, abs(home[1] - far[1]) * by_lat
        scale = WIDTH / max(LEAST_METRES, wide * 1.7, high * 1.7 * WIDTH / HEIGHT)
        self.by_lon, self.by_lat = by_lon * scale, by_lat * scale

    def xy(self, point: Sequence[float]) -> tuple[float, float]:
        """A point of the picture; (0, 0) is its upper left corner."""
        return round(WIDTH / 2 + (point[0] - self.lon) * self.by_lon, 1), round(
            HEIGHT / 2 - (point[1] - self.lat) * self.by_lat, 1
        )

    def sees(self, points: list[list[float]]) -> bool:
        """Whether the outline touches the picture."""
        xs, ys = zip(*(self.xy(p) for p in points), strict=True)
        return bool(max(xs) > 0 and min(xs) < WIDTH and max(ys) > 0 and min(ys) < HEIGHT)

    def path(self, points: list[list[float]], *, closed: bool) -> str:
        """The outline as an SVG path."""
        return "M" + "L".join(f"{x} {y}" for x, y in (self.xy(p) for p in points)) + ("Z" if closed else "")


def draw(home: dict[str, Any]) -> dict[str, Any] | None:
    """The picture of a frozen home; None when there is no position or no map around it."""
    if home.get("lon") is None or home.get("lat") is None:
        return None
    spot = (float(home["lon"]), float(home["lat"]))
    gate = _gate(home, spot)
    view = View(spot, gate)
    areas: list[dict[str, str]] = []
    roads: list[dict[str, str]] = []
    names: list[dict[str, Any]] = []
    gates: list[tuple[float, float, dict[str, Any]]] = []
    for feature in _features():
        _add(feature, view, areas, roads, names, gates)
    if not areas and not roads:
        return None
    pins = [
        {"x": x, "y": y, "kind": "mute", "icon": "door", "label": p.get("name", "")}
        for x, y, p in gates
        if not p.get("ambulance")
    ]
    entrance = view.xy(gate) if gate else None
    if entrance:
        pins.append(
            {"x": entrance[0], "y": entrance[1], "kind": "emergency", "icon": "ambulance", "label": "救护车从这里进"}
        )
    here = view.xy(spot)
    pins.append(
        {"x": here[0], "y": here[1], "kind": "work", "icon": "home", "label": str(home.get("building") or "老人家")}
    )
    route = f"M{entrance[0]} {entrance[1]}L{here[0]} {here[1]}" if entrance else ""
    order = {"map__land": 0, "map__water": 1, "map__block": 2}
    areas.sort(key=lambda a: order.get(a["css"], 3))
    label = "老人家附近的地图" + ("，标有救护车入口" if entrance else "")
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "areas": areas,
        "roads": roads,
        "names": names,
        "pins": pins,
        "route": route,
        "label": label,
    }


def _add(
    feature: dict[str, Any], view: View, areas: list[dict[str, str]], roads: list[dict[str, str]], names: list[dict[str, Any]],
    gates: list[tuple[float, float, dict[str, Any]]],
) -> None:  # fmt: skip
    props, shape = feature.get("properties", {}), feature.get("geometry", {})
    kind, points = props.get("kind"), shape.get("coordinates", [])
    if shape.get("type") == "Polygon" and kind in CSS and view.sees(points[0]):
        areas.append({"css": CSS[kind], "d": view.path(points[0], closed=True)})
        word = props.get("name") if kind == "compound" else props.get("number")
        if word:
            corners = [view.xy(p) for p in points[0]]
            names.append(
                {
                    "x": round(sum(x for x, _ in corners) / len(corners)),
                    "y": round(sum(y for _, y in corners) / len(corners)),
                    "text": word,
                }
            )
    elif shape.get("type") == "LineString" and kind == "road" and view.sees(points):
        roads.append({"css": str(props.get("class") or ""), "d": view.path(points, closed=False)})
    elif shape.get("type") == "Point" and kind == "gate" and view.sees([points]):
        gates.append((*view.xy(points), props))


def _gate(home: dict[str, Any], spot: tuple[float, float]) -> tuple[float, float] | None:
    """The entrance that the file names, else the nearest gate of the map that an ambulance can pass."""
    if home.get("entrance_lon") is not None and home.get("entrance_lat") is not None:
        return float(home["entrance_lon"]), float(home["entrance_lat"])
    gates = [
        (float(f["geometry"]["coordinates"][0]), float(f["geometry"]["coordinates"][1]))
        for f in _features()
        if f["properties"].get("kind") == "gate" and f["properties"].get("ambulance")
    ]
    near = [g for g in gates if math.hypot((g[0] - spot[0]) * 95_000, (g[1] - spot[1]) * 110_540) < 400]
    return min(near, key=lambda g: math.hypot(g[0] - spot[0], g[1] - spot[1]), default=None)
