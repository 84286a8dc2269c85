"""The named conditions of the two tables."""

from __future__ import annotations

from typing import Any

from anju.kernel.flow.actor import Actor


def not_myself(subject: Any, by: Actor) -> bool | str:
    """Nobody judges her own call."""
    return by.user_id is None or by.user_id != subject.agent_id or "这是您自己的通话，请改派他人评分。"


def every_item(subject: Any, by: Actor) -> bool | str:  # noqa: ARG001
    """The form is filled in."""
    return subject.score is not None or "还有没评的项，请逐项评分后再提交。"


def my_own(subject: Any, by: Actor) -> bool | str:
    """Only who took the call accepts or appeals."""
    return by.user_id == subject.agent_id or "只有接这通电话的坐席本人可以确认或申诉。"


def another(subject: Any, by: Actor) -> bool | str:
    """An appeal goes to somebody else than who scored."""
    return by.user_id != subject.scored_by or "复核要由原评分人以外的人来做，请转给另一位值班长或质检。"


def not_about_me(subject: Any, by: Actor) -> bool | str:
    """Nobody settles what is said against herself."""
    return by.user_id is None or by.user_id != subject.agent_id or "这是对您本人的意见，请转给另一位同事办理。"


def both_heard(subject: Any, by: Actor) -> bool | str:  # noqa: ARG001
    """Both sides of a complaint were heard."""
    from anju.kernel.models import Movement

    done = Movement.objects.filter(flow="complaint", subject_id=subject.pk, kind=Movement.Kind.TICK)
    missing = {"heard_client", "heard_other"} - set(done.values_list("move", flat=True))
    return not missing or "请先听取双方说法并打勾，再登记答复。"
