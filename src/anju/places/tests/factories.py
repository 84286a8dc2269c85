"""The invented district 望潮区 for tests."""

from __future__ import annotations

from anju.places.models import Place
from anju.places.queries import forget_names
from anju.places.rules import level_of, parent_of

DISTRICT = "330199000000"
SPRING, TIDE = "330199001000", "330199002000"
LOTUS, REED, RIVER = "330199001001", "330199001002", "330199001003"
WILLOW, MOON, TIDE_HOME = "330199002004", "330199002005", "330199002006"
NAMES = {
    DISTRICT: "望潮区",
    SPRING: "春浦街道",
    TIDE: "听潮街道",
    LOTUS: "荷汀社区",
    REED: "青芦社区",
    RIVER: "枕江社区",
    WILLOW: "柳塘社区",
    MOON: "映月里社区",
    TIDE_HOME: "听潮里社区",
}


def make_district() -> None:
    """All places of 望潮区, once."""
    forget_names()
    for code, name in NAMES.items():
        parent = parent_of(code)
        Place.objects.update_or_create(
            code=code,
            defaults={"name": name, "level": level_of(code), "parent_id": parent if parent in NAMES else None},
        )
