"""What every back-office form shares: only system administrators, every change in the audit, no second way to write.

`DictionaryAdmin` for plain lists (products, cards, hotlines, templates …); `ReadOnlyAdmin` for what only actions write;
`ActionAdmin` with a `FormByAction` for what an action makes.
"""

# ruff: noqa: ARG002, FBT001, FBT002 - the signatures are Django's

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from anju.accounts import queries
from anju.accounts.models import User
from anju.accounts.permissions import may
from anju.kernel import audit
from anju.kernel.flow.actor import Actor


class _Guarded(ModelAdmin):  # type: ignore[misc,unused-ignore]
    """Unfold's form behind the table of permissions; `has_perm` of the user alone would not be enough."""

    what = "dictionary.change"
    list_per_page = 50
    show_full_result_count = False

    def may(self, request: HttpRequest) -> bool:
        """Whether the user may use this form at all."""
        return isinstance(request.user, User) and may(queries.actor_of(request.user), self.what)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request)


class DictionaryAdmin(_Guarded):
    """A list that a system administrator keeps."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._note(obj, "dictionary.change" if change else "dictionary.add", sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        self._note(obj, "dictionary.delete", [])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def _note(self, obj: models.Model, action: str, fields: list[str]) -> None:
        audit.record(action, subject=obj._meta.model_name or "", subject_id=obj.pk, detail={"fields": fields})


class ReadOnlyAdmin(_Guarded):
    """To look at only: actions write these rows."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class FormByAction(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose data go through an action; what the action refuses is an error of the form."""

    by: Actor

    def write(self) -> models.Model:
        """Call the action; it raises a ValueError whose text is Chinese, or answers the row."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.instance = self.write()
        except ValueError as fault:
            self.add_error(None, str(fault))


class ActionAdmin(ReadOnlyAdmin):
    """Rows that an action makes: it has written when the form is valid, so Django's own saving does nothing."""

    made_with: type[FormByAction]

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        plain = super().get_form(request, obj, change=change, **{**kwargs, "form": self.made_with})
        return type("Form", (plain,), {"by": actor(request)})

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.instance

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Done."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing is related."""


def actor(request: HttpRequest) -> Actor:
    """The user of the request as an action wants her."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return queries.actor_of(request.user)
