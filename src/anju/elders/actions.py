"""What may be done to homes and files: the only writers.

Every action says who does it (`by`); the kernel's scope refuses what lies outside her places. A refusal is a
`NotAccepted` (what to mend, in Chinese), a `PermissionDenied` (who may) or an `OutOfScope`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, models, transaction

from anju.accounts.permissions import THE_PLATFORM, must
from anju.elders import families, masks, rules, words
from anju.elders.checks import (
    HOME_FIELDS,
    Incomplete,
    NotAccepted,
    contact_values,
    elder_values,
    known,
    place_on_map,
    reason_given,
)
from anju.elders.facts import CareChanged
from anju.elders.finding import reindex
from anju.elders.models import Consent, Contact, Elder, HistoryLine, Home
from anju.elders.queries import consents_of, missing
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.crypto import blind
from anju.kernel.facts import announce
from anju.kernel.flow.actor import Actor
from anju.places import queries as places
from anju.places.rules import CODE, BadCode, check_code


@transaction.atomic
def register_home(*, place: str, by: Actor, **fields: Any) -> Home:
    """A new dwelling at a community (12 digits) or grid (14). Coordinates may be in `datum` gcj02 or bd09."""
    must(by, "elder.register")
    try:
        check_code(place)
    except BadCode as bad:
        raise NotAccepted(str(bad)) from None
    if not places.exists(place):
        raise NotAccepted(f"没有区域 {place}，请从列表里选")
    home = Home(place=place[:CODE], area=place, **known(fields, HOME_FIELDS))
    place_on_map(home, fields)
    home.save()
    audit.record("home.register", subject="home", subject_id=home.pk, place=home.place)
    return home


@transaction.atomic
def change_home(*, home_id: int, by: Actor, **fields: Any) -> Home:
    """Change a dwelling. A move to other rooms is a new home, because devices and rhythm belong to this one."""
    must(by, "elder.change")
    home = Home.objects.select_for_update().get(pk=home_id)
    for name, value in known(fields, HOME_FIELDS).items():
        setattr(home, name, value)
    place_on_map(home, fields)
    home.save()
    for elder in Elder.objects.filter(home=home).select_related("home"):
        reindex(elder)
    audit.record("home.change", subject="home", subject_id=home.pk, place=home.place, detail={"fields": sorted(fields)})
    changed("home", home.pk, home.place)
    return home


@transaction.atomic
def register_elder(*, home_id: int, name: str, by: Actor, **fields: Any) -> Elder:
    """A new file, as a draft. Sex and birth date are read from the ID number and compared with what was typed."""
    must(by, "elder.register")
    home = Home.objects.get(pk=home_id)
    values = elder_values({**fields, "name": name})
    values.setdefault("main", not Elder.objects.filter(home=home, main=True).exists())
    elder = Elder(home=home, number=uuid4().hex[:20], status="draft", **values)
    _save_once(elder)
    elder.number = f"A{elder.pk:06d}"
    elder.save(update_fields=["number"])
    reindex(elder)
    audit.record("elder.register", subject="elder", subject_id=elder.pk, place=home.place)
    return elder


@transaction.atomic
def change_elder(*, elder_id: int, by: Actor, **fields: Any) -> Elder:
    """Change a file. What an approved file must have cannot be emptied again."""
    must(by, "elder.change")
    elder = _locked(elder_id)
    gaps = missing(elder.pk)
    typed = {"sex": elder.sex, "birth_date": elder.birth_date, "id_number": elder.id_number}
    values = elder_values({**{k: v for k, v in typed.items() if v}, **fields})
    before = {name: getattr(elder, name) for name in values}
    for field, value in values.items():
        setattr(elder, field, value)
    _save_once(elder)
    reindex(elder)
    _no_new_gap(elder, gaps)
    touched = sorted(k for k, v in values.items() if before[k] != v)
    audit.record(
        "elder.change", subject="elder", subject_id=elder.pk, place=elder.home.place, detail={"fields": touched}
    )
    changed("home", elder.home_id, elder.home.place)
    return elder


@transaction.atomic
def approve(*, elder_id: int, by: Actor) -> Elder:
    """Take a complete file into service; `Incomplete` names the gaps otherwise."""
    must(by, "elder.approve")
    elder = _locked(elder_id)
    if elder.status not in {"draft", "suspended"}:
        raise NotAccepted(f"档案现在是“{words.ELDER_STATE_LABELS[elder.status]}”，不用再批准")
    if gaps := missing(elder.pk):
        raise Incomplete(gaps)
    elder.status, elder.approved_at = "approved", clock.now()
    elder.save()
    _note_state(elder, "elder.approve")
    return elder


@transaction.atomic
def suspend(*, elder_id: int, reason: str, by: Actor) -> Elder:
    """停机: monitoring and orders stop, emergency help goes on (REG-10)."""
    must(by, "elder.suspend")
    elder = _locked(elder_id)
    if elder.status != "approved":
        raise NotAccepted("只有服务中的老人可以停机")
    elder.status = "suspended"
    elder.save()
    _note_state(elder, "elder.suspend", reason=reason_given(reason, "停机"))
    return elder


@transaction.atomic
def end(*, elder_id: int, reason: str, by: Actor, on: date | None = None) -> Elder:
    """The service ends (refusal, death, move, term over). The file stays."""
    must(by, "elder.end")
    elder = _locked(elder_id)
    elder.ended_reason = reason_given(reason, "停止")
    elder.status, elder.ended_on, elder.main = "ended", on or clock.today(), False
    elder.save()
    _note_state(elder, "elder.end", reason=reason)
    return elder


@transaction.atomic
def add_contact(*, elder_id: int, kind: str, name: str, phone: str, by: Actor, **fields: Any) -> Contact:
    """Somebody to call. At most three guardians (附件1). `availability`: see `rules.available`."""
    must(by, "contact.change")
    elder = _locked(elder_id)
    rows = Contact.unscoped.filter(elder=elder)
    if kind not in words.CONTACT_KIND_LABELS:
        raise NotAccepted("请选联系人的类别")
    if kind == "guardian" and rows.filter(kind="guardian").count() >= rules.GUARDIANS_AT_MOST:
        raise NotAccepted(f"监护人最多 {rules.GUARDIANS_AT_MOST} 位，请先删去一位")
    last = rows.aggregate(last=models.Max("turn"))["last"] or 0
    values = {"turn": last + 1, **contact_values({**fields, "kind": kind, "name": name, "phone": phone})}
    contact = Contact(elder=elder, **values)
    contact.save()
    _note_contact(elder, contact, "contact.add")
    return contact


@transaction.atomic
def change_contact(*, contact_id: int, by: Actor, **fields: Any) -> Contact:
    """Correct a contact; a new phone number takes the flag away."""
    must(by, "contact.change")
    contact = Contact.objects.select_for_update(of=("self",)).select_related("elder__home").get(pk=contact_id)
    was, called = contact.phone, contact.name
    for name, value in contact_values(fields).items():
        setattr(contact, name, value)
    if contact.phone != was:
        contact.flagged_reason, contact.flagged_at = "", None
    contact.save()
    families.follow(contact, was=called, by=by)
    _note_contact(contact.elder, contact, "contact.change", {"fields": sorted(fields)})
    return contact


@transaction.atomic
def order_contacts(*, elder_id: int, contact_ids: Iterable[int], by: Actor, reason: str) -> None:
    """The order in which her contacts are called, within their kinds. The file keeps who changed it and why."""
    must(by, "contact.change")
    elder, wanted = _locked(elder_id), list(contact_ids)
    rows = {c.pk: c for c in Contact.objects.filter(elder=elder)}
    if sorted(rows) != sorted(wanted):
        raise NotAccepted("排序时要列出这位老人的全部联系人，一个不能少")
    why, before = reason_given(reason, "改次序"), sorted(rows, key=lambda pk: rows[pk].turn)
    for turn, pk in enumerate(wanted, start=1):
        rows[pk].turn = turn
        rows[pk].save(update_fields=["turn"])
    line = "、".join(f"{rows[pk].get_kind_display()}{rows[pk].name}" for pk in wanted)
    HistoryLine(elder=elder, text=f"联系次序改为：{line}。{why}", by=by.name).save()
    detail = {"order": wanted, "before": before}
    audit.record(
        "contact.order", subject="elder", subject_id=elder.pk, place=elder.home.place, detail=detail, reason=why
    )


@transaction.atomic
def remove_contact(*, contact_id: int, by: Actor, reason: str) -> None:
    """Take a contact out of the file, which keeps who it was and why. Open incidents keep their frozen copy."""
    must(by, "contact.change")
    contact = Contact.objects.select_related("elder__home").get(pk=contact_id)
    elder, why = _locked(contact.elder_id), reason_given(reason, "移除")
    gaps = missing(elder.pk)
    who = f"{contact.get_kind_display()} {contact.name}" + (f"（{contact.relation}）" if contact.relation else "")
    HistoryLine(elder=elder, text=f"移除联系人：{who}。{why}", by=by.name).save()
    families.follow(contact, was="", by=by)
    _note_contact(elder, contact, "contact.remove", reason=why)
    contact.delete()
    reindex(elder)
    _no_new_gap(elder, gaps)


@transaction.atomic
def flag_contact(*, contact_id: int, reason: str, by: Actor = THE_PLATFORM) -> None:
    """This contact could not be reached: the community must correct it (REG-13). It is still called in its turn."""
    must(by, "contact.flag")
    contact = Contact.objects.select_for_update(of=("self",)).select_related("elder__home").get(pk=contact_id)
    contact.flagged_reason, contact.flagged_at = reason_given(reason, "标记")[:120], clock.now()
    contact.save(update_fields=["flagged_reason", "flagged_at"])
    _note_contact(contact.elder, contact, "contact.flag")


@transaction.atomic
def record_consent(
    *,
    elder_id: int,
    by: Actor,
    scope: Iterable[str],
    signed_by: str,
    document: str,
    signed_on: date | None = None,
    expires_on: date | None = None,
    signer: str = "elder",
    kind: str = "service",
) -> Consent:
    """A signed paper. It holds for a year unless an earlier end is given (HZ 附件2 四.9).

    A 放弃承诺书 takes back, from today on, whatever consent still holds (附件3: 放弃服务资格).
    """
    must(by, "consent.record")
    elder, start, wanted = _locked(elder_id), signed_on or clock.today(), list(scope)
    last = start + timedelta(days=rules.SERVICE_DAYS - 1)
    if kind == "service" and (not wanted or set(wanted) - set(words.CONSENT_SCOPE_LABELS)):
        raise NotAccepted("请勾选同意书包含的范围")
    if kind not in dict(words.CONSENT_KINDS) or signer not in dict(words.SIGNERS):
        raise NotAccepted("请从列表里选文书和签字人身份")
    if not document.strip() or not signed_by.strip():
        raise NotAccepted("请填文书编号和签字人，没有签字的同意书不算数")
    if start > clock.today():
        raise NotAccepted("签字日期还没到，请核对")
    if expires_on is not None and not start <= expires_on <= last:
        raise NotAccepted(f"同意书最长一年，到 {last:%Y-%m-%d} 为止，请改有效期")
    consent = Consent(
        elder=elder,
        kind=kind,
        scope=wanted if kind == "service" else [],
        signed_by=signed_by.strip(),
        signer=signer,
        signed_on=start,
        expires_on=expires_on or last,
        document=document.strip(),
        recorded_by_id=by.user_id,
    )
    if kind == "waiver":
        for held in consents_of(elder.pk, clock.today()):
            _take_back(held, f"签了放弃承诺书 {document.strip()}")
    consent.save()
    audit.record(
        "consent.record",
        subject="elder",
        subject_id=elder.pk,
        place=elder.home.place,
        detail={"consent": consent.pk, "scope": consent.scope, "until": consent.expires_on.isoformat()},
    )
    announce(CareChanged(elder.pk, elder.home_id))
    return consent


@transaction.atomic
def withdraw_consent(*, consent_id: int, reason: str, by: Actor) -> None:
    """The person takes her consent back, from today on."""
    must(by, "consent.withdraw")
    consent = Consent.objects.select_related("elder__home").get(pk=consent_id)
    if consent.withdrawn_on is not None:
        raise NotAccepted("这份文书已经撤回")
    _take_back(consent, reason_given(reason, "撤回"))
    changed("home", consent.elder.home_id, consent.elder.home.place)


def _take_back(consent: Consent, reason: str) -> None:
    consent.withdrawn_on = clock.today()
    consent.save(update_fields=["withdrawn_on"])
    audit.record(
        "consent.withdraw",
        subject="elder",
        subject_id=consent.elder_id,
        place=consent.elder.home.place,
        reason=reason,
        detail={"consent": consent.pk},
    )
    announce(CareChanged(consent.elder_id, consent.elder.home_id))


@transaction.atomic
def append_history(*, elder_id: int, text: str, by: Actor = THE_PLATFORM) -> HistoryLine:
    """Add a line to the file, e.g. what a rescue taught (INC-08). Lines are never changed."""
    must(by, "history.append")
    elder = Elder.objects.select_related("home").get(pk=elder_id)
    line = HistoryLine(elder=elder, text=reason_given(text, "记事"), by=by.name)
    line.save()
    audit.record("history.append", subject="elder", subject_id=elder.pk, place=elder.home.place)
    return line


def reveal(*, elder_id: int, field: str, by: Actor, reason: str, contact_id: int | None = None) -> str:
    """One masked field in clear. Who, what and why is kept and shown to the family (EXT-15); a refusal is kept too."""
    elder = Elder.objects.select_related("home").get(pk=elder_id)
    trace: dict[str, Any] = {
        "subject": "elder",
        "subject_id": elder.pk,
        "place": elder.home.place,
        "detail": {"field": field},
    }
    if not masks.may_uncover(field, by.roles):
        audit.record("elder.reveal", **trace, result="denied", reason=reason)
        raise NotAccepted(f"您的岗位不能看{masks.FIELD_LABELS.get(field, '这一项')}，确有需要请找值班长")
    why = reason_given(reason, "查看")
    audit.record("elder.reveal", **trace, reason=why)
    if field.startswith("contact_"):
        contact = Contact.objects.get(pk=contact_id or 0, elder=elder)
        return str(getattr(contact, field.removeprefix("contact_")))
    owner: Any = elder.home if field in {"address", "access_note", "key_note"} else elder
    if field == "meters":
        return f"电 {elder.electricity_no} · 水 {elder.water_no} · 气 {elder.gas_no}"
    return str(getattr(owner, field))


def note_opened(*, elder_id: int, why: str = "") -> None:
    """A person opened the file: one line in the audit, so that the family can see who looked."""
    elder = Elder.objects.select_related("home").get(pk=elder_id)
    audit.record("elder.open", subject="elder", subject_id=elder.pk, place=elder.home.place, reason=why)


def _locked(elder_id: int) -> Elder:
    return Elder.objects.select_for_update(of=("self",)).select_related("home").get(pk=elder_id)


def _no_new_gap(elder: Elder, before: list[str]) -> None:
    """An approved file may lose nothing; what it lacked already (a lapsed consent) does not stop a correction."""
    if elder.status == "approved" and (new := [gap for gap in missing(elder.pk) if gap not in before]):
        raise Incomplete(new)


def _save_once(elder: Elder) -> None:
    elder.id_blind = blind(elder.id_number, "elder.id")
    try:
        with transaction.atomic():
            elder.save()
    except IntegrityError as error:
        if "one_file_a_person" in str(error):
            raise NotAccepted("这个身份证号已有档案，请先查找，不要重复建档") from None
        if "one_main_elder_a_home" in str(error):
            raise NotAccepted("这一户已有主要服务对象，请先改另一位") from None
        raise


def _note_state(elder: Elder, action: str, *, reason: str = "") -> None:
    audit.record(action, subject="elder", subject_id=elder.pk, place=elder.home.place, reason=reason)
    changed("home", elder.home_id, elder.home.place)
    announce(CareChanged(elder.pk, elder.home_id))


def _note_contact(
    elder: Elder, contact: Contact, action: str, detail: Mapping[str, Any] | None = None, *, reason: str = ""
) -> None:
    if action != "contact.add" or contact.kind in {"guardian", "neighbour"}:  # only these can be searched by
        reindex(elder)
    audit.record(
        action,
        subject="elder",
        subject_id=elder.pk,
        place=elder.home.place,
        reason=reason,
        detail={"contact": contact.pk, **(detail or {})},
    )
