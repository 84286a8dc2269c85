"""Many homes or elders at once, for lists: no page asks once a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from anju.elders import masks, queries
from anju.elders.models import Consent, Elder
from anju.elders.queries import MaskedElder
from anju.kernel import clock
from anju.kernel.crypto import blind

RESCUE = "rescue_110_120_119"


@dataclass(frozen=True, slots=True)
class HomeLabel:
    """How a list names a home: its main person and where it is, as the roles may see them."""

    home_id: int
    elder_id: int
    name: str
    sex: str
    age: int | None
    address: str
    place: str
    place_name: str
    status: str


@dataclass(frozen=True, slots=True)
class Term:
    """How an elder's consent stands on a day. `until` is None when nothing was ever signed."""

    until: date | None
    valid: bool
    rescue: bool

    @property
    def word(self) -> str:
        """有效 · 已过期 · 未授权代拨 · 未签."""
        if self.until is None:
            return "未签"
        if not self.valid:
            return "已过期"
        return "有效" if self.rescue else "未授权代拨"


def labels_of(home_ids: Iterable[int], roles: Iterable[str]) -> dict[int, HomeLabel]:
    """Names of homes for a list; homes outside the scope or without people are missing."""
    held = frozenset(roles)
    rows = Elder.objects.filter(home__in=set(home_ids)).select_related("home").order_by("main", "-id")
    found: dict[int, HomeLabel] = {}
    for row in rows:  # the main person comes last and stays
        elder = queries.masked(row, held, authority=False)
        found[row.home_id] = HomeLabel(
            row.home_id,
            row.pk,
            elder.name,
            elder.sex,
            elder.age,
            elder.address,
            elder.place,
            elder.place_name,
            elder.status,
        )
    return found


def terms_of(elder_ids: Iterable[int], on: date | None = None) -> dict[int, Term]:
    """How the consents of these elders stand."""
    day = on or clock.today()
    found: dict[int, Term] = {}
    for row in Consent.objects.filter(elder__in=set(elder_ids), kind="service").order_by("signed_on", "id"):
        withdrawn = row.withdrawn_on is not None and row.withdrawn_on <= day
        valid = row.signed_on <= day <= row.expires_on and not withdrawn
        before = found.get(row.elder_id)
        rescue = valid and RESCUE in row.scope
        if before is None or valid or not before.valid:
            found[row.elder_id] = Term(row.expires_on, valid, rescue or bool(before and before.valid and before.rescue))
    return found


def counts() -> dict[str, dict[str, int]]:
    """Elders of the current scope by community and state: {place: {state: n}}."""
    found: dict[str, dict[str, int]] = {}
    for place, status, n in Elder.objects.values_list("home__place", "status").annotate(n=Count("pk")).order_by():
        found.setdefault(place, {})[status] = n
    return found


def without_rescue(on: date | None = None, limit: int = 500, place: str = "") -> list[tuple[int, Term | None]]:
    """Elders in service whose signed authority to call 110/119/120 is missing or has lapsed: (elder id, term)."""
    ids = list(_without_rescue(on or clock.today(), place).order_by("pk").values_list("pk", flat=True)[:limit])
    terms = terms_of(ids, on)
    return [(pk, terms.get(pk)) for pk in ids]


def without_rescue_by_place(on: date | None = None) -> dict[str, int]:
    """How many of them there are in each community."""
    rows = _without_rescue(on or clock.today()).order_by().values_list("home__place")
    return dict(rows.annotate(n=Count("pk")))


def _without_rescue(day: date, place: str = "") -> QuerySet[Elder]:
    signed = Consent.unscoped.filter(  # of elders who are in the scope: asked by the index of the elder alone
        Q(withdrawn_on=None) | Q(withdrawn_on__gt=day), elder=OuterRef("pk"), kind="service", signed_on__lte=day,
        expires_on__gte=day, scope__contains=[RESCUE],
    )  # fmt: skip
    return Elder.objects.filter(~Exists(signed), status="approved", home__place__startswith=place)


def may_see(field: str, roles: Iterable[str]) -> bool:
    """Whether these roles see the field whole."""
    return masks.view_of(field, roles) is masks.View.FULL


def some(elder_ids: Iterable[int], roles: Iterable[str]) -> dict[int, MaskedElder]:
    """These elders as the roles may see them, by id."""
    held = frozenset(roles)
    rows = list(Elder.objects.filter(pk__in=list(elder_ids)).select_related("home"))
    terms = terms_of(e.pk for e in rows)
    return {e.pk: queries.masked(e, held, authority=(t := terms.get(e.pk)) is not None and t.rescue) for e in rows}


def mains_of(home_ids: Iterable[int]) -> dict[int, Elder]:
    """The main person of each of these homes, by home; the scope of the asker applies."""
    rows = Elder.objects.filter(home__in=set(home_ids)).order_by("main", "-id")
    return {row.home_id: row for row in rows}  # the main person comes last and stays


def known(id_numbers: Iterable[str]) -> set[str]:
    """Which of these ID numbers already have a file anywhere (a person has one file, whatever the asker may see)."""
    wanted = {blind(number, "elder.id"): number for number in id_numbers}
    return {wanted[b] for b in Elder.unscoped.filter(id_blind__in=wanted).values_list("id_blind", flat=True)}
