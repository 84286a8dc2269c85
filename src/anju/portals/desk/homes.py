"""此刻各户: how each home stands by what was last heard. Kept for some seconds, because it walks all devices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.cache import cache

from anju.devices import queries as devices
from anju.elders import queries as elders
from anju.kernel import clock
from anju.portals.desk import present
from anju.signals.activity import Happening, state

KEPT_SECONDS = 20
PAGE = 1000
SHOWN = 6


def overview(user_id: int, now: datetime) -> dict[str, Any]:
    """Counts by the six words and the homes that were silent longest."""
    key = f"desk.homes.{user_id}"
    known = cache.get(key)
    if known is None:
        known = _look(now)
        cache.set(key, known, KEPT_SECONDS)
    return dict(known)


def _look(now: datetime) -> dict[str, Any]:
    heard: dict[int, list[devices.DeviceHealth]] = {}
    after = 0
    while rows := devices.health(after_id=after, limit=PAGE):
        for row in rows:
            if row.device.home_id is not None:
                heard.setdefault(row.device.home_id, []).append(row)
        after = rows[-1].device.id
    parts: dict[str, int] = {}
    silent: list[tuple[datetime, int, Any]] = []
    off = {home.pk for home in elders.homes() if home.status != "active"}
    for home_id, rows in heard.items():
        last = max((r.last_heard_at for r in rows if r.last_heard_at), default=None)
        events = sorted(
            (
                Happening(r.last_event_at, "motion" if r.device.kind == "motion" else "door_closed", r.device.lco)
                for r in rows
                if r.last_event_at and r.device.kind in {"motion", "door"}
            ),
            key=lambda e: e.at,
        )
        now_is = state(events, now, last_heard=last, suspended=home_id in off, zone=clock.SHANGHAI)
        parts[now_is.word] = parts.get(now_is.word, 0) + 1
        if home_id not in off:
            silent.append((last or datetime.min.replace(tzinfo=now.tzinfo), home_id, now_is))
    silent.sort(key=lambda one: one[0])
    total = sum(n for word, n in parts.items() if word != "停机")
    return {
        "homes": {"total": total, "parts": present.counts(parts)},
        "silent": [_row(*one, now) for one in silent[:SHOWN]],
    }


def _row(last: datetime, home_id: int, now_is: Any, now: datetime) -> dict[str, Any]:
    who = elders.main_elder(home_id)
    ever = now_is.last_heard is not None
    moved = now_is.last_move
    about = f"{who.sex} {present.age(who.birth_date, now)}" if who else ""
    return {
        "id": home_id, "name": who.name if who else f"{home_id} 号住处", "about": about, "kind": now_is.kind, "icon": now_is.icon,
        "word": now_is.word, "heard": present.day_time(last, now) if ever else "从未听到",
        "moved": present.day_time(moved.at, now) if moved else "—", "quiet": present.ago(now - last) if ever else "—",
    }  # fmt: skip
