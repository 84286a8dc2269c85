"""Who makes a move, and what is said to those who may not."""

from __future__ import annotations

from dataclasses import dataclass

from anju.kernel.flow.table import CLOCK


class NotAllowed(Exception):
    """This person may not do that, or not now. The text is Chinese, for the user, and says what to do next."""

    def __init__(self, message: str, *, code: str = "not_allowed") -> None:
        super().__init__(message)
        self.code = code
        """`not_here` (the object has moved on), `not_you` (role), `needs` (condition), `reason` (write one)."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person (or the clock) with the roles held at this moment; `seat` is "A", "B" or ""."""

    name: str
    roles: frozenset[str]
    user_id: int | None = None
    seat: str = ""


THE_CLOCK = Actor("系统时钟", frozenset({CLOCK}))
