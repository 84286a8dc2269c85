"""What pages ask about contacts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db.models import Count

from anju.accounts import queries as accounts
from anju.calls import queries as calls
from anju.elders import queries as elders
from anju.incidents import queries as cases
from anju.kernel import crypto
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places import queries as places
from anju.supervision.contacts import enclosures, rules, sealed
from anju.supervision.contacts.enclosures import Enclosed
from anju.supervision.contacts.models import Contact, WechatAccount
from anju.supervision.forms import ABOUT

CHANNELS, AT_THE_DESK = rules.CHANNELS, [(code, rules.CHANNELS[code]) for code in rules.AT_THE_DESK]
ABOUTS = list(ABOUT.items())
OPEN = ("waiting", "handling")
numbers = rules.numbers
MOST_GUESSES = 5
"""So many people are offered; a number that fits more is no one's."""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A letter or message for a list."""

    id: int
    number: str
    channel: str
    channel_label: str
    name: str
    reach: str
    elder_id: int | None
    elder_name: str
    text: str
    urgent: str
    suspect: bool
    at: datetime
    due_at: datetime | None
    """Until when it was promised; the next pressing is nobody's deadline."""
    state: str
    state_label: str
    owner: str
    taken_by: str
    answer: str
    became: str
    open: bool
    late: bool
    rung: str
    rung_times: int
    thread: str = ""
    also: tuple[int, ...] = ()
    """The other open messages of the same writer, the oldest first: this row is the last of them and speaks for all."""
    before: tuple[str, ...] = ()
    """What they say."""


@dataclass(frozen=True, slots=True)
class Guess:
    """Somebody of the asker's scope whose number, or whose contact's, stands in a message. Only an offer."""

    elder_id: int
    name: str
    place_name: str
    why: str
    number: str


@dataclass(frozen=True, slots=True)
class Account:
    """The official account as its door needs it; `keys` empty: 明文模式. `id` None: it stands in the environment."""

    id: int | None
    app_id: str
    token: str
    keys: tuple[bytes, ...]
    heard_at: datetime | None = None
    fetches: bool = False
    """Whether pictures and voices can be fetched (there is an AppSecret)."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as its writer sees it on her page."""

    text: str
    at: datetime
    answer: str
    answered_at: datetime | None
    word: str


def open_ones(limit: int = 100) -> list[ContactRow]:
    """What waits or is being dealt with, a writer's messages as one: distress first, then who is late, what looks like a machine's
    last; then by deadline."""
    rows = _rows(Contact.objects.filter(state__in=OPEN).order_by("suspect", "due_at", "id")[:limit])
    writers: dict[str, list[ContactRow]] = {}
    for row in rows:
        writers.setdefault(row.thread, []).append(row)
    return sorted(map(_joined, writers.values()), key=lambda r: (not r.urgent, r.suspect, not r.late, r.due_at or r.at))


def open_of(contact_id: int) -> ContactRow | None:
    """The conversation that this message belongs to, as the list shows it; None when nothing of it is open."""
    rows = [row for row in thread_of(contact_id) if row.open]
    return _joined(rows) if rows else None


def _joined(rows: list[ContactRow]) -> ContactRow:
    """The last message, and of the others whatever is pressing: nothing that one of them says is less visible for it."""
    rows = sorted(rows, key=lambda r: r.id)
    first, last, waits = rows[0], rows[-1], next((r for r in rows if r.state == "waiting"), rows[-1])
    return replace(
        last, also=tuple(r.id for r in rows[:-1]), before=tuple(r.text for r in rows[:-1]), at=first.at,
        name=last.name or first.name, reach=last.reach or first.reach,
        urgent=next((r.urgent for r in rows if r.urgent), ""), suspect=all(r.suspect for r in rows),
        late=any(r.late for r in rows), due_at=min((r.due_at for r in rows if r.due_at), default=None),
        state=waits.state, state_label=waits.state_label, owner=waits.owner,
        rung=next((r.rung for r in reversed(rows) if r.rung), ""), rung_times=sum(r.rung_times for r in rows),
    )  # fmt: skip


def urgent_waiting() -> int:
    """Messages of distress that nobody took, in the asker's scope."""
    return Contact.objects.filter(state="waiting").exclude(urgent="").count()


def page(*, channel: str = "", state: str = "", elder_id: int | None = None, limit: int = 100) -> list[ContactRow]:
    """The newest."""
    wanted = {"channel": channel, "state": state, "elder_id": elder_id}
    return _rows(Contact.objects.filter(**{k: v for k, v in wanted.items() if v})[:limit])


def counts(since: datetime) -> dict[str, int]:
    """How many came by each channel."""
    rows = Contact.objects.filter(at__gte=since)
    return dict(rows.values_list("channel").annotate(n=Count("id")).order_by())


