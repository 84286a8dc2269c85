"""What the open interface says: names, units, times (ISO 8601 with zone). Personal data are masked as on the pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Generic, TypeVar

from ninja import Field, Schema

T = TypeVar("T")


class Page(Schema, Generic[T]):
    """One page of a list, the newest first; `next` is the cursor of the page after, null at the end."""

    items: list[T]
    next: str | None = None


class Problem(Schema):
    """Why it was not done (RFC 9457); `detail` says in Chinese what to do next."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str = ""


class IncidentOut(Schema):
    """The head of an incident."""

    id: int
    number: str
    place: str
    place_name: str
    home_id: int | None
    elder_id: int | None
    elder_name: str
    priority: int = Field(description="SCAIP 0-9，9 最高")
    kind: str
    kind_label: str
    state: str
    state_label: str
    state_since: datetime | None
    due_at: datetime | None
    due_label: str
    drill: bool
    opened_at: datetime
    first_alarm_at: datetime
    accepted_at: datetime | None
    closed_at: datetime | None
    a_seat: str
    b_seat: str
    outcome_class: str
    outcome_label: str
    previous_id: int | None
    policy_version: str


class EntryOut(Schema):
    """A line of the story."""

    id: int
    at: datetime
    source: str = Field(description="device A B lead system elder contact call")
    kind: str
    text: str
    by: str


class MoveOut(Schema):
    """What may be done now by the owner of the token."""

    name: str
    label: str
    emphasis: str
    needs_reason: bool
    reason_why: str
    fields: list[dict[str, Any]]
    to_label: str


class DutyOut(Schema):
    """A line of the checklist."""

    name: str
    label: str
    seat: str
    every_seconds: int | None
    due_at: datetime | None
    done_at: datetime | None
    done_by: str
    times: int
    overdue: bool


class RungOut(Schema):
    """A contact in the order of calling; the number is masked."""

    index: int
    kind_label: str
    name: str
    phone_masked: str
    relation: str
    available: bool
    has_key: bool
    state: str
    result_label: str
    attempts: int


class CaseOut(Schema):
    """A whole incident."""

    incident: IncidentOut
    moves: list[MoveOut]
    duties: list[DutyOut]
    ladder: list[RungOut]
    timeline: list[EntryOut]
    due_at: datetime | None
    due_label: str


class MoveIn(Schema):
    """How a move is asked for. `idempotency_key` (or the header Idempotency-Key): the same key is done once."""

    reason: str = Field("", max_length=500)
    data: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str = Field("", max_length=80)


class AlarmOut(Schema):
    """One alarm: every press is a row of its own."""

    id: int
    number: str
    place: str
    home_id: int | None
    device_id: int | None
    elder_id: int | None
    kind: str
    dty: str = Field(description="SCAIP 设备类型")
    stc: str = Field(description="SCAIP 状态")
    lco: str = Field(description="SCAIP 位置")
    priority: int
    technical: bool
    label: str
    where: str
    source: str
    at: datetime
    received_at: datetime
    state: str
    join_reason: str
    case_kind: str
    case_id: int | None
    closed_at: datetime | None
    closed_by: str
    closed_reason: str


class SignalOut(Schema):
    """One signal and what became of it."""

    id: int
    at: datetime
    received_at: datetime
    source: str
    device_id: int | None
    home_id: int | None
    place: str
    kind: str
    dty: str
    stc: str
    lco: str
    count: int
    value: Any = None
    outcome: str
    reason: str
    alarm_id: int | None


class DeviceOut(Schema):
    """An installed device and how it is."""

    id: int
    imei: str
    operator_id: str
    product_code: str
    kind: str
    source: str
    home_id: int | None
    place: str
    position: str
    lco: str
    status: str
    last_heard_at: datetime | None
    last_event_at: datetime | None
    battery: int | None = Field(description="%")
    rsrp: int | None = Field(description="dBm")
    snr: int | None = Field(description="dB")
    cell_id: int | None
    firmware: str = Field(description="设备自己说的固件版本；没说过为空")
    tamper: bool
    online: bool
    silent: bool
    low: bool
    test_until: datetime | None


class ElderOut(Schema):
    """An elder as the token's roles may see her."""

    id: int
    home_id: int
    number: str
    name: str
    sex: str
    age: int | None
    phone: str
    id_number: str
    place: str
    place_name: str
    address: str
    kind: str
    status: str
    status_label: str
    service_until: Any = None


class HealthOut(Schema):
    """Whether the platform hears and moves."""

    now: datetime
    router_lag_seconds: float
    sources: list[dict[str, Any]]
    troubles: list[str]
    report: dict[str, Any]


class CallOut(Schema):
    """A call; seconds are null where that never happened, numbers are masked."""

    id: int
    call_id: str
    direction: str = Field(description="in out")
    purpose: str
    purpose_label: str
    emergency: bool
    priority: int = Field(description="0-9，9 最先")
    place: str
    place_name: str
    number_masked: str
    home_id: int | None
    elder_id: int | None
    ref: str
    queue: str
    arrived_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    wait_seconds: float | None
    talk_seconds: float | None
    state: str
    result: str
    result_label: str
    agent_id: int | None
    agent_name: str
    seat: str
    resolved: bool | None
    satisfaction: int = Field(description="0 未评价，1-5，5 最好")
    by_hand: bool


class CallLegOut(Schema):
    """One party of a call."""

    leg_id: str
    role: str
    role_label: str
    user_id: int | None
    seat: str
    number_masked: str
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    wrapped_at: datetime | None
    talk_seconds: float | None
    result: str
    cause: str


class RecordingOut(Schema):
    """A recording; `sm3` is the digest of the WAV file that /audio gives."""

    id: int
    call_id: str | None
    leg_id: str
    track: str = Field(description="mixed in out bridge")
    place: str
    started_at: datetime
    seconds: float
    bytes: int
    silent: bool
    state: str = Field(description="kept damaged gone deleted")
    fault_label: str
    sm3: str
    kept_at: datetime
    keep_until: date
    hold_reason: str
    copied_at: datetime | None
    deleted_at: datetime | None
    deleted_why: str


class CallCaseOut(Schema):
    """A call with its parties and recordings."""

    call: CallOut
    legs: list[CallLegOut]
    recordings: list[RecordingOut]


class KpiOut(Schema):
    """One figure: its value (null when nothing was counted), what it means, and whether its target is met."""

    name: str
    label: str
    unit: str
    value: float | None
    target: float | None
    met: bool | None
    sentence: str
    basis: str


class KpiLineOut(Schema):
    """The figures of one group with the counts that they were computed from."""

    key: str
    values: dict[str, float | None]
    counts: dict[str, float]


class KpisOut(Schema):
    """The figures of a span: of all, and by group."""

    since: datetime
    until: datetime
    by: str
    total: list[KpiOut]
    counts: dict[str, float]
    lines: list[KpiLineOut]
