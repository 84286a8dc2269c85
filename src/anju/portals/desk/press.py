"""Carry out a press once: the same button of the same person on the same version of the case, with the same words, is one act."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from anju.kernel import clock, locks
from anju.portals.desk.models import Press

KEPT = timedelta(days=1)


def key_of(path: str, words: Mapping[str, Any]) -> str:
    """What makes two presses the same."""
    said = sorted((name, str(value)) for name, value in words.items() if name not in {"csrfmiddlewaretoken", "dialog"})
    return hashlib.sha256(repr((path, said)).encode()).hexdigest()


def once(key: str, act: Callable[[], object]) -> bool:
    """Do it unless it was done before; False if it was. A refused act leaves no trace and may be tried again.

    Nobody's press is lost because two waited for each other: whom the database sends away does it again.
    """
    return locks.again(lambda: _once(key, act))


def _once(key: str, act: Callable[[], object]) -> bool:
    with transaction.atomic():
        try:
            with transaction.atomic():
                Press.objects.create(key=key)
        except IntegrityError:
            return False
        act()
    return True


def forget_old() -> int:
    """Presses of yesterday cannot be repeated by a double click; the number removed."""
    return Press.objects.filter(at__lt=clock.now() - KEPT).delete()[0]
