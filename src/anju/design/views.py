"""/design/: every component and every value of the look on one page."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

HERE = Path(__file__).parent
ICON = re.compile(r'<symbol id="i-([a-z-]+)"')
SCALE = re.compile(r"--(grey|blue|red|amber|green|slate|violet)-(\d+):")
KINDS = (
    ("emergency", "sos", "此刻可能有人有危险；110、120、119"),
    ("warn", "clock", "时限将到或已过，字段有误，没联系上"),
    ("deaf", "deaf", "听不到，所以不知道"),
    ("maint", "wrench", "电池、信号、维修：说的是东西"),
    ("ok", "ok", "听得到、通过、到了"),
    ("work", "right", "可以动手、正在进行"),
    ("mute", "away", "外出、停机、已归档"),
)


@require_GET
def kit(request: HttpRequest) -> HttpResponse:
    """All components with the values they are made of. Holds no data, so it needs no log-in."""
    icons = ICON.findall((HERE / "templates/design/icons.html").read_text(encoding="utf-8"))
    scales: dict[str, list[str]] = {}
    for name, step in SCALE.findall((HERE / "static/design/tokens.css").read_text(encoding="utf-8")):
        scales.setdefault(name, []).append(step)
    now = timezone.now()  # noqa: TID251 - design stands below the kernel; only a picture
    context = {
        "icons": icons,
        "kinds": KINDS,
        "scales": scales.items(),
        "now": now,
        "due": now + timedelta(seconds=147),
    }
    return render(request, "design/kit.html", context)
