"""What scripted calls announce."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SurveyAnswered:
    """Somebody pressed how she found it: 5 very good … 1 very bad. `ref` is the matter, e.g. "order:7"; `user_id` the agent."""

    call_id: str
    ref: str
    subject: str
    score: int
    user_id: int | None
