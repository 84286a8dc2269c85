"""The only writers of contacts: they come in, somebody takes them, they are answered or become something else."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from anju.accounts.permissions import must
from anju.calls import actions as calls
from anju.calls import queries as spoken
from anju.devices.models import RECEIVING_DISTRICT
from anju.elders import families
from anju.elders import queries as elders
from anju.incidents import actions as incidents
from anju.incidents import queries as cases
from anju.kernel import audit, clock, crypto, facts
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.numbers import next_number
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.supervision import actions as supervision
from anju.supervision.contacts import enclosures, queries, rules
from anju.supervision.contacts.facts import ContactLate, DoorDeaf
from anju.supervision.contacts.models import Contact, WechatAccount

if TYPE_CHECKING:
    from anju.kernel.models import Movement

WITHIN, MOST, MOST_URGENT = timedelta(minutes=10), 5, 30
"""Messages that one address may leave in ten minutes; words of distress pass longer."""
A_CRY = timedelta(minutes=30)
"""After a cry: so long a picture or a place of the same writer belongs to it."""
WRITER = Actor("微信留言人", frozenset())
WELL = "报平安：刚和老人通过话，老人说没事。"


class TooMany(Exception):
    """One address writes too often."""


@transaction.atomic
def receive(
    *, channel: str, text: str, name: str = "", reach: str = "", origin: str = "", thread: str = "", outer_id: str = "", suspect: bool = False,
    kind: str = "text", said: str | None = None, media: Iterable[tuple[str, str]] = (),
) -> Contact:  # fmt: skip
    """Somebody writes by herself. Told twice under one `outer_id`, it answers with the same. TooMany stores nothing.

    `said`: her own words in it when they are not all of the text; only they hold words of distress. What has no words (a picture,
    a place) and comes within half an hour after a cry of the same writer belongs to the cry and rings as it does. `media` are fetched.

    What looks like a machine's (`suspect`) is kept and shown last; a word of distress in it is urgent all the same.
    """
    text = _clean(text, rules.LONGEST)
    if not text:
        raise NotAllowed("请写下要说的话。", code="needs")
    with seen_by(EVERYWHERE):
        known = Contact.objects.filter(channel=channel, outer_id=outer_id).first() if outer_id else None
        if known is not None:
            return known
        word, index = (
            rules.urgent(text if said is None else said),
            crypto.blind(origin, "contact.origin") if origin else "",
        )
        word = word or (_cry(thread) if kind != "text" else "")
        lately = Contact.objects.filter(origin=index, at__gt=clock.now() - WITHIN).count() if index else 0
        if lately >= (MOST_URGENT if word or kind == "voice" else MOST):  # nobody can read what a voice says
            raise TooMany
        earlier = Contact.objects.filter(thread=thread).order_by("-pk").first() if thread else None
        row = Contact(
            channel=channel, kind=kind,
            thread=thread if earlier or channel == "wechat" else secrets.token_urlsafe(24), outer_id=outer_id[:40], origin=index,
            name=_clean(name, 40) or (earlier.name if earlier else ""), reach=_clean(reach, 60) or (earlier.reach if earlier else ""),
            text=text, urgent=word, suspect=suspect, place=earlier.place if earlier else RECEIVING_DISTRICT,
            elder_id=earlier.elder_id if earlier else None, home_id=earlier.home_id if earlier else None,
        )  # fmt: skip
        _begin(row, THE_CLOCK)
        enclosures.expect(row, media)
        if kind == "location" and (case := queries.open_case(row)) is not None:
            with (
                suppress(NotAllowed),
                transaction.atomic(),
            ):  # the case may be over by now; her message stands all the same
                incidents.note(incident_id=case, by=WRITER, text=f"微信发来{text}", source="contact")
        return row


def _cry(thread: str) -> str:
    """The word of distress that this writer sent last, when that is not long ago; "" else."""
    lately = Contact.objects.filter(thread=thread, at__gt=clock.now() - A_CRY) if thread else Contact.objects.none()
    row = lately.exclude(urgent="").exclude(state="closed").order_by("-pk").first()
    return row.urgent if row is not None else ""


@transaction.atomic
def register(
    *, by: Actor, channel: str, text: str, name: str = "", reach: str = "", elder_id: int | None = None
) -> Contact:
    """An agent writes down a letter, a visit, a message that came by another way."""
    _must_deal(by)
    text = _clean(text, 2000)
    if channel not in rules.AT_THE_DESK or not text:
        raise NotAllowed("请选渠道，并写下内容。", code="needs")
    elder = elders.elder(elder_id) if elder_id else None
    if elder_id and elder is None:
        raise NotAllowed("没有这份档案，请重新选。", code="not_here")
    row = Contact(
        channel=channel, thread=secrets.token_urlsafe(24), name=_clean(name, 40) or (elder.name if elder else ""), reach=_clean(reach, 60),
        text=text, urgent=rules.urgent(text), elder_id=elder.pk if elder else None, home_id=elder.home_id if elder else None,
        place=elder.home.place if elder else RECEIVING_DISTRICT, taken_by=by.name[:60],
    )  # fmt: skip
    return _begin(row, by)


@transaction.atomic
def from_family(*, by: Actor, elder_id: int, text: str, well: bool = False) -> Contact:
    """Her family writes, signed in. `well`: "I talked to her, she is fine", a statement that people weigh: it ends no alarm.

    An open case of hers gets it as a line at once. TooMany stores nothing.
    """
    must(by, "family.write")
    elder, text = elders.elder(elder_id), _clean(text, rules.LONGEST)
    if elder is None:
        raise NotAllowed("没有这份档案，请刷新页面。", code="not_here")
    text = f"{WELL}{text}" if well else text
    if not text:
        raise NotAllowed("请写下要说的话。", code="needs")
    origin, kin = crypto.blind(f"family{by.user_id}", "contact.origin"), families.contact_of(by.user_id, elder.pk)
    with seen_by(EVERYWHERE):
        word = "" if well else rules.urgent(text)
        lately = Contact.objects.filter(origin=origin, at__gt=clock.now() - WITHIN).count()
        if lately >= (MOST_URGENT if word else MOST):
            raise TooMany
        row = Contact(
            channel="web", thread=queries.family_thread(by.user_id or 0, elder.pk), origin=origin, text=text, urgent=word,
            name=f"家属 {by.name}"[:40], reach=kin.phone if kin else "", place=elder.home.place, elder_id=elder.pk, home_id=elder.home_id,
        )  # fmt: skip
        if (case := cases.open_of_home(elder.home_id)) is not None:
            incidents.note(incident_id=case, by=by, text=f"家属在网上说：{text}", source="contact")
        return _begin(row, by)


def _must_deal(by: Actor) -> None:
    if not {"agent", "lead", "quality"} & {str(r) for r in by.roles}:
        raise NotAllowed("来信来访由坐席登记、办理，请转告他们。", code="not_you")


def _begin(row: Contact, by: Actor) -> Contact:
    now = clock.now()
    row.number, row.year, row.at = next_number("LX", clock.local(now).date()), clock.local(now).year, now
    engine.begin(row, by)
    return row


def _clean(text: str, longest: int) -> str:
    return text.replace("\x00", "").strip()[:longest]


# ---- what becomes of it ----------------------------------------------------------------------------------------------


@transaction.atomic
def take(*, by: Actor, contact_id: int) -> Contact:
    """This colleague deals with it; of two who press at once exactly one does."""
    row = _row(contact_id)
    engine.make(row, "take", by)
    row.owner_id = by.user_id
    row.save(update_fields=["owner_id"])
    return row


@transaction.atomic
def give_back(*, by: Actor, contact_id: int) -> Contact:
    """Somebody else may."""
    row = _row(contact_id)
    row.owner_id = None
    row.save(update_fields=["owner_id"])
    engine.make(row, "give_back", by)
    return row


@transaction.atomic
def file_to(*, by: Actor, contact_id: int, elder_id: int) -> Contact:
    """An agent says whose matter it is (a number that it names is hers, or her contact's); so are this writer's later messages.

    Nobody is filed by a number alone: a person who reads it decides. Whom the agent may not see, she can file nothing to.
    """
    _must_deal(by)
    row, elder = _open_row(contact_id), elders.elder(elder_id)
    if elder is None:
        raise NotAllowed("没有这份档案，或不在您的管辖范围内。", code="not_here")
    for one in (
        Contact.objects.select_for_update(of=("self",)).filter(thread=row.thread, elder_id=None).exclude(pk=row.pk)
    ):
        _files(one, elder.pk, elder.home_id, elder.home.place)
    _files(row, elder.pk, elder.home_id, elder.home.place)
    return row


@transaction.atomic
def unfile(*, by: Actor, contact_id: int) -> Contact:
    """It was not her: the message goes back to the centre, where nobody of her community reads it."""
    _must_deal(by)
    row = _open_row(contact_id)
    with seen_by(EVERYWHERE):  # it leaves the places of who presses, she had to be in them to press
        for one in Contact.objects.select_for_update(of=("self",)).filter(thread=row.thread, elder_id=row.elder_id):
            _files(one, None, None, RECEIVING_DISTRICT)
    return row


def _files(row: Contact, elder_id: int | None, home_id: int | None, place: str) -> None:
    was, row.elder_id, row.home_id, row.place = row.elder_id, elder_id, home_id, place
    row.save(update_fields=["elder_id", "home_id", "place"])
    audit.record("contact.filed", subject="contact", subject_id=row.pk, detail={"was": was, "elder": elder_id})
    changed("contact", row.pk, place)


@transaction.atomic
def ring(*, by: Actor, contact_id: int, nth: int = 0) -> None:
    """Ring back the nth number that the message names, from one's own seat; who rings deals with it."""
    _must_deal(by)
    row = _open_row(contact_id)
    numbers = rules.numbers(row.reach, row.text)
    if not 0 <= nth < len(numbers):
        raise NotAllowed("这一条没有留下能拨的号码。", code="needs")
    calls.dial(
        by=by, number=numbers[nth], whom=row.name or "留言人", purpose="other", ref=_ref(row), place=row.place, elder_id=row.elder_id,
        home_id=row.home_id,
    )  # fmt: skip
    if row.state == "waiting":
        take(by=by, contact_id=contact_id)


@transaction.atomic
def call_ended(*, ref: str) -> None:
    """A call-back is over: how often and how it went stands on the message. Told twice, it says the same."""
    kind, _, number = ref.partition(":")
    if kind != "contact" or not number.isdigit():
        return
    with seen_by(EVERYWHERE):
        row = Contact.objects.select_for_update(of=("self",)).filter(pk=int(number)).first()
        over = [c for c in spoken.of(ref) if c.ended_at is not None]
        if row is None or not over:
            return
        last = max(over, key=lambda c: c.at)
        row.rung, row.rung_at, row.rung_times = last.result_label[:20], last.at, len(over)
        row.save(update_fields=["rung", "rung_at", "rung_times"])
        changed("contact", row.pk, row.place)


def _ref(row: Contact) -> str:
    return f"contact:{row.pk}"


@transaction.atomic
def answer(*, by: Actor, contact_id: int, text: str) -> Contact:
    """The answer; a writer on the web reads it on her page at once, others were told by who wrote it down here."""
    row, said = _row(contact_id), _clean(text, 1000)
    if not said:
        raise NotAllowed("请写下答复。", code="needs")
    row.answer, row.owner_id = said, by.user_id
    row.save(update_fields=["answer", "owner_id"])
    engine.make(row, "answer", by)
    return row


@transaction.atomic
def answer_beside(*, by: Actor, contact_id: int, said: Contact) -> None:
    """The answer `said` holds for this message of the same writer, too."""
    row = _row(contact_id)
    row.owner_id = by.user_id
    row.save(update_fields=["owner_id"])
    engine.make(row, "answer", by, note=f"同 {said.number} 一并答复")


@transaction.atomic
def close(*, by: Actor, contact_id: int, reason: str) -> Contact:
    """No answer is wanted (thanks, a machine, the same again); why stays."""
    row = _row(contact_id)
    engine.make(row, "close", by, note=_clean(reason, 300))
    return row


@transaction.atomic
def to_complaint(*, by: Actor, contact_id: int, about: str = "other", words: str = "") -> int:
    """It is a complaint, praise or proposal: that process goes on with it (SH 六(五)5 场景二); its id. `words`: of all its messages."""
    row = _row(contact_id)
    source = {"letter": "letter", "visit": "visit"}.get(row.channel, "net")
    made = supervision.complain(
        by=by,
        source=source,
        about=about,
        content=words or row.text,
        place=row.place,
        name=row.name,
        contact=row.reach,
        elder_id=row.elder_id,
    )
    becomes(row, f"complaint:{made.pk}", "to_complaint", by)
    return made.pk


@transaction.atomic
def to_case(*, by: Actor, contact_id: int) -> int:
    """Somebody is in need: a case in this agent's hands, or the home's open one stays the one; its id.

    What this writer sends after a cry that became a case goes into that case, so that one fall is one case.
    """
    row = _row(contact_id)
    earlier = queries.open_case(row) if row.now_in.move("to_case") else None
    if earlier is not None:
        incidents.note(
            incident_id=earlier, by=by, text=f"{row.get_channel_display()}又发来：{row.text}", source="contact"
        )
        becomes(row, f"incident:{earlier}", "to_case", by)
        return earlier
    case = incidents.open_by_hand(
        by=by, place=row.place, kind="message", kind_label=f"{row.get_channel_display()}求助", priority=9, home_id=row.home_id,
        elder_id=row.elder_id, phone=row.reach, what=f"{row.name}：{row.text}{_where(row)}"[:500],
    )  # fmt: skip
    becomes(row, f"incident:{case.pk}", "to_case", by)
    return case.pk


def _where(row: Contact) -> str:
    """The place that this writer sent last, when the message itself is not it."""
    since = clock.now() - timedelta(days=1)
    sent = Contact.objects.filter(thread=row.thread, kind="location", at__gt=since).exclude(pk=row.pk)
    found = sent.order_by("-pk").first()
    return f"；{found.text}" if found is not None else ""


def becomes(row: Contact, ref: str, move: str, by: Actor) -> None:
    """Another process goes on with it."""
    row.became, row.owner_id = ref, by.user_id
    row.save(update_fields=["became", "owner_id"])
    engine.make(row, move, by)


def _row(contact_id: int) -> Contact:
    row = Contact.objects.select_for_update(of=("self",)).filter(pk=contact_id).first()
    if row is None:
        raise NotAllowed("没有这一条，请刷新页面。", code="not_here")
    return row


def _open_row(contact_id: int) -> Contact:
    row = _row(contact_id)
    if row.state not in {"waiting", "handling"}:
        raise NotAllowed("这一条已经有人办了。", code="not_here")
    return row


def after_move(row: Contact, done: Movement) -> None:
    """Listener of every move: open pages hear of it, and who is late is said."""
    if done.move == "press":
        facts.announce(ContactLate(row.pk, row.number, done.nth, bool(row.urgent)))
    if row.now_in.is_final and row.done_at is None:
        row.done_at = clock.now()
        row.save(update_fields=["done_at"])
    changed("contact", row.pk, row.place)


def close_forgotten(row: Contact) -> None:
    """Nobody deals with it any more: its writer's data are deleted (`keeping.forget`)."""
    engine.make(row, "forget", THE_CLOCK)


# ---- the official account --------------------------------------------------------------------------------------------


@transaction.atomic
def wechat_heard(*, account_id: int | None) -> None:
    """A frame was read: the account is heard, and a trouble with it is over. None: it stands in the environment."""
    if account_id is not None:
        WechatAccount.objects.filter(pk=account_id).update(heard_at=clock.now())
    facts.announce(DoorDeaf("", over=True))


@transaction.atomic
def wechat_unread(*, text: str) -> None:
    """A frame that WeChat signed could not be read: the leads must hear of it, somebody wrote to us."""
    facts.announce(DoorDeaf(text))
