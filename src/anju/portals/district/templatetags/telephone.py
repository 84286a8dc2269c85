"""Small filters of the call pages."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """85.2 → 1:25; 3725 → 1:02:05; nothing for None."""
    if seconds is None:
        return ""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@register.filter
def points(most: int) -> list[int]:
    """The points that a line may get, the full ones first."""
    return list(range(most, -1, -1))
