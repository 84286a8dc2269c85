"""此刻各户: how each home stands by what was last heard. The database counts; kept for some seconds for each user."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import F, Q

from anju.alarms.standing import Standing, standing
from anju.devices import totals
from anju.elders import queries as elders
from anju.kernel import clock
from anju.portals.desk import present
from anju.signals.activity import DEAF_AFTER, LIVELY, STEP_OUT, Happening, state

KEPT_SECONDS = 20
SHOWN = 6


def overview(user_id: int, now: datetime) -> dict[str, Any]:
    """Counts by the six words and the homes that were silent longest."""
    key = f"desk.homes.{user_id}"
    known = cache.get(key)
    if known is None:
        stands = standing(now)
        parts = totals.homes_by(**words(now, stands.overdue))
        known = {
            "homes": {
                "total": sum(n for word, n in parts.items() if word != "停机"),
                "parts": present.counts(parts),
            },
            "silent": [_row(home, now, stands.overdue) for home in totals.longest_silent(limit=SHOWN, active=True)],
            "rhythm": _rhythm(stands),
        }
        cache.set(key, known, KEPT_SECONDS)
    return dict(known)


def _rhythm(stands: Standing) -> str:
    """How far the watch has learnt, in words."""
    if not stands.watched:
        return "没有在看护的户，不判久静"
    if not stands.learnt:
        return "平日节律还在学，学出前按通用时限看"
    return f"在看护的 {stands.watched} 户中 {stands.learnt} 户已学出平日节律，超出的列为久静"


def words(now: datetime, overdue: Collection[int] = ()) -> dict[str, Q]:
    """`signals.activity.state` for homes of which only the last motion and the last door are known, as conditions.

    A quiet home of `overdue` (quiet longer than its own rhythm allows) is 久静 instead.
    """
    off, on = ~Q(home__status="active"), Q(home__status="active")  # a null is neither: both sides are written out
    deaf, heard = Q(heard=None) | Q(heard__lt=now - DEAF_AFTER), on & Q(heard__gte=now - DEAF_AFTER)
    lively, calm = Q(moved__gte=now - LIVELY), Q(moved=None) | Q(moved__lt=now - LIVELY)
    away = Q(door__lt=now - STEP_OUT) & (Q(moved=None) | Q(moved__lte=F("door")))
    here = Q(door=None) | Q(door__gte=now - STEP_OUT) | Q(moved__gt=F("door"))
    quiet = heard & calm & here
    found = {"停机": off, "失联": on & deaf, "有动静": heard & lively, "外出": heard & calm & away, "安静": quiet}
    if overdue:
        late = Q(home_id__in=list(overdue))
        found |= {"安静": quiet & ~late, "久静": quiet & late}
    return found


def happenings(home: totals.SilentHome) -> list[Happening]:
    """The last motion and the last door of a home, in order of time."""
    told = [(home.moved_at, "motion"), (home.door_at, "door_closed")]
    return sorted((Happening(at, kind) for at, kind in told if at is not None), key=lambda e: e.at)


def _row(home: totals.SilentHome, now: datetime, overdue: Mapping[int, datetime]) -> dict[str, Any]:
    now_is = state(happenings(home), now, last_heard=home.heard_at, suspended=False, zone=clock.SHANGHAI)
    who, last, moved = elders.main_elder(home.home_id), home.heard_at, now_is.last_move
    about = f"{who.sex} {present.age(who.birth_date, now)}" if who else ""
    late = now_is.word == "安静" and home.home_id in overdue
    kind, icon, word = ("warn", "clock", "久静") if late else (now_is.kind, now_is.icon, now_is.word)
    return {
        "id": home.home_id, "name": who.name if who else f"{home.home_id} 号住处", "about": about, "kind": kind,
        "icon": icon, "word": word, "heard": present.day_time(last, now) if last else "从未听到",
        "moved": present.day_time(moved.at, now) if moved else "—", "quiet": present.ago(now - last) if last else "—",
    }  # fmt: skip
