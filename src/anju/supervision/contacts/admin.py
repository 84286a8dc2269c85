"""Back office of the official account. Its secrets are typed in here and never shown again."""

# ruff: noqa: FBT001 - the signatures are Django's

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from anju.accounts.backoffice import DictionaryAdmin
from anju.supervision.contacts import sealed
from anju.supervision.contacts.models import WechatAccount


def _secret(label: str, help_text: str) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, widget=widget, help_text=help_text)


class WechatForm(forms.ModelForm):  # type: ignore[type-arg]
    """What stands under “服务器配置” of the account."""

    new_token = _secret("令牌（Token）", "3–32 位字母、数字，与公众号后台一致。已存的不显示，留空不改")
    new_key = _secret("消息加解密密钥（EncodingAESKey）", "43 位，公众号后台选“安全模式”时给出。已存的不显示，留空不改")
    new_secret = _secret(
        "AppSecret", "公众号“基本配置”里的开发者密码，32 位。取留言里的图片和语音要用，已存的不显示，留空不改"
    )
    plain = forms.BooleanField(
        label="改回明文模式",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="清掉密钥。明文模式里留言不加密，只在调试时用",
    )

    class Meta:
        model = WechatAccount
        fields = ("name", "app_id", "active")

    def clean_app_id(self) -> str:
        """The AppID."""
        said = str(self.cleaned_data["app_id"]).strip()
        if not re.fullmatch(r"wx[0-9A-Za-z]{16}", said):
            raise forms.ValidationError("AppID 是 wx 开头的 18 位，在公众号后台“基本配置”里。")
        return said

    def clean_new_token(self) -> str:
        """The token; the first time it must be there."""
        said = str(self.cleaned_data["new_token"]).strip()
        if not said and not self.instance.token:
            raise forms.ValidationError("请填公众号后台“服务器配置”里的令牌。")
        if said and not re.fullmatch(r"[A-Za-z0-9]{3,32}", said):
            raise forms.ValidationError("令牌应为 3–32 位字母或数字。")
        return said

    def clean_new_key(self) -> str:
        """The key, if it can be one."""
        said = str(self.cleaned_data["new_key"]).strip()
        if said:
            try:
                sealed.key_of(said)
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return said

    def clean_new_secret(self) -> str:
        """The AppSecret; without it pictures and voices stay with WeChat."""
        said = str(self.cleaned_data["new_secret"]).strip()
        if said and not re.fullmatch(r"[0-9a-f]{32}", said):
            raise forms.ValidationError("AppSecret 应为 32 位小写字母和数字。")
        return said

    def clean(self) -> dict[str, Any]:
        """One account is in force at a time."""
        values = super().clean() or self.cleaned_data
        others = WechatAccount.objects.filter(active=True).exclude(pk=self.instance.pk)
        if values.get("active") and others.exists():
            raise forms.ValidationError("已有启用的公众号，请先停用它。")
        return values


@admin.register(WechatAccount)
class WechatAdmin(DictionaryAdmin):
    """微信公众号."""

    form = WechatForm
    fields = ("name", "app_id", "new_token", "new_key", "new_secret", "plain", "active")
    list_display = ("name", "app_id", "mode", "fetches", "active", "heard_at")

    @admin.display(description="模式")
    def mode(self, row: WechatAccount) -> str:
        """What its frames must be."""
        return "安全模式" if row.aes_key else "明文模式"

    @admin.display(description="图片和语音", boolean=True)
    def fetches(self, row: WechatAccount) -> bool:
        """Whether what lies in messages can be fetched."""
        return bool(row.app_secret)

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        said = form.cleaned_data
        if isinstance(obj, WechatAccount):
            obj.token = said["new_token"] or obj.token
            obj.app_secret = said["new_secret"] or obj.app_secret
            if said["plain"]:
                obj.aes_key = obj.earlier_key = ""
            elif said["new_key"] and said["new_key"] != obj.aes_key:
                obj.aes_key, obj.earlier_key = said["new_key"], obj.aes_key
        super().save_model(request, obj, form, change)
