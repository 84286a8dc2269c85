"""Changes that open in the drawer: the home, the contacts and their order, the end of the service, the person's rights."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from anju.accounts.permissions import must
from anju.devices import queries as devices
from anju.elders import actions, lists, queries, rights
from anju.elders.checks import NotAccepted
from anju.incidents import queries as incidents
from anju.kernel.flow.actor import Actor
from anju.portals.district import drawer, forms
from anju.portals.district.access import actor, opens

if TYPE_CHECKING:
    from anju.elders.models import Contact, Elder

MASKED_AT_HOME = ("access_note", "key_note")


def _asked(
    request: HttpRequest, elder: Elder, form: django_forms.Form, do: Callable[[], object], said: str, *, tab: str = "",
    **more: Any,
) -> HttpResponse:  # fmt: skip
    """Show the form, or do it and go back; a refusal stands above what was typed."""
    context = {"form": form, "elder_id": elder.pk, "number": elder.number, "tab": tab, **more}
    if request.method != "POST":
        return drawer.show(request, context)
    if form.is_valid():
        try:
            do()
        except NotAccepted as reason:
            context["fault"] = str(reason)
        else:
            messages.success(request, said)
            return drawer.done(request, elder.pk, tab)
    return drawer.show(request, context)


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


@never_cache
@opens("elders")
def home(request: HttpRequest, elder_id: int) -> HttpResponse:
    """Where she lives and how an ambulance gets there. Masked items stay as they are when their field is left empty."""
    elder, by = queries.elder(elder_id), actor(request)
    if elder is None:
        return drawer.nothing(request)
    must(by, "elder.change")
    hidden = {name for name in MASKED_AT_HOME if not lists.may_see(name, by.roles)}
    if request.method != "POST":
        actions.note_opened(elder_id=elder_id, why="住处变更")
    form = forms.HomeChangeForm(_sent(request), initial=_home_as_it_is(elder, hidden))
    for name in hidden:
        if getattr(elder.home, name):
            form.fields[name].help_text = "已登记，不改就留空"

    def do() -> None:
        typed = {name: v for name, v in form.cleaned_data.items() if v not in (None, "") or name not in hidden}
        actions.change_home(home_id=elder.home_id, by=by, **typed)

    return _asked(
        request, elder, form, do, "住处已改，改动留痕。", title="住处变更",
        intro="换到别的房子是新住处：请在新住处建档，设备和起居都跟着房子走。",
    )  # fmt: skip


def _home_as_it_is(elder: Elder, hidden: set[str]) -> dict[str, Any]:
    row = elder.home
    found = {
        name: getattr(row, name) for name in forms.HomeChangeForm.base_fields if name != "place" and name not in hidden
    }
    found["lift"] = "" if row.lift is None else "1" if row.lift else "0"
    found["datum"] = "wgs84"  # what is stored has been turned already
    return found


@never_cache
@opens("elders")
def contact(request: HttpRequest, elder_id: int, contact_id: int) -> HttpResponse:
    """Correct somebody to call. A number that is masked stays when its field is left empty."""
    elder, by = queries.elder(elder_id), actor(request)
    row = contact_of(elder_id, contact_id)
    if elder is None or row is None:
        return drawer.nothing(request, "这位联系人")
    must(by, "contact.change")
    hidden = {
        n
        for n, field in (("phone", "contact_phone"), ("address", "contact_address"))
        if not lists.may_see(field, by.roles)
    }
    initial = {name: getattr(row, name) for name in forms.ContactForm.base_fields if name not in hidden}
    form = forms.ContactForm(_sent(request), initial=initial)
    for name in hidden:
        form.fields[name].required, form.fields[name].help_text = False, "已登记，不改就留空"

    def do() -> None:
        typed = {name: v for name, v in form.cleaned_data.items() if v not in (None, "") or name not in hidden}
        actions.change_contact(contact_id=contact_id, by=by, **typed)

    return _asked(request, elder, form, do, "联系人已改。", tab="contacts", title=f"更正联系人 · {row.name}")


@never_cache
@opens("elders")
def remove_contact(request: HttpRequest, elder_id: int, contact_id: int) -> HttpResponse:
    """Take somebody out; the file keeps who it was and why."""
    elder, by = queries.elder(elder_id), actor(request)
    row = contact_of(elder_id, contact_id)
    if elder is None or row is None:
        return drawer.nothing(request, "这位联系人")
    must(by, "contact.change")
    form = forms.ReasonForm(_sent(request))
    return _asked(
        request, elder, form,
        lambda: actions.remove_contact(contact_id=contact_id, by=by, reason=form.cleaned_data["reason"]),
        "已移除，记事里留着。", tab="contacts", title=f"移除联系人 · {row.name}", submit="移除",
        intro="正在处置的事件不受影响：开案时的名单已冻结。",
    )  # fmt: skip


@never_cache
@opens("elders")
def withdraw(request: HttpRequest, elder_id: int, consent_id: int) -> HttpResponse:
    """The person takes a consent back (GB/T 35273): from today on nothing that it covered is done any more."""
    elder, by = queries.elder(elder_id), actor(request)
    row = next((c for c in queries.consents_of(elder_id) if c.pk == consent_id), None)
    if elder is None or row is None:
        return drawer.nothing(request, "这份文书")
    must(by, "consent.withdraw")
    form = forms.ReasonForm(_sent(request))
    return _asked(
        request, elder, form,
        lambda: actions.withdraw_consent(consent_id=consent_id, by=by, reason=form.cleaned_data["reason"]),
        "已撤回，从今天起不再采集、使用、代拨。", tab="consents", title=f"撤回 · {row.document}", submit="撤回",
        intro="撤回以后，起居不再看护，也不再代拨 110、119、120；老人自己按求助照常受理。设备要不要拆回，另行办理。",
    )  # fmt: skip


@never_cache
@opens("elders")
def order(request: HttpRequest, elder_id: int) -> HttpResponse:
    """The order in which they are called, within their kinds."""
    elder, by = queries.elder(elder_id), actor(request)
    if elder is None:
        return drawer.nothing(request)
    must(by, "contact.change")
    rows = queries.masked_contacts(elder_id, by.roles)
    form = forms.ReasonForm(_sent(request))
    wanted = _places(request, [row.id for row in rows])
    return _asked(
        request, elder, form,
        lambda: actions.order_contacts(elder_id=elder_id, contact_ids=wanted, by=by, reason=form.cleaned_data["reason"]),
        "次序已改。", tab="contacts", title="联系次序", order=rows,
        intro="改右边的数字。先亲属，再网格、社工、物业：大类的先后由流程定，这里排同类里的先后。",
    )  # fmt: skip


def _places(request: HttpRequest, ids: list[int]) -> list[int]:
    """The ids by the numbers that were typed; equal or odd numbers keep the order they have."""

    def typed(pk: int) -> int:
        text = request.POST.get(f"at.{pk}", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else ids.index(pk) + 1

    return sorted(ids, key=typed)


@never_cache
@opens("elders")
def end(request: HttpRequest, elder_id: int) -> HttpResponse:
    """The service ends."""
    return _with_reason(
        request, elder_id, "elder.end", actions.end, "服务已停止。", title="停止服务", submit="停止服务",
        intro="去世、迁出、拒绝或期满。档案留着；设备要拆回。",
    )  # fmt: skip


@never_cache
@opens("elders")
def erase(request: HttpRequest, elder_id: int) -> HttpResponse:
    """Delete what names the person (GB/T 35273)."""
    return _with_reason(
        request, elder_id, "elder.erase", rights.erase, "个人信息已删除，统计和留痕还在。", title="删除个人信息", submit="删除，不能恢复",
        intro="姓名、号码、住址、健康、联系人、记事和已归档事件里的文字都会删去，不能恢复；编号、时间、次数和留痕保留。",
    )  # fmt: skip


def _with_reason(
    request: HttpRequest, elder_id: int, what: str, do: Callable[..., object], said: str, **more: Any
) -> HttpResponse:
    elder, by = queries.elder(elder_id), actor(request)
    if elder is None:
        return drawer.nothing(request)
    must(by, what)
    form = forms.ReasonForm(_sent(request))
    return _asked(
        request, elder, form, lambda: do(elder_id=elder_id, reason=form.cleaned_data["reason"], by=by), said, **more
    )


@never_cache
@opens("elders")
def export(request: HttpRequest, elder_id: int) -> HttpResponse:
    """A copy of everything about the person as a file, for a reason that is kept."""
    elder, by = queries.elder(elder_id), actor(request)
    if elder is None:
        return drawer.nothing(request)
    must(by, "elder.export")
    form = forms.ReasonForm(_sent(request))
    fault = ""
    if request.method == "POST" and form.is_valid():
        try:
            return _file(elder, _copy(elder, by, form.cleaned_data["reason"]))
        except NotAccepted as reason:
            fault = str(reason)
    context = {
        "form": form, "elder_id": elder_id, "number": elder.number, "title": "导出个人信息", "submit": "导出", "fault": fault,
        "plain": True, "intro": "档案、联系人、同意书、记事、设备、事件和谁看过，全部明文。交给本人或其监护人；谁导出、为什么，本人看得到。",
    }  # fmt: skip
    return drawer.show(request, context)


def _copy(elder: Elder, by: Actor, reason: str) -> dict[str, Any]:
    found = rights.copy_of(elder_id=elder.pk, reason=reason, by=by)
    found["设备"] = [
        {"名称": d.device.product_name, "位置": d.device.position, "IMEI": d.device.imei}
        for d in devices.of_home(elder.home_id)
    ]
    found["事件"] = [
        {"编号": i.number, "开案": i.opened_at.isoformat(), "种类": i.kind_label, "结果": i.outcome_label}
        for i in incidents.page(by.roles, elder_id=elder.pk, limit=1000)
    ]
    return found


def _file(elder: Elder, found: dict[str, Any]) -> HttpResponse:
    text = json.dumps(found, ensure_ascii=False, indent=2)
    answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{elder.number}.json"'
    return answer


def contact_of(elder_id: int, contact_id: int) -> Contact | None:
    """A contact of this elder, in the asker's scope."""
    return next((row for row in queries.contacts_of(elder_id) if row.pk == contact_id), None)
