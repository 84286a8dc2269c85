"""Places and policy profiles: forms in front of their actions.

They live here and not in `places`, because who may use a form is known a layer above places; the models are named by
string, as in a foreign key, and written by the actions only.
"""

# ruff: noqa: ARG002 - the signatures are Django's

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget, UnfoldAdminTimeWidget

from anju.accounts.backoffice import ActionAdmin, FormByAction
from anju.places import actions, rules

Place = apps.get_model("places", "Place")
PolicyProfile = apps.get_model("places", "PolicyProfile")


class PlaceForm(FormByAction):
    """A place."""

    class Meta:
        model = Place
        fields = ["code", "name", "civil_code", "committee_phone", "sorting"]

    def write(self) -> models.Model:
        code = self.instance.pk or self.cleaned_data["code"]
        return actions.put_place(**{**self.cleaned_data, "code": code}, by=self.by)


class PolicyForm(FormByAction):
    """A new version: only what differs from the default is filled in."""

    reason = forms.CharField(label="理由", widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = PolicyProfile
        fields = ["place"]

    def write(self) -> models.Model:
        told = {k: self.cleaned_data.get(_field(k)) for k in rules.DURATIONS}
        data = {k: _seconds(v) for k, v in told.items() if v is not None}
        place, reason = self.cleaned_data["place"].pk, self.cleaned_data["reason"]
        return actions.set_policy(place=place, data=data, reason=reason, by=self.by)


def _field(key: str) -> str:
    return "s_" + key.replace(".", "_")


def _seconds(value: int | time) -> int:
    """As it is kept: a time of the day in seconds after midnight."""
    return value if isinstance(value, int) else value.hour * 3600 + value.minute * 60


def _of(d: rules.Duration) -> forms.Field:
    about = f"默认 {d.shown(d.default)}，可填 {d.shown(d.least)}–{d.shown(d.most)}。依据：{d.basis}。不填即默认"
    if d.of_day:
        return forms.TimeField(
            label=d.label, required=False, help_text=f"24 小时制。{about}", widget=UnfoldAdminTimeWidget
        )
    about = f"秒。默认 {d.default}，可填 {d.least}–{d.most}。依据：{d.basis}。不填即默认"
    return forms.IntegerField(
        label=d.label, required=False, min_value=d.least, max_value=d.most, help_text=about, widget=UnfoldAdminIntegerFieldWidget
    )  # fmt: skip


DURATION_FIELDS = {_field(key): _of(d) for key, d in rules.DURATIONS.items()}


@admin.register(Place)
class PlaceAdmin(ActionAdmin):
    """The region tree."""

    what = "place.change"
    made_with = PlaceForm
    list_display = ["code", "name", "level", "parent", "civil_code", "committee_phone"]
    list_filter = ["level"]
    search_fields = ["code", "name", "civil_code"]

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["code"] if obj else []


@admin.register(PolicyProfile)
class PolicyProfileAdmin(ActionAdmin):
    """Versions of the durations of a district or street. Nothing is changed here, only followed by a new version."""

    what = "policy.set"
    made_with = type("PolicyFields", (PolicyForm,), dict(DURATION_FIELDS))
    list_display = ["place", "version", "reason", "made_by", "made_at", "looser"]
    readonly_fields = ["table"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (
            ["place", "version", "reason", "made_by", "made_at", "table"]
            if obj
            else ["place", "reason", *DURATION_FIELDS]
        )

    @admin.display(description="比默认宽")
    def looser(self, row: Any) -> str:
        """What gives more time than the platform's default."""
        loose = rules.looser(row.data)
        known = rules.DURATIONS
        said = (f"{known[k].label} {known[k].shown(v)}（默认 {known[k].shown(d)}）" for k, (v, d) in loose.items())
        return "；".join(said) or "没有"

    @admin.display(description="时限")
    def table(self, row: Any) -> str:
        """All that this version says; a looser value is marked."""
        loose = rules.looser(row.data)
        lines = (
            (
                rules.DURATIONS[k].label if k in rules.DURATIONS else k,
                rules.DURATIONS[k].shown(v) if k in rules.DURATIONS else v,
                f"比默认 {rules.DURATIONS[k].shown(rules.DEFAULTS[k])}宽" if k in loose else "",
            )
            for k, v in sorted(row.data.items())
        )
        return format_html(
            "<table>{}</table>", format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", lines)
        )
