"""Two who want the same rows in another order: the database sends one of them away, and whoever was sent away comes again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection

T = TypeVar("T")
_LOST = {"40P01", "55P03", "40001"}
"""deadlock_detected, lock_not_available, serialization_failure"""


def is_lost(error: BaseException) -> bool:
    """Whether somebody else had what was wanted, so that the same once more may succeed."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") in _LOST


def again(act: Callable[[], T], *, times: int = 3) -> T:
    """Do it; after a lost lock once more, `times` in all. `act` is one transaction: what it had done by then is undone.

    Inside a transaction nothing is repeated: the locks that it holds are those the other one waits for, so whoever began
    it must let go of them.
    """
    for left in reversed(range(times)):
        try:
            return act()
        except OperationalError as error:
            if not left or connection.in_atomic_block or not is_lost(error):
                raise
    raise AssertionError("unreachable")
