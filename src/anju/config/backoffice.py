"""The look of the back office (django-unfold): the same blue and radius as the working pages, nothing from elsewhere."""

from __future__ import annotations

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "安居后台",
    "SITE_HEADER": "安居后台",
    "SITE_SUBHEADER": "字典与账号",
    "SITE_URL": "/",
    "SITE_SYMBOL": "home",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "4px",
    "COLORS": {
        "primary": {
            "50": "#eaf4fb",
            "100": "#d2e7f5",
            "200": "#a9d0ea",
            "300": "#76b4da",
            "400": "#3f92c3",
            "500": "#1a76ab",
            "600": "#0f6499",
            "700": "#0d527e",
            "800": "#0e4466",
            "900": "#103a56",
            "950": "#0b1a26",
        },
    },
    "SIDEBAR": {"show_search": True, "show_all_applications": False},
}
