"""Idempotency keys, and what a body may hold before it reaches an action."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction

from anju.accounts.models import User
from anju.kernel.flow.actor import NotAllowed
from anju.portals.open_api.models import Done
from anju.portals.open_api.schemas import MoveIn

DEEPEST = 4
MOST = 40


def check(payload: MoveIn, key: str) -> None:
    """Refuse what no action could keep: NUL characters, huge or deeply nested data, numbers beyond 64 bits."""
    if "\0" in key or "\0" in payload.reason or not _plain(payload.data, 0):
        raise NotAllowed(
            "reason、data 里有不能保存的内容：请去掉控制字符，data 只放短文字和普通数字，不超过四层。", code="needs"
        )


def _plain(value: Any, depth: int) -> bool:
    if depth > DEEPEST:
        return False
    if isinstance(value, str):
        return len(value) <= 500 and "\0" not in value and value.isprintable()
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        return abs(value) < 2**53
    items = list(value.items()) if isinstance(value, dict) else [("", v) for v in value]
    return len(items) <= MOST and all(_plain(k, depth + 1) and _plain(v, depth + 1) for k, v in items)


def first(user: User, key: str, request: str) -> bool:
    """True when this request is to be done; False when it was done under this key before.

    Two requests at once: the second waits at the unique index until the first has ended.
    """
    if not key:
        return True
    try:
        with transaction.atomic():
            Done.objects.create(user=user, key=key, request=request[:160])
    except IntegrityError:
        if Done.objects.get(user=user, key=key).request != request[:160]:
            raise NotAllowed("这个幂等键已经用在别的请求上，请换一个新的键。", code="key") from None
        return False
    return True


@contextmanager
def readable() -> Iterator[None]:
    """Data of a wrong shape is the asker's fault, whatever the action stumbles over."""
    try:
        yield
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise NotAllowed("data 的内容不合这个动作：请看事件的 moves[].fields 要什么。", code="needs") from error
