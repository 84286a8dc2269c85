"""What may be asked about messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from anju.kernel.scope import EVERYWHERE, seen_by
from anju.notices.drivers import driver_for
from anju.notices.models import Notice

CHANNEL_LABELS = {"platform": "站内", "sms": "短信", "app": "应用", "wechat": "微信", "webhook": "接口"}


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One message as a page shows it."""

    id: int
    at: datetime
    channel_label: str
    template: str
    whom: str
    title: str
    text: str
    urgent: bool
    state: str
    state_label: str
    ref: str
    read: bool
    error: str


def _view(n: Notice) -> NoticeView:
    return NoticeView(
        n.pk, n.created_at, CHANNEL_LABELS.get(n.channel, n.channel), n.template, n.whom, n.title, n.text, n.urgent,
        n.state, n.get_state_display(), n.ref, n.read_at is not None, n.error,
    )  # fmt: skip


def inbox(user_id: int, *, unread: bool = True, limit: int = 50) -> list[NoticeView]:
    """What the platform told this user, the newest first."""
    with seen_by(EVERYWHERE):  # her own messages, whatever her place
        rows = Notice.objects.filter(user_id=user_id, channel="platform")
        if unread:
            rows = rows.filter(read_at=None)
        return [_view(n) for n in rows[:limit]]


def of(ref: str) -> list[NoticeView]:
    """All messages about one matter, in the order of time."""
    return [_view(n) for n in Notice.objects.filter(ref=ref).order_by("created_at", "id")]


def reachable(channel: str) -> bool:
    """Whether the channel has a driver."""
    return channel == "platform" or driver_for(channel) is not None


def backlog() -> dict[str, int]:
    """How many wait, and how many ended badly: for the operations page."""
    counts = dict.fromkeys(Notice.State.values, 0)
    for state in Notice.unscoped.exclude(state__in=["sent", "delivered", "read"]).values_list("state", flat=True):
        counts[state] += 1
    return counts
