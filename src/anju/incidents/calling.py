"""What the desk asks about the calls of a case: how she would call, what was called, what the machine proposes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from anju.calls import queries as calls
from anju.calls.scripts.queries import robots_dial, simulated
from anju.incidents import rules
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.flow import queries as flow


@dataclass(frozen=True, slots=True)
class Way:
    """How this person's calls go out: "engine" or "hand", and a sentence that says it plainly."""

    how: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call of a case. `how` reads "接通 1 分 05 秒"; the recording is found by `call_id`, none was made by hand."""

    call_id: str
    at: datetime
    direction: str
    purpose: str
    purpose_label: str
    whom: str
    number_masked: str
    by: str
    by_hand: bool
    live: bool
    how: str
    seconds: int
    keys: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the news suggest (she pressed a key: withdraw): one button, never done by itself."""

    entry_id: int
    at: datetime
    text: str
    move: str
    label: str


@dataclass(frozen=True, slots=True)
class BackView:
    """The call-back of a silent line that runs now."""

    round: int
    state: str
    state_label: str
    due_at: datetime | None
    call_id: str
    robot: bool


def way_of_calling(user_id: int | None) -> Way:
    """Whether this person's softphone dials, or the telephone beside her."""
    engine = calls.engine_health()
    if not robots_dial():
        return Way("hand", engine.sentence or "没有话务引擎，请用旁边的电话拨打，拨完登记。")
    if user_id is None or not (calls.can_dial(user_id) or calls.my_call(user_id)):
        return Way("hand", "您的座席电话不在线，请用旁边的电话拨打，拨完登记。")
    if simulated():
        return Way("engine", "模拟话务：点拨打不会真的拨出。")
    return Way("engine", "点拨打，从您的座席电话拨出。")


def calls_of(incident_id: int) -> tuple[CallLine, ...]:
    """The calls of a case in the order of time; Incident.DoesNotExist outside the scope."""
    ref = f"incident:{Incident.objects.values_list('pk', flat=True).get(pk=incident_id)}"
    return tuple(_line(c) for c in calls.of(ref))


def _line(c: calls.CallView) -> CallLine:
    over = c.ended_at or clock.now()
    seconds = int((over - c.answered_at).total_seconds()) if c.answered_at else 0
    live = c.ended_at is None
    how = c.result_label if live or c.result != "answered" else rules.call_went(c.result, seconds)
    return CallLine(
        call_id=c.call_id, at=c.at, direction=c.direction, purpose=c.purpose, purpose_label=c.purpose_label, whom=c.whom,
        number_masked=c.number_masked, by=c.by, by_hand=c.by_hand, live=live,
        how="接通" if c.by_hand and c.result == "answered" else how, seconds=seconds,
        keys="".join(str(k.get("digit", "")) for k in c.keys),
    )  # fmt: skip


def case_of_call(call_id: str) -> int | None:
    """The case of a call, if it is in the asker's scope."""
    call = calls.call(call_id)
    number = call.ref.removeprefix("incident:") if call is not None else ""
    if call is None or not call.ref.startswith("incident:") or not number.isdigit():
        return None
    return Incident.objects.filter(pk=int(number)).values_list("pk", flat=True).first()


def proposals(incident_id: int, roles: Collection[str]) -> tuple[Proposal, ...]:
    """What the machine proposes and a person may do now, the newest first; one for each move."""
    incident = Incident.objects.get(pk=incident_id)
    allowed = {m.name: m.label for m in flow.moves_for(incident, {str(r) for r in roles})}
    found: dict[str, Proposal] = {}
    for entry in incident.entries.filter(kind="proposal").order_by("-at", "-id"):
        move = str(entry.data.get("move") or "")
        wanted = move if move in allowed else rules.all_clear(incident.state)
        if move and wanted in allowed and wanted not in found:
            found[wanted] = Proposal(entry.pk, entry.at, entry.text, wanted, allowed[wanted])
    return tuple(found.values())


def call_back_of(incident_id: int) -> BackView | None:
    """The call-back that runs in this case."""
    row = Incident.objects.get(pk=incident_id).elder_calls.exclude(
        state__in=["answered", "failed", "called_off"]
    ).order_by("-id").first()  # fmt: skip
    if row is None:
        return None
    return BackView(row.round, row.state, row.state_label, row.due_at, str(row.call_id or ""), row.robot)
