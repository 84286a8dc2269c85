"""What may be asked about levels: the open proposals, what became of the last ones, and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from anju.calls.levels.actions import rule_of
from anju.calls.levels.models import LevelRule, Proposal
from anju.calls.models import Queue


@dataclass(frozen=True, slots=True)
class ProposalView:
    """One proposal: this seat to that queue, because. `open` ones can be taken or declined."""

    id: int
    user_id: int
    seat_name: str
    extension: str
    from_queue: str
    to_queue: str
    to_queue_name: str
    why: str
    state: str
    state_label: str
    made_at: datetime
    settled_at: datetime | None
    settled_by: str


def _view(p: Proposal) -> ProposalView:
    return ProposalView(
        p.pk, p.user_id, p.seat_name, p.extension, p.from_queue, p.to_queue, p.to_queue_name, p.why, p.state,
        p.get_state_display(), p.made_at, p.settled_at, p.settled_by,
    )  # fmt: skip


def proposals() -> list[ProposalView]:
    """Those that wait for a lead, the newest first."""
    return [_view(p) for p in Proposal.objects.filter(state=Proposal.State.OFFERED)]


def history(limit: int = 20) -> list[ProposalView]:
    """What became of the last ones."""
    return [_view(p) for p in Proposal.objects.exclude(state=Proposal.State.OFFERED)[:limit]]


def rules() -> list[tuple[str, str, LevelRule]]:
    """Code, name and rule of every queue."""
    return [(q.code, q.name, rule_of(q)) for q in Queue.objects.all()]
