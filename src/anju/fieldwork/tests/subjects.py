"""How to begin a repair order, for the tests that hold of every flow."""

from __future__ import annotations

from anju.accounts.roles import Role
from anju.fieldwork import actions
from anju.fieldwork.models import RepairOrder
from anju.kernel.flow.actor import Actor
from anju.kernel.testing import opens


def a_repair() -> RepairOrder:
    """Somebody rang: the cord in the bathroom does nothing."""
    return actions.report_fault(
        device_id=None, home_id=None, place="330199001001", cause="fault", text="拉绳没反应",
        by=Actor("周晓岚", frozenset({Role.AGENT})),
    )  # fmt: skip


opens("repair", a_repair)
