"""Which of her contacts may look at an elder's page on the web, and whether she agrees today (ADR 0013).

HZ 附件2 四.7: reminders are seen by the elder, her guardian and those whom they empower. An account belongs to one guardian
of the file; it opens only while a signed consent covers it, so a consent that ends closes every account at once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from anju.accounts import actions as accounts
from anju.accounts import queries as users
from anju.accounts.permissions import must
from anju.elders.checks import NotAccepted, reason_given
from anju.elders.freezing import holds
from anju.elders.models import Consent, Contact, Elder
from anju.kernel import audit, clock
from anju.kernel.flow.actor import Actor

SCOPE: Final = "family"
"""The consent that lets a family look."""
KIND: Final = "guardian"
"""Contacts who may have an account: neighbours, grid workers and the property office may not."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What is told to the family, once. `password` is empty when the account was there already."""

    username: str
    password: str
    name: str


def let_in(elder_ids: Collection[int]) -> frozenset[int]:
    """Those of these elders whose family may look today. Asked past the scope: it is what the scope is made of."""
    living = Elder.unscoped.filter(pk__in=list(elder_ids)).exclude(status="ended").values("pk")
    today = clock.today()
    rows = Consent.unscoped.filter(elder__in=living, scope__contains=[SCOPE])
    return frozenset(c.elder_id for c in rows if holds(c, today))


@transaction.atomic
def open_account(*, contact_id: int, by: Actor, username: str = "") -> Opened:
    """A log-in for this contact. `username`: one that she has already, for another elder; its number must be the same."""
    must(by, "family.open")
    contact = _contact(contact_id)
    elder = contact.elder
    if contact.kind != KIND:
        raise NotAccepted("家属账号只开给监护人，请先把这位联系人登记为监护人")
    if elder.pk not in let_in([elder.pk]):
        raise NotAccepted("老人还没有签“家属在网上查看”的同意，或已过期。请先在“告知与期限”登记")
    if users.families_of([contact.pk]):
        raise NotAccepted("这位联系人已有家属账号")
    known = username.strip() or _in_this_home(contact)
    if username.strip() and not _same_person(contact, username.strip()):
        raise NotAccepted("这个账号的联系电话与这位联系人不同，请核对用户名和电话")
    try:
        user, password = accounts.open_family(
            name=contact.name, elder_id=elder.pk, contact_id=contact.pk, place=elder.home.place, by=by, username=known
        )
    except accounts.NotAccepted as reason:
        raise NotAccepted(str(reason)) from None
    _note(contact, "family.open", {"user": user.pk, "new": bool(password)})
    return Opened(user.username, password, contact.name)


@transaction.atomic
def renew_account(*, contact_id: int, by: Actor) -> Opened:
    """A new one-time password for somebody who has forgotten hers."""
    must(by, "family.open")
    contact = _contact(contact_id)
    try:
        user, password = accounts.renew_family(contact_id=contact.pk, by=by)
    except accounts.NotAccepted as reason:
        raise NotAccepted(str(reason)) from None
    _note(contact, "family.renew", {"user": user.pk})
    return Opened(user.username, password, contact.name)


@transaction.atomic
def close_account(*, contact_id: int, reason: str, by: Actor) -> None:
    """This contact may no longer look at this elder, from this moment on."""
    must(by, "family.open")
    contact, why = _contact(contact_id), reason_given(reason, "停用")
    try:
        accounts.close_family(contact_id=contact.pk, reason=why, by=by)
    except accounts.NotAccepted as refused:
        raise NotAccepted(str(refused)) from None
    _note(contact, "family.close", {}, why)


def contact_of(user_id: int | None, elder_id: int) -> Contact | None:
    """Which contact of this elder the family's user is, in the asker's scope."""
    rows = Contact.objects.filter(pk__in=users.contacts_of_family(user_id), elder=elder_id) if user_id else []
    return next(iter(rows), None)


def follow(contact: Contact, *, was: str, by: Actor) -> None:
    """A contact was changed or removed: whoever is no longer that guardian no longer looks. `was`: the name before."""
    if (contact.name != was or contact.kind != KIND) and users.families_of([contact.pk]):
        close_account(contact_id=contact.pk, reason="联系人已变更", by=by)


def _contact(contact_id: int) -> Contact:
    return Contact.objects.select_for_update(of=("self",)).select_related("elder__home").get(pk=contact_id)


def _in_this_home(contact: Contact) -> str:
    """The account of the same guardian at another person of this home: two parents, one log-in."""
    beside = Contact.objects.filter(elder__home=contact.elder.home_id, kind=KIND).exclude(elder=contact.elder_id)
    same = [c.pk for c in beside if (c.phone, c.name) == (contact.phone, contact.name)]
    return next((a.username for a in users.families_of(same).values()), "")


def _same_person(contact: Contact, username: str) -> bool:
    """Whether the account belongs to a contact with this number: nobody is bound by a name alone. Past the scope."""
    held = users.contacts_of_family(username)
    return any(c.phone == contact.phone for c in Contact.unscoped.filter(pk__in=held))


def _note(contact: Contact, action: str, detail: dict[str, object], reason: str = "") -> None:
    audit.record(
        action, subject="elder", subject_id=contact.elder_id, place=contact.elder.home.place, reason=reason,
        detail={"contact": contact.pk, **detail},
    )  # fmt: skip
