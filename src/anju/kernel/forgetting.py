"""Emptying what rows say when a person's data are deleted: rows stay as figures, words go.

What is not named as kept is emptied, so that a column that comes later cannot be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import QuerySet

from anju.kernel.crypto import EncryptedJSONField
from anju.kernel.flow.actor import THE_CLOCK
from anju.kernel.models import Movement

FORGOTTEN = "（个人信息已删除）"
_CODE = re.compile(r"[a-z][a-z0-9_:.]{0,59}")
_NOBODY = frozenset({THE_CLOCK.name, "平台", "系统"})


def empty(rows: QuerySet[Any], *, keep: Collection[str] = ()) -> int:
    """Empty every free text and every JSON of these rows but `keep`; how many rows.

    Texts with a list of choices, keys and relations are no free texts. A JSON or a list goes back to its default.
    """
    values: dict[str, Any] = {}
    for field in rows.model._meta.concrete_fields:
        if field.name in keep or field.primary_key or field.unique or field.is_relation or field.choices:
            continue
        if isinstance(field, models.JSONField | EncryptedJSONField | ArrayField):
            values[field.name] = field.get_default() if field.has_default() else {}
        elif isinstance(field, models.CharField | models.TextField):
            values[field.name] = ""
    return rows.update(**values)


def codes(value: Any) -> Any:
    """A JSON without what people wrote: figures, flags and lower-case codes stay, every other text is emptied."""
    if isinstance(value, dict):
        return {key: codes(one) for key, one in value.items() if _CODE.fullmatch(str(key)) or str(key).isdigit()}
    if isinstance(value, list):
        return [codes(one) for one in value]
    if isinstance(value, str):
        return value if _CODE.fullmatch(value) else ""
    return value


def story(flow: str, subject_ids: Iterable[int]) -> int:
    """Empty notes and words in what happened to these objects; the moves, their times and which user made them stay.

    Whoever acted without being a user (a contact, the elder herself) loses the name. The rows are append-only otherwise.
    """
    return _forget(list(Movement.objects.filter(flow=flow, subject_id__in=list(subject_ids))))


def told(flow: str, said: Collection[str]) -> int:
    """The same for every move of a process that belongs to nobody's file but in which one of these texts stands."""
    rows = Movement.objects.filter(flow=flow)
    return _forget([m for m in rows if any(one in f"{m.note} {m.by} {m.data}" for one in said)])


def _forget(rows: Sequence[Movement]) -> int:
    with pgtrigger.ignore("kernel.Movement:append_only"):  # the person's right is above the story's
        for row in rows:
            row.note, row.data = "", codes(row.data)
            if row.by_user is None and row.by not in _NOBODY:
                row.by = FORGOTTEN
            row.save(update_fields=["note", "data", "by"])
    return len(rows)


def without(text: str, said: Iterable[str]) -> str:
    """A text in which these names and numbers no longer stand, for texts that belong to nobody's file."""
    for one in said:
        text = text.replace(one, FORGOTTEN)
    return text
