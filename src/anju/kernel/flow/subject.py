"""What runs through a flow: a row that has a state and counts its moves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models

from anju.kernel.flow.table import Duty, Flow, State

OWN = ("state", "nth", "state_since", "due_at")
"""The columns that only the engine writes."""


class FlowSubject(models.Model):
    """Base of every model with a process. Only `kernel.flow.engine` writes these columns."""

    flow: ClassVar[Flow]

    state = models.CharField("状态", max_length=30, editable=False)
    nth = models.PositiveIntegerField("步数", default=0, editable=False)
    state_since = models.DateTimeField("进入状态时间", null=True, editable=False)
    due_at = models.DateTimeField("状态时限", null=True, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any) -> Self:
        """Remember what was read, to tell later what the caller changed (see `bring_up_to_date`)."""
        row = super().from_db(db, field_names, values, **kwargs)
        row.__dict__["_as_read"] = {k: v for k, v in row.__dict__.items() if not isinstance(v, dict | list)}
        return row

    def bring_up_to_date(self, fresh: FlowSubject) -> None:
        """Take over what is stored now, except fields that the caller has changed and not saved yet."""
        known = self.__dict__.get("_as_read", {})
        for name in [f.attname for f in self._meta.concrete_fields]:
            if name in OWN or (name in fresh.__dict__ and name in known and known[name] == self.__dict__.get(name)):
                self.__dict__[name] = fresh.__dict__[name]
                known[name] = fresh.__dict__[name]
        for relation in [f for f in self._meta.concrete_fields if f.is_relation]:
            there = self._state.fields_cache.get(relation.name)
            if there is not None and there.pk != self.__dict__.get(relation.attname):
                self._state.fields_cache.pop(relation.name)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save what the module changed; the engine's own columns are never written back from an old copy."""
        if (
            not self._state.adding
            and not args
            and kwargs.get("update_fields") is None
            and not kwargs.get("force_insert")
        ):
            deferred = self.get_deferred_fields()
            rest = [f for f in self._meta.concrete_fields if not f.primary_key and f.attname not in deferred]
            kwargs["update_fields"] = [f.name for f in rest if f.name not in OWN]
        super().save(*args, **kwargs)

    def duration(self, slot: str, default: timedelta) -> timedelta:  # noqa: ARG002
        """How long this slot ("state", or a duty's name) may last for this object; asked when the state is entered."""
        return default

    def has_duty(self, duty: Duty) -> bool:  # noqa: ARG002
        """Whether this duty of the state applies to this object (a scene may need only some of the checklist)."""
        return True

    @property
    def now_in(self) -> State:
        """The state's line of the table."""
        return self.flow.state(self.state)

    @property
    def state_label(self) -> str:
        """The state in Chinese."""
        return self.now_in.label

    def get_state_display(self) -> str:
        """The same, under the name that templates know."""
        return self.state_label
