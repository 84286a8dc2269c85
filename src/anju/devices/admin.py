"""Back office of the catalogue. A profile is checked before it is saved: the gateway reads it within ten seconds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from anju.accounts.backoffice import DictionaryAdmin
from anju.devices.models import Product
from anju.devices.profile import Profile


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product with its profile as JSON."""

    class Meta:
        model = Product
        fields = ("code", "name", "maker", "kind", "source", "product_id", "profile")

    def clean_profile(self) -> dict[str, Any]:
        """A profile that the decoders can't read is refused here, not met at night."""
        data = self.cleaned_data["profile"]
        try:
            if not isinstance(data, dict):
                raise ValueError("规约须为 JSON 对象。请对照已有型号填写。")  # noqa: TRY004, TRY301 - shown to a person
            Profile.of(data)
        except (ValueError, TypeError, AttributeError) as error:
            raise forms.ValidationError(str(error)) from error
        return data


@admin.register(Product)
class ProductAdmin(DictionaryAdmin):
    """产品型号."""

    form = ProductForm
    list_display = ("code", "name", "maker", "kind", "source", "product_id")
    list_filter = ("kind", "source")
    search_fields = ("code", "name", "maker", "product_id")
