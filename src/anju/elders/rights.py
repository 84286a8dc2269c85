"""The rights of the person (GB/T 35273, SYS-04): a copy of her data, and their deletion. Both need a reason and stay in the audit.

Deletion takes out what names a person or tells of her health. What the books count stays: that there was a file, a case,
an alarm, who did what and when. The audit itself is never touched; it names files by number.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pgtrigger
from django.db import transaction

from anju.accounts import actions as accounts
from anju.accounts.permissions import must
from anju.elders import queries, scans, words
from anju.elders.checks import NotAccepted, reason_given
from anju.elders.facts import PersonErased
from anju.elders.models import Consent, Contact, Elder, HistoryLine, Home
from anju.kernel import audit
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.flow.actor import Actor

ERASED = "已删除"
_ELDER_TEXTS = (
    "id_number", "phone", "illnesses", "chronic", "allergies", "health_state", "self_rescue", "hobbies", "habits", "other",
    "hearing_note", "water_no", "electricity_no", "gas_no", "kind", "ability", "sex", "id_blind",
)  # fmt: skip
_HOME_TEXTS = ("address", "building", "entrance", "access_note", "key_note")
_HOME_POINTS = ("lon", "lat", "entrance_lon", "entrance_lat", "floor", "lift")


@transaction.atomic
def copy_of(*, elder_id: int, reason: str, by: Actor) -> dict[str, Any]:
    """Everything the file holds of the person, in clear and ready for JSON; who took the copy is kept and shown to her."""
    must(by, "elder.export")
    why = reason_given(reason, "导出")
    elder = Elder.objects.select_related("home").get(pk=elder_id)
    found = {
        "档案号": elder.number, "状态": words.ELDER_STATE_LABELS[elder.status], "本人": _fields(elder), "住处": _fields(elder.home),
        "联系人": [_fields(contact) for contact in queries.contacts_of(elder.pk)],
        "同意书": [_fields(consent) for consent in queries.consents_of(elder.pk)],
        "扫描件": scans.listed(elder.pk),
        "记事": [{"时间": _plain(line.at), "记录人": line.by, "内容": line.text} for line in queries.history_of(elder.pk)],
        "谁看过": [
            {"时间": _plain(one.at), "谁": one.name, "看了": one.field or "档案", "原因": one.reason}
            for one in queries.lookers(elder.pk, 10_000)
        ],
    }  # fmt: skip
    audit.record("elder.export", subject="elder", subject_id=elder.pk, place=elder.home.place, reason=why)
    return found


@transaction.atomic
def erase(*, elder_id: int, reason: str, by: Actor) -> None:
    """Delete what names the person. Only a file that is no longer in service, without an open case, order or device."""
    must(by, "elder.erase")
    why = reason_given(reason, "删除")
    elder = Elder.objects.select_for_update(of=("self",)).select_related("home").get(pk=elder_id)
    if elder.name == ERASED:
        raise NotAccepted("这份档案的个人信息已经删除")
    if elder.status not in {"ended", "draft"}:
        raise NotAccepted("还在服务中，先停止服务再删除个人信息")
    empty = not Elder.objects.filter(home=elder.home).exclude(pk=elder.pk).exists()
    announce(PersonErased(elder.pk, elder.home_id, home_empty=empty, said=_said(elder)))
    Contact.objects.filter(elder=elder).delete()
    with pgtrigger.ignore("elders.HistoryLine:history_only_added_to"):  # the person's right is above the file's memory
        HistoryLine.objects.filter(elder=elder).delete()
    for consent in Consent.objects.filter(elder=elder):
        consent.signed_by = ERASED
        consent.save(update_fields=["signed_by"])
    scans.forget(elder.pk)
    accounts.forget_person(elder_id=elder.pk, by=by)
    for name in _ELDER_TEXTS:
        setattr(elder, name, "")
    elder.name, elder.birth_date, elder.tokens, elder.status, elder.main = ERASED, None, [], "ended", False
    elder.ended_reason = elder.ended_reason and ERASED
    elder.save()
    if empty:
        _empty(elder.home)
    audit.record("elder.erase", subject="elder", subject_id=elder.pk, place=elder.home.place, reason=why)
    changed("home", elder.home_id, elder.home.place)


def _said(elder: Elder) -> tuple[str, ...]:
    """What names her or somebody of hers, the longest first; what is shorter than two characters names nobody."""
    texts = {elder.name, elder.id_number, elder.phone, elder.home.address}
    for contact in Contact.objects.filter(elder=elder, kind__in=["guardian", "neighbour"]):
        texts |= {contact.name, contact.phone}
    return tuple(sorted((text for text in texts if len(text) > 1), key=len, reverse=True))


def _empty(home: Home) -> None:
    for name in _HOME_TEXTS:
        setattr(home, name, "")
    for name in _HOME_POINTS:
        setattr(home, name, None)
    home.status = "ended"
    home.save()


_NOT_HERS = frozenset({"id", "id_blind", "tokens", "recorded_by", "elder", "home", "created_at", "flagged_at"})


def _fields(row: Any) -> dict[str, Any]:
    """The fields of a row under the words that people read."""
    return {
        str(field.verbose_name): _plain(
            getattr(row, f"get_{field.name}_display", lambda f=field: getattr(row, f.name))()
        )
        for field in row._meta.concrete_fields
        if field.name not in _NOT_HERS
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
