"""An expert who is off duty: an appointment is made while the caller is on the line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import Http404

from anju.accounts.models import User
from anju.calls import queries as calls
from anju.kernel import clock
from anju.staff import queries as staff

FIELDS = (("phone", 40), ("about", 300), ("caller", 40))
"""What is asked, with its longest length."""


def form(user: User, expert_id: int, *, problem: str = "", words: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The expert with free times, the caller's number and name filled in; 404 for a strange expert."""
    one = next((e for e in staff.experts() if e.id == expert_id), None)
    if one is None:
        raise Http404("没有这位专家，或不在您的管辖范围内。")
    call = calls.my_call(user.pk)
    known = {"phone": call.number if call else "", "caller": call.whom if call else "", "about": ""}
    return {"expert": one, "problem": problem, "form": known | dict(words or {}), "now": clock.now()}


def moment(text: str) -> datetime | None:
    """A time as the form sends it; None for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=clock.SHANGHAI)
