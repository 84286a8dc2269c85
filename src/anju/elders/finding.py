"""The search index of a file: keyed hashes in one array (ADR 0009), and the search by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from anju.elders import identity, masks
from anju.elders.models import Contact, Elder
from anju.kernel import clock, crypto
from anju.places import queries as places

_CANDIDATES = 300
"""So many rows at most are decrypted for one search; a fragment that fits more is too short to be useful."""


@dataclass(frozen=True, slots=True)
class Found:
    """One hit. `why` says what fitted: number, phone, contact_phone, id_number, name, pinyin, address."""

    elder_id: int
    home_id: int
    number: str
    name: str
    sex: str
    age: int | None
    address: str
    place: str
    place_name: str
    status: str
    why: str


def tokens_of(elder: Elder, contacts: Iterable[Contact]) -> list[str]:
    """All hashes by which an elder may be found."""
    tokens = {
        *crypto.blind_tokens(elder.name, "elder.name"),
        *crypto.blind_tokens(elder.home.address, "elder.address"),
        crypto.blind(elder.phone.partition(",")[0], "elder.phone"),
        crypto.blind(elder.phone.partition(",")[0][-4:], "elder.phone4"),
        crypto.blind(elder.id_number, "elder.id"),
        crypto.blind(elder.id_number[-4:], "elder.id4"),
        *(
            crypto.blind(c.phone.partition(",")[0], "contact.phone")
            for c in contacts
            if c.kind in {"guardian", "neighbour"}
        ),
    }
    initials = identity.initials_of(elder.name)
    tokens |= {crypto.blind(initials[:n], "elder.pinyin") for n in range(2, len(initials) + 1)}
    return sorted(tokens - {""})


def reindex(elder: Elder) -> None:
    """Compute the hashes of a file anew, after name, numbers, address or contacts changed."""
    elder.tokens = tokens_of(elder, Contact.unscoped.filter(elder=elder))
    elder.id_blind = crypto.blind(elder.id_number, "elder.id")
    elder.save(update_fields=["tokens", "id_blind"])


def search(text: str, limit: int = 20, *, roles: Iterable[str] | None = None) -> list[Found]:
    """Elders in the current scope by name (also its pinyin initials), phone (hers or a contact's), ID number, last four
    digits of either, file number, or a piece of the address. Best fits first. With `roles` the answer is masked for them.
    """
    text = text.strip()
    plain = crypto.normalised(text)
    if not plain:
        return []
    hits: dict[int, Found] = {}
    for why, tokens, fits in _ways(text, plain):
        if len(hits) >= limit:
            break
        if why == "number":
            rows = Elder.objects.filter(number__iexact=text)
        elif not tokens:
            continue
        else:
            rows = Elder.objects.filter(tokens__contains=tokens)
        for elder in rows.exclude(pk__in=hits).select_related("home").order_by("status", "id")[:_CANDIDATES]:
            if fits(elder):
                hits[elder.pk] = _found(elder, why, roles)
            if len(hits) >= limit:
                break
    return list(hits.values())


def by_phone(number: str) -> list[tuple[int, str]]:
    """Elders who call from this number, or whose guardians do: (elder id, "elder" or "contact"). For the screen pop."""
    try:
        number = identity.phone_of(number)
    except identity.BadNumber:
        return []
    own = Elder.objects.filter(tokens__contains=[crypto.blind(number, "elder.phone")]).values_list("pk", flat=True)
    theirs = Elder.objects.filter(tokens__contains=[crypto.blind(number, "contact.phone")]).values_list("pk", flat=True)
    return [(pk, "elder") for pk in own] + [(pk, "contact") for pk in theirs if pk not in set(own)]


def owners_of(numbers: Iterable[str]) -> dict[str, int]:
    """Whose own telephone these numbers are, of the current scope, in one question: number → elder."""
    wanted = {crypto.blind(number, "elder.phone"): number for number in numbers}
    found: dict[str, int] = {}
    if wanted:
        for elder in Elder.objects.filter(tokens__overlap=list(wanted)).order_by("status", "id"):
            number = wanted.get(crypto.blind(elder.phone.partition(",")[0], "elder.phone"))
            if number is not None:
                found.setdefault(number, elder.pk)
    return found


def _ways(text: str, plain: str) -> list[tuple[str, list[str], Callable[[Elder], bool]]]:
    ways: list[tuple[str, list[str], Callable[[Elder], bool]]] = [("number", [], lambda _: True)]
    if plain.rstrip("x").isdigit():
        if len(plain) >= 15:
            ways.append(("id_number", [crypto.blind(plain, "elder.id")], lambda _: True))
        elif len(plain) == 4:
            ways.append(
                ("phone", [crypto.blind(plain, "elder.phone4")], lambda e: e.phone.partition(",")[0].endswith(plain))
            )
            ways.append(
                ("id_number", [crypto.blind(plain, "elder.id4")], lambda e: e.id_number.lower().endswith(plain))
            )
        elif len(plain) >= 5:
            phone = plain if plain.startswith(("0", "1", "4")) else _national(text)
            ways.append(("phone", [crypto.blind(phone, "elder.phone")], lambda _: True))
            ways.append(("contact_phone", [crypto.blind(phone, "contact.phone")], lambda _: True))
    elif plain.isascii() and plain.isalpha() and len(plain) >= 2:
        ways.append(("pinyin", [crypto.blind(plain, "elder.pinyin")], lambda _: True))
    ways.append(("name", crypto.blind_query(plain, "elder.name"), lambda e: plain in crypto.normalised(e.name)))
    ways.append(
        ("address", crypto.blind_query(plain, "elder.address"), lambda e: plain in crypto.normalised(e.home.address))
    )
    return ways


def _national(text: str) -> str:
    try:
        return identity.phone_of(text)
    except identity.BadNumber:
        return text


def _found(elder: Elder, why: str, roles: Iterable[str] | None) -> Found:
    seen = (lambda _, value: value) if roles is None else (lambda field, value: masks.shown(field, value, roles))
    age = identity.age_on(elder.birth_date, clock.today()) if elder.birth_date else None
    return Found(
        elder.pk,
        elder.home_id,
        elder.number,
        seen("name", elder.name),
        elder.sex,
        age,
        seen("address", elder.home.address),
        elder.home.place,
        places.path_of(elder.home.area),
        elder.status,
        why,
    )
