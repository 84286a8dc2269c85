"""Days and times in forms, one way for all pages: 2026-11-20, 2026-11-20 14:30, 14:30, whatever language the browser speaks.

A browser draws `<input type="date">` in its own language (11/20/2026, 02:30 PM), and nothing in a page can change that. So
`<when-field>` (islands/when.ts) puts a text of a fixed form before it and keeps the browser's own as the picker beside it.
Without scripts the browser's own field does it alone; both send what `fromisoformat` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind is written: the browser's type, Python's format, the icon."""

    type: str
    form: str
    icon: str


SHAPES: Final = {
    "date": Shape("date", "%Y-%m-%d", "calendar"),
    "datetime": Shape("datetime-local", "%Y-%m-%dT%H:%M", "calendar"),
    "time": Shape("time", "%H:%M", "clock"),
}


def written(kind: str, value: object) -> str:
    """A day, a moment (in local time) or a time of day as its field takes it; text stays as it is."""
    if isinstance(value, datetime):
        value = timezone.localtime(value) if timezone.is_aware(value) else value
    if isinstance(value, (date, time)):
        return value.strftime(SHAPES[kind].form)
    return str(value or "")


def framed(kind: str, inner: SafeString) -> SafeString:
    """The field inside its element."""
    icon = SHAPES[kind].icon
    mark = format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', icon)
    return format_html('<when-field kind="{}">{}{}</when-field>', kind, inner, mark)


class DayInput(forms.DateInput):
    """A day in a form of Django."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format=SHAPES["date"].form)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The field with its picker."""
        return framed("date", super().render(name, value, attrs, renderer))
