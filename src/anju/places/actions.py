"""What may be done to the region tree and to a district's durations."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.db import models, transaction

from anju.kernel import audit
from anju.kernel.flow.actor import Actor
from anju.places import queries, rules
from anju.places.models import Place, PolicyProfile

WHO_MAY = frozenset({"system_admin", "platform"})
"""Roles by their plain names: the table of permissions lies a layer above (`accounts.permissions`), and a test compares."""


class NotAccepted(ValueError):
    """The input cannot be used; the message is Chinese and says what to mend."""


@transaction.atomic
def put_place(
    *, code: str, name: str, by: Actor, civil_code: str = "", committee_phone: str = "", sorting: int = 0
) -> Place:
    """Add a place or rename it. Its parent must be there first (a district may stand alone)."""
    _must(by)
    try:
        level, parent = rules.level_of(code), rules.parent_of(code)
    except rules.BadCode as bad:
        raise NotAccepted(str(bad)) from None
    if not name.strip():
        raise NotAccepted("请填区域名称")
    if level in {rules.Level.STREET, rules.Level.COMMUNITY, rules.Level.GRID} and not queries.exists(parent):
        raise NotAccepted(f"请先建上级区域 {parent}")
    place, _ = Place.objects.update_or_create(
        code=code,
        defaults={
            "name": name.strip(),
            "civil_code": civil_code,
            "committee_phone": committee_phone,
            "sorting": sorting,
            "level": level,
            "parent_id": parent if queries.exists(parent) else None,
        },
    )
    queries.forget_names()
    audit.record("place.put", subject="place", subject_id=code, place=code[: rules.CODE], detail={"name": name})
    return place


@transaction.atomic
def set_policy(*, place: str, data: Mapping[str, int], reason: str, by: Actor) -> PolicyProfile:
    """A new version of a place's durations (seconds). It holds for what is opened from now on."""
    _must(by)
    if faults := rules.faults_of(data):
        raise NotAccepted("；".join(faults))
    if not reason.strip():
        raise NotAccepted("请写改时限的理由，事后要能查")
    if not Place.objects.select_for_update().filter(code=place).exists():
        raise NotAccepted(f"没有区域 {place}，请先建")
    last = PolicyProfile.unscoped.filter(place=place).aggregate(last=models.Max("version"))["last"] or 0
    profile = PolicyProfile(place_id=place, version=last + 1, data=dict(data), reason=reason, made_by_id=by.user_id)
    profile.save(force_insert=True)
    loose = {k: list(v) for k, v in rules.looser(data).items()}
    audit.record(
        "policy.set",
        subject="policy",
        subject_id=profile.pk,
        place=place[: rules.CODE],
        reason=reason,
        detail={"version": profile.version, "data": dict(data), "looser": loose},
    )
    return profile


def _must(by: Actor) -> None:
    if not WHO_MAY & by.roles:
        raise PermissionDenied("区域和时限由系统管理员维护，请找系统管理员办理")
