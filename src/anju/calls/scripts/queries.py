"""What may be asked about scripted calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from anju.calls import queries as calls
from anju.calls.lines import queries as lines
from anju.calls.scripts.menus import Table
from anju.calls.scripts.models import Menu, Survey


@dataclass(frozen=True, slots=True)
class SurveyView:
    """One answer."""

    call_id: str
    ref: str
    subject: str
    user_id: int | None
    elder_id: int | None
    score: int
    at: datetime


def robots_dial() -> bool:
    """Whether a call really goes out now: a switchboard runs and its engine is up.

    The simulator counts in a demo only; in production nobody is told that it rang somewhere.
    """
    engine = calls.engine_health()
    return engine.ok and (engine.real or bool(settings.DEMO))


def no_line() -> bool:
    """A demo with a real engine and nobody at its trunk: whatever a robot dials ends as 线路不通, so it need not. Never in
    production: there a trunk that is down for a moment is dialled, and what came of it is told.
    """
    return bool(settings.DEMO) and not lines.way_out()


def simulated() -> bool:
    """Whether what goes out now rings nobody's telephone."""
    return not calls.engine_health().real


def menu_of(called: str) -> str:
    """The code of the menu that callers of this number hear first; "" when there is none.

    A carrier writes the number with or without its area code, so the longest ending decides, as in `lines.access`.
    """
    digits = "".join(c for c in called if c.isdigit())
    for number, code in sorted(menus_of_numbers().items(), key=lambda pair: -len(pair[0])):
        if digits and digits.endswith(number):
            return code
    return ""


def menus_of_numbers() -> dict[str, str]:
    """Access number → code of its menu."""
    rows = Menu.objects.filter(active=True).exclude(access_number="")
    return dict(rows.values_list("access_number", "code"))


def tables() -> dict[str, Table]:
    """Every menu in use, by code."""
    return {m.code: m.table() for m in Menu.objects.filter(active=True).prefetch_related("keys")}


def survey_of(call_id: str) -> SurveyView | None:
    """What was pressed after this call."""
    row = Survey.objects.filter(call_id=call_id).first()
    return _view(row) if row else None


def surveys(*, ref: str = "", user_id: int | None = None, since: datetime | None = None) -> list[SurveyView]:
    """Answers of a matter or of an agent's calls, the newest first."""
    rows = Survey.objects.all()
    wanted = {"ref": ref or None, "user_id": user_id, "at__gte": since}
    return [_view(s) for s in rows.filter(**{k: v for k, v in wanted.items() if v is not None})]


def _view(s: Survey) -> SurveyView:
    return SurveyView(str(s.call_id), s.ref, s.subject, s.user_id, s.elder_id, s.score, s.at)


def queue_codes() -> frozenset[str]:
    """Queues that a key may lead to."""
    return frozenset(q.code for q in calls.queues())


def prompt_codes() -> frozenset[str]:
    """Prompts that a menu may play."""
    return frozenset(p.code for p in lines.prompts())


def emergency_numbers() -> frozenset[str]:
    """Access numbers whose callers hear no menu."""
    return frozenset(a.number for a in lines.access_numbers() if a.emergency)
