"""Every model says whose rows it holds, or why nobody needs to be kept from them."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models

from anju.kernel.scope import GuardedQuerySet, OpenModel, ScopedModel, unscoped_models

OURS = [m for m in apps.get_models() if m.__module__.startswith("anju.")]
SCOPED = [m for m in OURS if issubclass(m, ScopedModel)]


class Forgotten(models.Model):  # noqa: DJ008
    class Meta:
        app_label = "contract_samples"


class Excused(OpenModel):
    scope_reason = "a list of colours"

    class Meta:
        app_label = "contract_samples"


def end_of(model: type[models.Model], path: str) -> models.Field:  # type: ignore[type-arg]
    """The field at the end of an ORM path; FieldDoesNotExist if there is none."""
    here: type[models.Model] | None = model
    steps = path.split("__")
    for step in steps[:-1]:
        assert here is not None
        here = here._meta.get_field(step).related_model  # type: ignore[assignment]
    assert here is not None
    return here._meta.get_field(steps[-1])  # type: ignore[return-value]


@pytest.mark.req("SYS-01", "REG-01")
def test_every_model_has_a_scope_or_says_why_not() -> None:
    assert unscoped_models([Forgotten, Excused]) == ["contract_samples.Forgotten"]
    assert unscoped_models(OURS) == []


@pytest.mark.parametrize("model", SCOPED, ids=lambda m: m._meta.label)
def test_the_paths_of_a_scope_lead_to_a_place_an_elder_or_a_provider(model: type[ScopedModel]) -> None:
    paths = [p for p in (model.scope_place, model.scope_elder, model.scope_provider) if p]
    assert paths, "a scoped model is reached by something"
    if model.scope_place:
        field = end_of(model, model.scope_place)
        assert isinstance(field, models.CharField | models.ForeignKey), "a place is a code"
    for path in paths[1:]:
        end_of(model, path)


@pytest.mark.parametrize("model", SCOPED, ids=lambda m: m._meta.label)
def test_a_scoped_model_keeps_the_guarded_managers(model: type[ScopedModel]) -> None:
    assert issubclass(type(model.unscoped.all()), GuardedQuerySet)
    assert model._base_manager.name == "unscoped", "add `class Meta(ScopedModel.Meta)`"
    assert model._default_manager.name == "objects"
    assert "save" not in vars(model) or "super" in vars(model)["save"].__code__.co_names
