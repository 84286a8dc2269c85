"""Says that something changed, never what: pages that are open fetch again what their user may see."""

from __future__ import annotations

import json

from django.db import connection

CHANNEL = "anju_changed"


def changed(topic: str, id: int | str, place: str) -> None:  # noqa: A002
    """Tell the open pages, when this transaction commits. `place` lets the push be kept from those who may not see it."""
    if not (topic.isascii() and topic.isalpha()):
        raise ValueError(f"a topic is one English word, not {topic!r}")
    payload = json.dumps({"t": topic, "i": id, "p": place}, ensure_ascii=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
