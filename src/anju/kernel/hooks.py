"""What a lower layer may ask of a higher one without importing it: the higher one leaves a function here by name.

Only `config/wiring.py` provides; a portal asks and must live with nobody answering.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_answers: dict[str, Callable[[], Any]] = {}


def provide(name: str, answer: Callable[[], Any]) -> None:
    """Leave `answer` under `name`; the last one wins (a test may put its own)."""
    _answers[name] = answer


def ask(name: str, default: Any = None) -> Any:
    """The answer of whoever provided `name`, or `default`."""
    answer = _answers.get(name)
    return default if answer is None else answer()
