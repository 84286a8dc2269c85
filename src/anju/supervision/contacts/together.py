"""Several open messages of one writer are one conversation: the desk shows one row, and what is done is done to all that were shown.

Each message stays a row of its own, with its hour and its story. One that came while the agent wrote was not shown to her:
it is not settled with the others, it waits for somebody who has read it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from anju.kernel.flow.actor import Actor
from anju.supervision.contacts import actions
from anju.supervision.contacts.models import Contact

MOST = 100


@transaction.atomic
def take(*, by: Actor, contact_id: int, also: Iterable[int] = ()) -> None:
    """This colleague deals with all of it; what somebody deals with already stays hers."""
    for pk in _ids(contact_id, also, "take"):
        actions.take(by=by, contact_id=pk)


@transaction.atomic
def give_back(*, by: Actor, contact_id: int, also: Iterable[int] = ()) -> None:
    """Somebody else may."""
    for pk in _ids(contact_id, also, "give_back"):
        actions.give_back(by=by, contact_id=pk)


@transaction.atomic
def answer(*, by: Actor, contact_id: int, text: str, also: Iterable[int] = ()) -> None:
    """One answer to all of it: it stands under the last message, the others say where."""
    said = actions.answer(by=by, contact_id=contact_id, text=text)
    for row in _open(contact_id, also, "answer"):
        actions.answer_beside(by=by, contact_id=row.pk, said=said)


@transaction.atomic
def close(*, by: Actor, contact_id: int, reason: str, also: Iterable[int] = ()) -> None:
    """No answer is wanted."""
    for pk in [contact_id, *(row.pk for row in _open(contact_id, also, "close") if row.pk != contact_id)]:
        actions.close(by=by, contact_id=pk, reason=reason)


@transaction.atomic
def to_complaint(*, by: Actor, contact_id: int, about: str = "other", also: Iterable[int] = ()) -> int:
    """One complaint with the words of all of it, in their order; its id."""
    rows = _open(contact_id, [*also, contact_id], "to_complaint")
    words = "\n".join(row.text for row in rows)
    made = actions.to_complaint(by=by, contact_id=contact_id, about=about, words=words)
    for row in rows:
        if row.pk != contact_id:
            actions.becomes(row, f"complaint:{made}", "to_complaint", by)
    return made


@transaction.atomic
def to_case(*, by: Actor, contact_id: int, also: Iterable[int] = ()) -> int:
    """One case: opened by the first message of distress, the others are its lines; its id."""
    asked = _open(contact_id, [*also, contact_id], "to_case")
    ids = [row.pk for row in sorted(asked, key=lambda row: (not row.urgent, row.pk))]
    first, *others = ids or [contact_id]
    case = actions.to_case(by=by, contact_id=first)
    for pk in others:
        actions.to_case(by=by, contact_id=pk)
    return case


def _open(contact_id: int, also: Iterable[int], move: str) -> list[Contact]:
    """Which of those that were shown are this writer's, seen by who presses, and may go this way still; the oldest first."""
    thread = Contact.objects.filter(pk=contact_id).values_list("thread", flat=True).first()
    wanted = list(also)[-MOST:]
    rows = Contact.objects.select_for_update(of=("self",)).filter(pk__in=wanted, thread=thread or "").order_by("pk")
    return [row for row in rows if row.now_in.move(move) is not None]


def _ids(contact_id: int, also: Iterable[int], move: str) -> list[int]:
    """All that can go this way; when there is none, the one that was pressed, which says why not."""
    asked = _open(contact_id, [*also, contact_id], move)
    return [row.pk for row in asked] or [contact_id]
