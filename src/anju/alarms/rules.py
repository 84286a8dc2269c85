"""What a signal means: an emergency, a repair, a drill, or nothing. Pure: no database, no clock, no Django.

Priorities are those of SCAIP, 9 highest. Life safety is 9 (incident.md), a health emergency 7, technical matters 1 and
never an emergency (DEV-05). Nothing here can drop an SOS: an unknown device, an odd field or an old time only changes
where it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

NO_ALARM: Final = "no_alarm"
ALARM: Final = "alarm"
DRILL: Final = "drill"
QUARANTINED: Final = "quarantined"
PLATFORM: Final = "platform"
"""The source of what the platform itself says about a device (`signals.actions.say`)."""


class SignalLike(Protocol):
    """What the rules read of a signal (`signals.signal.Signal`)."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def dty(self) -> str: ...
    @property
    def stc(self) -> str: ...
    @property
    def lco(self) -> str: ...
    @property
    def value(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What the rules must know of a registered device."""

    id: int
    installed: bool
    home_id: int | None
    battery_low: int = 20
    test_from: datetime | None = None
    test_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the alarm table. `kind` is also the incident's kind, or the cause of the repair."""

    kind: str
    label: str
    priority: int
    dty: str
    stc: str
    technical: bool = False


def _emergency(kind: str, label: str, dty: str, stc: str = "0009", priority: int = 9) -> Rule:
    return Rule(kind, label, priority, dty, stc)


def _technical(kind: str, label: str, stc: str, dty: str = "") -> Rule:
    return Rule(kind, label, 1, dty, stc, technical=True)


RULES: Final[dict[str, Rule]] = {
    rule.kind: rule
    for rule in (
        _emergency("sos", "主动求助", "0004", "0010"),
        _emergency("help", "电话一键呼叫", "0901", "0010"),
        _emergency("fall", "疑似跌倒", "0005"),
        _emergency("gas", "燃气泄漏", "0021"),
        _emergency("smoke", "烟雾报警", "0023"),
        _emergency("co", "一氧化碳报警", "0026"),
        _emergency("flood", "漏水报警", "0033", priority=7),
        _emergency("health", "健康紧急", "0902", priority=7),
        _emergency("wander", "走失报警", "0015", priority=7),
        _emergency("scene", "家中意外情况", "0904", priority=7),
        _emergency("inactivity", "长时间未活动", "0010", "0049", priority=5),
        _emergency("not_back", "外出未归", "0014", "0049", priority=3),
        _emergency("no_data", "无数据且无生命迹象", "0010", "0073", priority=5),
        _emergency("door_still", "入户门久未开", "0014", "0049", priority=3),
        _emergency("door_ajar", "入户门未关", "0014", "0077", priority=3),
        _emergency("leak", "用水异常", "0033", "0900", priority=3),
        _emergency("storm", "区域失联", "0900", "0073", priority=5),
        _technical("tamper", "设备被拆动", "0125", "0038"),
        _technical("battery", "设备电量低", "0016"),
        _technical("silent", "设备长时间无上报", "0900"),
        _technical("fault", "设备故障", "0067"),
        _technical("mains", "设备市电中断", "0085"),
    )
}
"""The alarm table, by kind."""

EMERGENCIES: Final = frozenset(kind for kind, rule in RULES.items() if not rule.technical)

BY_DTY: Final[dict[str, str]] = {
    "0003": "sos",
    "0004": "sos",
    "0901": "help",
    "0005": "fall",
    "0015": "wander",
    "0021": "gas",
    "0023": "smoke",
    "0026": "co",
    "0033": "flood",
    "0038": "tamper",
    "0902": "health",
    "0903": "scene",
    "0904": "scene",
}
"""SCAIP: a device that reports no status, or a manual or automatic alarm, raises the alarm of its type."""

BY_STC: Final[dict[str, str]] = {
    "0010": "sos",
    "0014": "battery",
    "0016": "battery",
    "0049": "inactivity",
    "0067": "fault",
    "0073": "silent",
    "0085": "mains",
    "0125": "tamper",
}

QUIET: Final = frozenset(
    {"motion", "door_open", "door_closed", "vitals", "online", "sos_reset", "reset", "reply", "heartbeat", "bed",
     "water", "power", "gasuse", "phone_use", "place", "reading"}
)  # fmt: skip
"""Kinds that are never an alarm by themselves; neither is any that ends in _clear."""

DEAF: Final = frozenset({"silent"})
"""Causes that end with the next word of the device, whatever it says."""

BATTERY_RECOVERED_BY: Final = 10
"""Percent above the threshold at which a battery counts as changed: without it a cell at the edge flickers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a signal. `recovers` are causes of open technical alarms that it ends; `reset` is noted on the SOS."""

    outcome: str
    reason: str = ""
    rule: Rule | None = None
    recovers: frozenset[str] = frozenset()
    reset: bool = False


def rule_for(signal: SignalLike, battery_low: int = 20, source: str = PLATFORM) -> Rule | None:
    """The line of the alarm table for this signal, or None when it is no alarm.

    "offline" counts only when the platform itself says it (by the device's own rhythm): an operator tells it a day late.
    By kind first. A kind nobody listed is judged by its codes, so that a new profile's alarm is not lost: SCAIP says
    that an absent status is an alarm.
    """
    if signal.kind == "battery":
        level = _number(signal.value)
        return RULES["battery"] if level is not None and level <= battery_low else None
    if signal.kind == "offline":
        return RULES["silent"] if source == PLATFORM else None
    if signal.kind in QUIET or signal.kind == "test" or signal.kind.endswith("_clear"):
        return None
    return RULES.get(signal.kind) or _by_codes(signal)


def _by_codes(signal: SignalLike) -> Rule | None:
    by_status = BY_STC.get(signal.stc)
    if by_status and by_status != "sos":
        return RULES[by_status]
    if signal.stc in {"", "0009", "0010"}:
        return RULES[BY_DTY.get(signal.dty, by_status or "sos")]
    return None


def in_test_mode(device: Known, *, at: datetime, received_at: datetime) -> bool:
    """A test counts from its start to its end. A press from before the start that only arrives now is a real one."""
    if device.test_until is None or received_at > device.test_until:
        return False
    return device.test_from is None or at >= device.test_from


def judge(
    signal: SignalLike,
    device: Known | None,
    *,
    received_at: datetime,
    source: str = "",
    open_causes: frozenset[str] = frozenset(),
    battery: object = None,
) -> Verdict:
    """Signal + device + test mode → its outcome.

    `open_causes`: kinds of the technical alarms that are open for this device; a state that goes on is one alarm, not
    one for each message that repeats it. `battery`: the reading (percent) that came with the message, if any.
    """
    rule = rule_for(signal, device.battery_low if device is not None else 20, source)
    if device is None:
        return _stranger(rule)
    ended = _ended(signal, device, open_causes, source, battery)
    if signal.kind == "test":
        return Verdict(DRILL, "设备自检", Rule("test", "设备测试", 0, signal.dty, "0102"), ended)
    if rule is None:
        return Verdict(NO_ALARM, _quiet_reason(signal, source), None, ended, reset=_is_reset(signal))
    if in_test_mode(device, at=signal.at, received_at=received_at):
        return Verdict(DRILL, "设备处于测试模式", rule, ended)
    why_not = _no_repair(rule, device, open_causes) if rule.technical else ""
    return Verdict(NO_ALARM, why_not, None, ended) if why_not else Verdict(ALARM, "", rule, ended)


def _no_repair(rule: Rule, device: Known, open_causes: frozenset[str]) -> str:
    if not device.installed:
        return "设备未安装，不报修"
    return "同一原因已报修" if rule.kind in open_causes else ""


def _stranger(rule: Rule | None) -> Verdict:
    if rule is not None and not rule.technical:
        return Verdict(ALARM, "未登记设备", rule)
    return Verdict(QUARANTINED, "设备未登记，已隔离")


def _is_reset(signal: SignalLike) -> bool:
    return signal.kind in {"sos_reset", "reset"} or _cleared(signal) in EMERGENCIES


def _cleared(signal: SignalLike) -> str:
    return signal.kind.removesuffix("_clear") if signal.kind.endswith("_clear") else ""


def _ended(
    signal: SignalLike, device: Known, open_causes: frozenset[str], source: str, battery: object
) -> frozenset[str]:
    if not open_causes or source == PLATFORM:
        return frozenset()
    ends = DEAF | {_cleared(signal)}
    level = _number(battery)
    if level is not None and level >= device.battery_low + BATTERY_RECOVERED_BY:
        ends |= {"battery"}
    return ends & open_causes


def _quiet_reason(signal: SignalLike, source: str) -> str:
    if signal.kind == "offline" and source != PLATFORM:
        return "运营商的离线通知晚到约一天，以平台自己的判断为准"
    return "复位" if _is_reset(signal) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


@dataclass(frozen=True, slots=True)
class Press:
    """An earlier alarm of the same home, as far as a joining reason needs it."""

    label: str
    at: datetime
    same_device: bool


def join_reason(earlier: Press, at: datetime) -> str:
    """Why a repeated alarm joined, in a sentence that a reader of the ledger understands."""
    apart = abs(at - earlier.at)
    who = "同一设备" if earlier.same_device else "同一家庭另一设备"
    return f"{who}{spell(apart)}前已有“{earlier.label}”在处置"


def spell(span: timedelta) -> str:
    """A span in Chinese: 42 秒, 3 分 12 秒, 2 小时 5 分."""
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f" {seconds} 秒"
    if seconds < 3600:
        return f" {seconds // 60} 分 {seconds % 60} 秒"
    return f" {seconds // 3600} 小时 {seconds % 3600 // 60} 分"


# --- the pulse of an operator's source -----------------------------------------------------------------------------

FIRST_GAP: Final = 300.0
LEAST_GAP: Final = 20.0
GAP_HALF_LIFE: Final = 86_400.0
SILENT_AFTER: Final = 3.0


def learn_gap(usual: float, gap: float, elapsed: float) -> float:
    """The usual gap of a source in seconds: the largest pause of late, halving in a day.

    `elapsed`: seconds since it was last learnt. A pause that was itself an outage (over 3 × usual) teaches only
    3 × usual, else one outage would deafen the watch.
    """
    faded: float = max(LEAST_GAP, usual * 0.5 ** (max(elapsed, 0.0) / GAP_HALF_LIFE))
    return max(faded, min(max(gap, 0.0), SILENT_AFTER * usual))


def is_silent(usual: float, since: timedelta) -> bool:
    """Whether a source has said nothing for 3 × its usual gap (architecture §5)."""
    return since.total_seconds() > SILENT_AFTER * max(usual, LEAST_GAP)
