"""What an address says about a list: filters, page number. Odd values are ignored, never an error."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final

from django.http import HttpRequest

from anju.kernel import clock
from anju.places import queries as places
from anju.places.queries import Level, PlaceInfo


def text(request: HttpRequest, name: str, longest: int = 60) -> str:
    """A text of the address without control characters."""
    return "".join(c for c in request.GET.get(name, "") if c.isprintable()).strip()[:longest]


def choice(request: HttpRequest, name: str, choices: Iterable[str], default: str = "") -> str:
    """One of the choices, else the default."""
    value = request.GET.get(name, "")
    return value if value in set(choices) else default


def one_of(value: str, known: Iterable[str]) -> str:
    """The value if it is known, else ""."""
    return value if value in set(known) else ""


def number(request: HttpRequest, name: str, *, least: int = 1, most: int = 1_000_000, default: int = 1) -> int:
    """A whole number between two ends, else the default."""
    value = request.GET.get(name, "")
    return min(max(int(value), least), most) if value.isascii() and value.isdigit() and len(value) < 10 else default


EARLIEST: Final = date(2000, 1, 1)
"""Days before are nobody's records, and near the end of the calendar there is no next or previous day."""


def day(request: HttpRequest, name: str, default: date) -> date:
    """A date written as 2026-11-20, from EARLIEST on and not after today."""
    try:
        return max(EARLIEST, min(date.fromisoformat(request.GET.get(name, "")), clock.today()))
    except ValueError:
        return default


def span_of(on: date) -> tuple[datetime, datetime]:
    """From midnight to midnight of a day in China."""
    start = datetime.combine(on, time(), clock.SHANGHAI)
    return start, start + timedelta(days=1)


def communities() -> list[PlaceInfo]:
    """Communities of the user's own subtree, for a filter."""
    return places.subtree(level=Level.COMMUNITY)


def place(request: HttpRequest, known: Iterable[PlaceInfo]) -> str:
    """The community the address asks for, if it is one of the user's."""
    return choice(request, "place", (p.code for p in known))


class Pages:
    """A page of a list whose length is known: what `{% pager %}` needs, without loading everything."""

    def __init__(self, number: int, size: int, count: int) -> None:
        self.count, self.size = count, size
        self.num_pages = max(1, -(-count // size))
        self.number = min(number, self.num_pages)
        self.paginator = self

    @property
    def start(self) -> int:
        """How many rows come before this page."""
        return (self.number - 1) * self.size

    def has_previous(self) -> bool:
        """Is there a page before?"""
        return self.number > 1

    def has_next(self) -> bool:
        """Is there a page after?"""
        return self.number < self.num_pages

    def previous_page_number(self) -> int:
        """Its number."""
        return self.number - 1

    def next_page_number(self) -> int:
        """Its number."""
        return self.number + 1
