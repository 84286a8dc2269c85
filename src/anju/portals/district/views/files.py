"""Writing a file: new, changed, its contacts, its papers, its state. The rules speak through `elders.actions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms as django_forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.accounts.permissions import must
from anju.elders import actions, lists, queries
from anju.elders.checks import NotAccepted
from anju.portals.district import drawer, filters, forms
from anju.portals.district.access import actor, missing, opens
from anju.portals.district.views.elders import back, context

if TYPE_CHECKING:
    from anju.elders.models import Elder


@never_cache
@opens("elders")
def new(request: HttpRequest) -> HttpResponse:
    """A new file with its dwelling, as a draft: what is missing is listed on its page."""
    by, places = actor(request), filters.communities()
    must(by, "elder.register")
    data = request.POST if request.method == "POST" else None
    home, person, fault = forms.HomeForm(data, places=places), forms.ElderForm(data), ""
    if data is not None and home.is_valid() and person.is_valid():
        try:
            with transaction.atomic():
                made = actions.register_home(by=by, **home.cleaned_data)
                elder = actions.register_elder(home_id=made.pk, by=by, **_filled(person))
        except NotAccepted as reason:
            fault = str(reason)
        else:
            messages.success(request, f"已建草稿 {elder.number}。补齐缺项后由区局批准。")
            return back(elder.pk)
    return render(
        request, "district/elder_form.html", {"home_form": home, "form": person, "fault": fault, "title": "新建档案"},
        status=400 if data is not None else 200,
    )  # fmt: skip


@never_cache
@opens("elders")
def edit(request: HttpRequest, elder_id: int) -> HttpResponse:
    """Change a file. Opening it for change leaves a trace, because everything is in clear here."""
    elder, by = queries.elder(elder_id), actor(request)
    if elder is None:
        return missing(request, "这份档案")
    must(by, "elder.change")
    fault, hidden = "", _hidden(by.roles)
    if request.method == "POST":
        form = _veiled(forms.ElderForm(request.POST), elder, hidden)
        if form.is_valid():
            try:
                actions.change_elder(elder_id=elder_id, by=by, **_typed(form, hidden))
            except NotAccepted as reason:
                fault = str(reason)
            else:
                messages.success(request, "已保存，改动留痕。")
                return drawer.done(request, elder_id)
    else:
        actions.note_opened(elder_id=elder_id, why="资料变更")
        form = _veiled(forms.ElderForm(initial=_as_it_is(elder)), elder, hidden)
    return drawer.show(
        request,
        {
            "form": form, "fault": fault, "title": f"资料变更 · {elder.name}", "elder_id": elder_id, "number": elder.number,
            "intro": "没有的写“无”，空着的会列为缺项。",
        },
    )  # fmt: skip


_SEEN_AS = {"id_number": "id_number", "phone": "phone", "illnesses": "illnesses", "chronic": "chronic", "allergies": "allergies",
            "electricity_no": "meters", "water_no": "meters", "gas_no": "meters"}  # fmt: skip


def _hidden(roles: frozenset[str]) -> set[str]:
    """Items that these roles see masked: they may be typed anew, and an empty field means "as it is"."""
    return {name for name, field in _SEEN_AS.items() if not lists.may_see(field, roles)}


def _veiled(form: forms.ElderForm, elder: Elder, hidden: set[str]) -> forms.ElderForm:
    for name in hidden:
        form.initial.pop(name, None)
        if getattr(elder, name):
            form.fields[name].help_text = "已登记，不改就留空"
            form.fields[name].widget.attrs.pop("placeholder", None)
    return form


def _as_it_is(elder: Elder) -> dict[str, Any]:
    return {name: getattr(elder, name) for name in forms.ElderForm.base_fields}


def _typed(form: forms.ElderForm, hidden: set[str]) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if value or name not in hidden}


def _filled(form: django_forms.Form) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}


@require_POST
@opens("elders")
def add_contact(request: HttpRequest, elder_id: int) -> HttpResponse:
    """Somebody more to call."""
    return _put(request, elder_id, "contacts", "contact_form", forms.ContactForm(request.POST), "已加联系人。")


@require_POST
@opens("elders")
def record_consent(request: HttpRequest, elder_id: int) -> HttpResponse:
    """A signed paper."""
    return _put(request, elder_id, "consents", "consent_form", forms.ConsentForm(request.POST), "已登记同意书。")


def _put(request: HttpRequest, elder_id: int, tab: str, name: str, form: django_forms.Form, said: str) -> HttpResponse:
    elder, by, fault = queries.elder(elder_id), actor(request), ""
    if elder is None:
        return missing(request, "这份档案")
    if form.is_valid():
        try:
            if tab == "contacts":
                actions.add_contact(elder_id=elder_id, by=by, **_filled(form))
            else:
                actions.record_consent(elder_id=elder_id, by=by, **{"scope": [], **_filled(form)})
        except NotAccepted as reason:
            fault = str(reason)
        else:
            messages.success(request, said)
            return back(elder_id, tab)
    return render(
        request, "district/elder.html", context(elder, by, request, tab=tab) | {name: form, "fault": fault}, status=400
    )


@require_POST
@opens("elders")
def change_state(request: HttpRequest, elder_id: int, what: str) -> HttpResponse:
    """Approve, suspend, or add a line."""
    by, tab = actor(request), ""
    if queries.elder(elder_id) is None:
        return missing(request, "这份档案")
    try:
        if what == "approve":
            actions.approve(elder_id=elder_id, by=by)
            messages.success(request, "已批准，开始服务。")
        elif what == "suspend":
            actions.suspend(elder_id=elder_id, reason=request.POST.get("reason", "")[:100], by=by)
            messages.success(request, "已停机。求助照常受理。")
        elif what == "note":
            tab = "history"
            actions.append_history(elder_id=elder_id, text=request.POST.get("text", "")[:300].replace("\0", ""), by=by)
            messages.success(request, "已记下。")
        else:
            return missing(request, "这一步")
    except NotAccepted as reason:
        messages.warning(request, str(reason))
    return back(elder_id, tab)
