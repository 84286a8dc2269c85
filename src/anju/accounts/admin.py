"""Accounts in the back office: made, switched and reset here by the system administrator; posts are given elsewhere."""

# ruff: noqa: ARG002, FBT001 - the signatures are Django's

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from anju.accounts import actions
from anju.accounts.backoffice import ActionAdmin, FormByAction, actor
from anju.accounts.models import User
from anju.accounts.passwords import one_time_password


class NewUserForm(FormByAction):
    """What is asked for a new account. The password is made by the platform."""

    class Meta:
        model = User
        fields = ["username", "name", "phone", "seat_number"]
        widgets = {"phone": UnfoldAdminTextInputWidget}

    password = ""

    def write(self) -> User:
        self.password = one_time_password()
        return actions.create_user(**self.cleaned_data, password=self.password, by=self.by)


@admin.register(User)
class UserAdmin(ActionAdmin):
    """The list of accounts."""

    what = "user.create"
    made_with = NewUserForm
    list_display = ["username", "name", "seat_number", "is_active", "is_demo", "last_login"]
    list_filter = ["is_active", "is_demo"]
    search_fields = ["username", "name", "seat_number"]
    fields = ["username", "name", "phone", "seat_number", "is_active", "is_demo", "created_at", "password_changed_at"]
    actions = ["switch_off", "switch_on", "reset_password"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else NewUserForm.Meta.fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Already written by the action; the password is shown this once."""
        messages.warning(
            request,
            f"{obj.username} 的一次性密码是 {form.password}，只显示这一次，请当面交给本人；岗位由安全管理员授予",
        )

    @admin.action(description="停用")
    def switch_off(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        """People who left: out at once, everywhere."""
        self._each(
            request, queryset, "已停用", lambda u, by: actions.switch(user=u, active=False, reason="后台停用", by=by)
        )

    @admin.action(description="启用")
    def switch_on(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        """Back again."""
        self._each(
            request, queryset, "已启用", lambda u, by: actions.switch(user=u, active=True, reason="后台启用", by=by)
        )

    @admin.action(description="重设密码")
    def reset_password(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        """A new one-time password for each."""

        def reset(user: User, by: Any) -> str:
            password = one_time_password()
            actions.set_password(user=user, password=password, by=by)
            return f"，一次性密码 {password}，只显示这一次"

        self._each(request, queryset, "已重设密码", reset)

    def _each(self, request: HttpRequest, users: models.QuerySet[User], done: str, act: Any) -> None:
        by = actor(request)
        for user in users:
            try:
                more = act(user, by)
            except actions.NotAccepted as fault:
                messages.error(request, f"{user.username}：{fault}")
            else:
                messages.warning(request, f"{user.username} {done}{more or ''}")
