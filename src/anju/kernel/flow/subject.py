"""What runs through a flow: a row that has a state and counts its moves."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from anju.kernel.flow.table import Duty, Flow, State


class FlowSubject(models.Model):
    """Base of every model with a process. Only `kernel.flow.engine` writes these columns."""

    flow: ClassVar[Flow]

    state = models.CharField("状态", max_length=30, editable=False)
    nth = models.PositiveIntegerField("步数", default=0, editable=False)
    state_since = models.DateTimeField("进入状态时间", null=True, editable=False)
    due_at = models.DateTimeField("状态时限", null=True, editable=False)

    class Meta:
        abstract = True

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
        """The state in Chinese, under the name that templates know."""
        return self.state_label
