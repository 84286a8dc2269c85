"""The surroundings of a home, drawn on the server from the invented vector map: houses, roads, the ambulance entrance.

Coordinates are WGS-84. The piece shown is 480 × 360 m around the home; without a map or a position there is no picture.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

from django.contrib.staticfiles import finders

MAP_FILE = "town/map.geojson"
WIDTH, HEIGHT = 640, 480
METRES = 320.0
"""Metres across the picture: one compound with its gates."""
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

    def __init__(self, lon: float, lat: float) -> None:
        self.lon, self.lat = lon, lat
        self.scale = WIDTH / METRES
        self.by_lon = 111_320 * math.cos(math.radians(lat)) * self.scale
        self.by_lat = 110_540 * self.scale

    def xy(self, point: list[float]) -> tuple[float, float]:
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
    view = View(float(home["lon"]), float(home["lat"]))
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
    entrance = _entrance(home, view, gates)
    if entrance:
        pins.append(
            {"x": entrance[0], "y": entrance[1], "kind": "emergency", "icon": "ambulance", "label": "救护车从这里进"}
        )
    here = view.xy([view.lon, view.lat])
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


def _add(  # noqa: PLR0917
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


def _entrance(
    home: dict[str, Any], view: View, gates: list[tuple[float, float, dict[str, Any]]]
) -> tuple[float, float] | None:
    if home.get("entrance_lon") is not None and home.get("entrance_lat") is not None:
        return view.xy([float(home["entrance_lon"]), float(home["entrance_lat"])])
    return next(((x, y) for x, y, props in gates if props.get("ambulance")), None)
