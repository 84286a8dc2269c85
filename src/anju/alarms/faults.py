"""What may go wrong with one message, home or rule, without hurting the others."""

from __future__ import annotations

from django.db import connection

from anju.alarms.models import Trouble

TroubleLine = tuple[str, str, str]
"""Kind, subject and text of a trouble, told after the batch is safe."""


def is_database_gone(error: BaseException) -> bool:
    """Whether nothing more can be done on this connection: then the whole batch is given back, nobody's fault."""
    raw = connection.connection
    return raw is None or bool(raw.closed) or bool(raw.broken) or isinstance(error, SystemExit | KeyboardInterrupt)


def words(error: BaseException) -> str:
    """An error as it may stand in the log and in a row."""
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:200]


def poison(subject: str, error: str) -> TroubleLine:
    """A message could not be handled as it should."""
    return (Trouble.Kind.POISON, subject, f"报文处理失败，已留存待重试：{error}")
