"""Back office of the telephone lines. A value that the engine could misread is refused in the form, not met at night."""

# ruff: noqa: ARG002, FBT001 - the signatures are Django's

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from anju.accounts.backoffice import ActionAdmin, DictionaryAdmin, FormByAction, actor
from anju.calls.lines import actions, sound, speech
from anju.calls.lines.config import checking
from anju.calls.lines.config import plan as wanted
from anju.calls.lines.models import AccessNumber, OneKeyPhone, Prompt, RescueNumber, SeatPhone, Trunk, new_secret
from anju.calls.models import Queue
from anju.devices import queries as devices
from anju.places import queries as places


def _one_line() -> forms.CharField:
    """A secret is typed into a device as it stands here, so it is shown, in one line."""
    return forms.CharField(
        label="密码",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="运营商给的照填；自己定的要 12 位以上字母、数字，新建时留空会自动生成",
    )


class LineForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row that is looked at as the engine would see it."""

    def lines(self, values: dict[str, Any]) -> wanted.Lines:
        """The row alone, as the engine's plain values."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Every problem of this row, with what to do about it."""
        values = super().clean() or self.cleaned_data
        if not self.errors:
            lines = self.lines(values)
            found = [p.what for p in checking.rows(lines) if p.grave]
            if found:
                raise forms.ValidationError(found)
        return values


class TrunkForm(LineForm):
    """A trunk."""

    secret = _one_line()

    def clean_secret(self) -> str:
        """Who has a user name has a secret."""
        said = str(self.cleaned_data["secret"]).strip()
        theirs = "registers" in self.data  # the carrier's to give: one of ours would never be accepted there
        return said or (new_secret() if self.cleaned_data.get("user") and not theirs else "")

    class Meta:
        model = Trunk
        fields = ("name", "label", "user", "secret", "addresses", "host", "port", "transport", "registers",
                  "caller_number", "prefixes", "priority", "active")  # fmt: skip

    def lines(self, values: dict[str, Any]) -> wanted.Lines:
        kept = {
            k: values[k] for k in ("name", "user", "secret", "host", "port", "transport", "registers", "caller_number")
        }
        return wanted.Lines(trunks=(wanted.Trunk(**kept, addresses=tuple(values["addresses"].split())),))


class NumberForm(LineForm):
    """An access number."""

    class Meta:
        model = AccessNumber
        fields = ("number", "label", "emergency", "queue", "prompt", "place", "active")

    def clean_queue(self) -> str:
        """A queue that is there."""
        code = str(self.cleaned_data["queue"]).strip()
        if code and not Queue.objects.filter(code=code).exists():
            there = "、".join(f"{q.code}（{q.name}）" for q in Queue.objects.all())
            raise forms.ValidationError(f"没有这个队列。现有：{there}")
        return code

    def clean_prompt(self) -> str:
        """A prompt that can be played."""
        code = str(self.cleaned_data["prompt"]).strip()
        if code and code not in speech.PROMPTS:
            there = "、".join(f"{code}（{label}）" for code, (label, _) in speech.PROMPTS.items())
            raise forms.ValidationError(f"没有这个提示音。现有：{there}")
        return code

    def clean_place(self) -> str:
        """A place whose people answer for this number."""
        code = str(self.cleaned_data["place"]).strip()
        if code and not places.exists(code):
            raise forms.ValidationError("没有这个区划，请填区、街道或社区的 12 位代码，例如 330199001000")
        return code

    def lines(self, values: dict[str, Any]) -> wanted.Lines:
        return wanted.Lines(numbers=(wanted.Number(values["number"], values["emergency"]),))


