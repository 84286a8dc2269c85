"""For tests that commit: the flush at their end knows nothing of the log's tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection


def empty_the_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE signals_message, signals_signal, signals_seen")


@pytest.fixture
def log(transactional_db: None) -> Iterator[None]:
    """An empty log before and after."""
    empty_the_log()
    yield
    empty_the_log()
