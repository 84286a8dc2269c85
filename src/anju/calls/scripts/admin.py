"""Back office of the menus. A menu that would strand a caller is refused here, not met by her."""

# ruff: noqa: ARG002 - the signatures are Django's

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from unfold.admin import TabularInline

from anju.accounts import queries as accounts
from anju.accounts.backoffice import DictionaryAdmin
from anju.accounts.models import User
from anju.accounts.permissions import may
from anju.calls.scripts import queries
from anju.calls.scripts.menus import Key, Table, problems
from anju.calls.scripts.models import Menu, MenuKey


class KeysTogether(BaseInlineFormSet):  # type: ignore[type-arg]
    """The keys of one menu, judged together with all other menus."""

    def clean(self) -> None:
        """Nobody who calls may end nowhere."""
        super().clean()
        menu: Menu = self.instance
        if not menu.code or any(self.errors):
            return
        lines = [f.cleaned_data for f in self.forms if f.cleaned_data and not f.cleaned_data.get("DELETE")]
        keys = {d["key"]: Key(d["key"], d["action"], d.get("argument", "")) for d in lines if d.get("key")}
        mine = Table(
            menu.code, (menu.prompt,) if menu.prompt else (), menu.says, keys, menu.otherwise, menu.wait_seconds, menu.tries
        )  # fmt: skip
        known = {**queries.tables(), menu.code: mine}
        found = [
            p
            for p in problems(known, queries.queue_codes(), queries.prompt_codes())
            if p.startswith(f"菜单 {menu.code}")
        ]
        if found:
            raise forms.ValidationError(found)


class KeyInline(TabularInline):
    """The keys, in the form of their menu."""

    model = MenuKey
    formset = KeysTogether  # type: ignore[assignment]
    extra = 3
    fields = ("key", "action", "argument", "label")

    def _may(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and may(accounts.actor_of(request.user), DictionaryAdmin.what)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As the menu's own form."""
        return self._may(request)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


class MenuForm(forms.ModelForm):  # type: ignore[type-arg]
    """A menu of a number; the emergency number has none."""

    class Meta:
        model = Menu
        fields = ("code", "name", "access_number", "prompt", "says", "wait_seconds", "tries", "otherwise", "active")

    def clean_access_number(self) -> str:
        """Whoever dials the emergency number is not asked to press keys."""
        number = str(self.cleaned_data.get("access_number") or "").strip()
        if number and number in queries.emergency_numbers():
            raise forms.ValidationError("这是紧急号码，来电直接接通坐席，不能设菜单。")
        return number


@admin.register(Menu)
class MenuAdmin(DictionaryAdmin):
    """按键菜单."""

    form = MenuForm
    inlines = (KeyInline,)
    list_display = ("code", "name", "access_number", "prompt", "otherwise", "active")
    list_filter = ("active",)
    search_fields = ("code", "name", "access_number")

    def get_queryset(self, request: Any) -> Any:
        """In the order of their codes."""
        return super().get_queryset(request).order_by("code")