class PhoneForm(LineForm):
    """A one-key phone; the device is named by its IMEI (a list of thousands helps nobody)."""

    imei = forms.CharField(label="设备 IMEI", widget=UnfoldAdminTextInputWidget)
    secret = _one_line()

    def clean_secret(self) -> str:
        """Each phone has its own."""
        return str(self.cleaned_data["secret"]).strip() or new_secret()

    class Meta:
        model = OneKeyPhone
        fields = ("name", "secret", "number", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["imei"].initial = self.instance.device.imei

    def clean_imei(self) -> str:
        """The device must be registered, and have no telephone yet."""
        imei = str(self.cleaned_data["imei"]).strip()
        device = devices.by_keys([imei]).get(imei)
        if device is None:
            raise forms.ValidationError("没有这台设备。请先在设备里登记，再填它的 IMEI。")
        if OneKeyPhone.objects.filter(device_id=device.id).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("这台设备已有一条电话线路，请改那一条。")
        self.instance.device_id = device.id
        return imei

    def lines(self, values: dict[str, Any]) -> wanted.Lines:
        return wanted.Lines(phones=(wanted.Phone(values["name"], values["secret"], values["number"]),))


class RescueForm(LineForm):
    """A rescue number."""

    class Meta:
        model = RescueNumber
        fields = ("label", "number", "position", "active")

    def lines(self, values: dict[str, Any]) -> wanted.Lines:
        return wanted.Lines(rescue_numbers=(values["number"],))


class LineAdmin(DictionaryAdmin):
    """Saved here, in the engine a moment later."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            actions.changed()

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        with transaction.atomic():
            super().delete_model(request, obj)
            actions.changed()


@admin.register(Trunk)
class TrunkAdmin(LineAdmin):
    """中继."""

    form = TrunkForm
    list_display = ("label", "name", "user", "host", "port", "transport", "registers", "priority", "active")


@admin.register(AccessNumber)
class AccessNumberAdmin(LineAdmin):
    """接入号."""

    form = NumberForm
    list_display = ("number", "label", "emergency", "queue", "prompt", "place", "active")


@admin.register(SeatPhone)
class SeatPhoneAdmin(LineAdmin):
    """座席电话."""

    list_display = ("user", "extension", "rescue", "active")
    fields = ("user", "rescue", "active")

    @admin.display(description="座席号")
    def extension(self, row: SeatPhone) -> str:
        """The user's seat number; without one the telephone is not in the engine."""
        return row.user.seat_number or "未填座席号"


@admin.register(OneKeyPhone)
class OneKeyPhoneAdmin(LineAdmin):
    """一键电话."""

    form = PhoneForm
    list_display = ("name", "number", "device", "active")
    search_fields = ("name", "number")


@admin.register(RescueNumber)
class RescueNumberAdmin(LineAdmin):
    """兜底号码."""

    form = RescueForm
    list_display = ("label", "number", "position", "active")


class PromptForm(FormByAction):
    """A recording; it is converted, so any PCM WAV will do."""

    recording = forms.FileField(
        label="录音文件", widget=UnfoldAdminFileFieldWidget,
        help_text="WAV（PCM），8–96 kHz，0.3–90 秒；系统会转成 8 kHz 单声道并统一响度",
    )  # fmt: skip
    text = forms.CharField(label="说什么", widget=UnfoldAdminTextareaWidget, help_text="照录音逐字写下来，供核对")

    class Meta:
        model = Prompt
        fields = ["code"]

    def clean_recording(self) -> bytes:
        """The recording, if it can be used; else why not."""
        content: bytes = self.cleaned_data["recording"].read()
        try:
            sound.prompt_of(content)
        except sound.UnusableSound as error:
            raise forms.ValidationError(str(error)) from error
        return content

    def write(self) -> models.Model:
        code = self.instance.code or self.cleaned_data["code"]
        return actions.upload_prompt(
            code=code, content=self.cleaned_data["recording"], text=self.cleaned_data["text"], by=self.by
        )


@admin.register(Prompt)
class PromptAdmin(ActionAdmin):
    """提示音."""

    made_with = PromptForm
    list_display = ["code", "text", "seconds", "level", "uploaded_at", "uploaded_by"]

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Back to the synthetic voice."""
        if not isinstance(obj, Prompt):
            raise PermissionDenied
        actions.restore_prompt(code=obj.code, by=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)