def one(contact_id: int) -> ContactRow | None:
    """One of them, if it is in the scope."""
    found = _rows(Contact.objects.filter(pk=contact_id))
    return found[0] if found else None


def thread_of(contact_id: int) -> list[ContactRow]:
    """Everything of the same writer, the oldest first."""
    thread = Contact.objects.filter(pk=contact_id).values_list("thread", flat=True).first()
    return _rows(Contact.objects.filter(thread=thread).order_by("at", "id")) if thread else []


def open_case(row: Contact) -> int | None:
    """The case that this writer's cry became, or her home's, while it runs."""
    became = Contact.objects.filter(thread=row.thread, became__startswith="incident:").order_by("-pk").first()
    mine = int(became.became.partition(":")[2]) if became is not None else 0
    if mine and cases.is_open(mine):
        return mine
    return cases.open_of_home(row.home_id) if row.home_id else None


def enclosed(contact_id: int) -> list[Enclosed]:
    """What lies in this message and in the earlier ones of its writer."""
    thread = Contact.objects.filter(pk=contact_id).values_list("thread", flat=True).first()
    return enclosures.of(Contact.objects.filter(thread=thread).values_list("pk", flat=True)) if thread else []


def guesses(contact_id: int, roles: Iterable[str]) -> list[Guess]:
    """Whose matter it may be, by the numbers that it names: the elders' own first. [] when it is filed already."""
    row = Contact.objects.filter(pk=contact_id, elder_id=None).first()
    held, found = frozenset(roles), dict[int, Guess]()
    for number in rules.numbers(row.reach, row.text) if row is not None else ():
        hits = dict(elders.by_phone(number)[:MOST_GUESSES])
        for elder_id, elder in elders.by_ids(hits).items():
            who = "本人的号码" if hits[elder_id] == "elder" else _contact_of(elder_id, number)
            name = elders.masked(elder, held, authority=False).name
            found.setdefault(
                elder_id, Guess(elder_id, name, places.path_of(elder.home.place), who, calls.masked(number))
            )
    return sorted(found.values(), key=lambda g: g.why != "本人的号码")[:MOST_GUESSES]


def _contact_of(elder_id: int, number: str) -> str:
    one = next((c for c in elders.contacts_of(elder_id) if c.phone.partition(",")[0] == number), None)
    return f"{one.relation or one.get_kind_display()}的号码" if one is not None else "联系人的号码"


def rung(contact_id: int) -> list[calls.CallView]:
    """The call-backs of a message in their order, the running one too."""
    return calls.of(f"contact:{contact_id}") if Contact.objects.filter(pk=contact_id).exists() else []


def account() -> Account | None:
    """The official account in force: its row; else what the environment says (明文模式 only); None shuts the door."""
    row = WechatAccount.objects.filter(active=True).first()
    if row is not None:
        keys = tuple(sealed.key_of(key) for key in (row.aes_key, row.earlier_key) if key)
        return Account(row.pk, row.app_id, row.token, keys if row.aes_key else (), row.heard_at, bool(row.app_secret))
    token = str(getattr(settings, "ANJU_WECHAT_TOKEN", ""))
    return Account(None, "", token, ()) if token else None


def family_thread(user_id: int, elder_id: int) -> str:
    """The conversation of this family user about this elder: nobody else can name it."""
    return crypto.blind(f"user{user_id}elder{elder_id}", "contact.family")


def said(thread: str) -> list[Said]:
    """The writer's own page: whoever knows the unguessable name reads it, and nothing of who deals with it."""
    with seen_by(EVERYWHERE):
        rows = list(Contact.objects.filter(thread=thread).order_by("-at", "-id")[:50]) if len(thread) >= 24 else []
    rows.reverse()
    return [Said(c.text, c.at, c.answer, c.done_at if c.answer else None, _word(c)) for c in rows]


def _word(c: Contact) -> str:
    if c.state == "turned":
        return "已转专人办理，会电话联系您" if c.reach else "已转专人办理"
    return {"waiting": "已收到，等坐席办理", "handling": "坐席正在办理", "answered": "已答复", "closed": "已阅"}[
        c.state
    ]


def _rows(rows: Iterable[Contact]) -> list[ContactRow]:
    found = list(rows)
    if not found:
        return []
    people = elders.by_ids(c.elder_id for c in found if c.elder_id)
    users = accounts.user_names([c.owner_id for c in found if c.owner_id])
    return [
        ContactRow(
            c.pk, c.number, c.channel, c.get_channel_display(), c.name, c.reach, c.elder_id,
            people[c.elder_id].name if c.elder_id in people else "", c.text, c.urgent, c.suspect, c.at, c.promised_at, c.state, c.state_label,
            users.get(c.owner_id or 0, ""), c.taken_by, c.answer, c.became, c.state in OPEN, c.late,
            c.rung, c.rung_times, thread=c.thread,
        )
        for c in found
    ]  # fmt: skip
