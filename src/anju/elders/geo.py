"""Chinese map coordinates to WGS-84 and back. Pure.

GCJ-02 is what Chinese maps use, hundreds of metres off; BD-09 is Baidu's second shift on top of it. Both are only
approximations of an unpublished formula; turning back is done by iteration, good to less than a metre.
"""

from __future__ import annotations

from math import atan2, cos, pi, sin, sqrt

_A = 6378245.0
_EE = 0.00669342162296594323
_X_PI = pi * 3000.0 / 180.0


class BadCoordinates(ValueError):
    """Not a point in or near China."""


def to_wgs84(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """Longitude and latitude in WGS-84 of a point given in `wgs84`, `gcj02` or `bd09`."""
    if not (72 <= lon <= 138 and 0 <= lat <= 56):
        raise BadCoordinates("坐标不在中国范围内，请看经度、纬度有没有填反")
    if datum == "bd09":
        lon, lat = _gcj_of_bd(lon, lat)
    if datum in {"gcj02", "bd09"}:
        guess = (lon, lat)
        for _ in range(5):
            there = gcj02(*guess)
            guess = (guess[0] - (there[0] - lon), guess[1] - (there[1] - lat))
        lon, lat = guess
    return round(lon, 7), round(lat, 7)


def gcj02(lon: float, lat: float) -> tuple[float, float]:
    """The same point on a Chinese map."""
    x, y = lon - 105.0, lat - 35.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    wave = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north += wave + (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east += wave + (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    radians = lat / 180.0 * pi
    magic = 1 - _EE * sin(radians) ** 2
    root = sqrt(magic)
    north = north * 180.0 / ((_A * (1 - _EE)) / (magic * root) * pi)
    east = east * 180.0 / (_A / root * cos(radians) * pi)
    return lon + east, lat + north


def _gcj_of_bd(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 0.0065, lat - 0.006
    far = sqrt(x * x + y * y) - 0.00002 * sin(y * _X_PI)
    angle = atan2(y, x) - 0.000003 * cos(x * _X_PI)
    return far * cos(angle), far * sin(angle)
