"""Place codes and policy durations, as pure functions and one table.

A place code is the national statistics code: 2+2+2+3+3 digits (province, city, district, street, community).
A grid (网格) has no national code; ours is the code of its community and two digits, `33019900100107`, so that a place is
always a prefix of what lies in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

GROUPS = (2, 2, 2, 3, 3)
CODE = sum(GROUPS)
GRID = CODE + 2


class Level(StrEnum):
    """How high a place stands in the tree."""

    REGION = "region"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"


LEVEL_LABELS: dict[Level, str] = {
    Level.REGION: "省市",
    Level.DISTRICT: "区",
    Level.STREET: "街道",
    Level.COMMUNITY: "社区",
    Level.GRID: "网格",
}
_LEVEL_OF_LENGTH = {
    2: Level.REGION,
    4: Level.REGION,
    6: Level.DISTRICT,
    9: Level.STREET,
    12: Level.COMMUNITY,
    14: Level.GRID,
}


class BadCode(ValueError):
    """Not a place code. The message is Chinese and says what is wrong."""


def check_code(code: str) -> str:
    """The code itself, or `BadCode`."""
    if not code.isascii() or not code.isdigit():
        raise BadCode(f"区域代码“{code}”只能是数字")
    if len(code) not in {CODE, GRID}:
        raise BadCode(f"区域代码“{code}”有 {len(code)} 位，应为 {CODE} 位，网格为 {GRID} 位")
    if code.startswith("00"):
        raise BadCode(f"区域代码“{code}”没有省份，请核对前两位")
    return code


def prefix_of(code: str) -> str:
    """What all codes inside the place begin with: `330199001000` → `330199001`."""
    check_code(code)
    if len(code) == GRID:
        return code
    end = CODE
    for size in reversed(GROUPS):
        if code[end - size : end] != "0" * size:
            break
        end -= size
    return code[:end]


def level_of(code: str) -> Level:
    """Level by the code alone."""
    return _LEVEL_OF_LENGTH[len(prefix_of(code))]


def parent_of(code: str) -> str:
    """Code of the place around it; empty for a province."""
    prefix = prefix_of(code)
    if len(prefix) == GRID:
        return code[:CODE]
    sizes, start = [], 0
    for size in GROUPS:
        start += size
        sizes.append(start)
    shorter = [s for s in sizes if s < len(prefix)]
    return prefix[: shorter[-1]].ljust(CODE, "0") if shorter else ""


def line_of(code: str) -> list[str]:
    """The place and everything around it, nearest first."""
    line = [code]
    while parent := parent_of(line[-1]):
        line.append(parent)
    return line


_MIN, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Duration:
    """One duration that a district may set, in seconds. Less is stricter, except where something is kept (`more_is_stricter`)."""

    label: str
    default: int
    least: int
    most: int
    basis: str
    more_is_stricter: bool = False
    of_day: bool = False
    """Not how long, but when: a time of the centre's day, in seconds after midnight (whole minutes)."""

    def shown(self, value: int) -> str:
        """The value for people: 90 秒, 21:00."""
        return f"{value // _HOUR:02d}:{value % _HOUR // _MIN:02d}" if self.of_day else f"{value} 秒"


def _d(label: str, default: int, least: int, most: int, basis: str, *, more_is_stricter: bool = False) -> Duration:
    return Duration(label, default, least, most, basis, more_is_stricter)


def _at(label: str, default: int, least: int, most: int, basis: str, *, more_is_stricter: bool = False) -> Duration:
    return Duration(label, default * _HOUR, least * _HOUR, most * _HOUR, basis, more_is_stricter, of_day=True)


DURATIONS: Mapping[str, Duration] = {
    "incident.waiting.9": _d("待接警（9 级）", 15, 5, 60, "一键通指南：15 秒服务水平"),
    "incident.waiting.7": _d("待接警（7 级）", 60, 10, 180, "一键通指南"),
    "incident.waiting.5": _d("待接警（5 级）", 60, 10, 300, "一键通指南"),
    "incident.waiting.3": _d("待接警（3 级，提醒关怀）", 15 * _MIN, _MIN, 4 * _HOUR, "一键通指南：主动关爱"),
    "incident.overdue": _d("超时待接，再呼一次", 30, 10, 120, "ADR：时钟只催人"),
    "incident.overdue_contacts": _d("超时后自动呼联系人", 2 * _MIN, 30, 10 * _MIN, "ADR：时钟只催人"),
    "incident.bell": _d("提醒要有人应（并入新警、请 B 席等）", 15, 5, 60, "一键通指南：AB 双席"),
    "incident.verifying": _d("核实老人", 2 * _MIN, 30, 10 * _MIN, "一键通指南：静默来电回拨两次"),
    "incident.contacting": _d("联系亲属及网格，共计", 6 * _MIN, _MIN, 30 * _MIN, "告知书二.2"),
    "incident.contact_attempt": _d("每位联系人", 60, 20, 5 * _MIN, "告知书二.2"),
    "incident.helper_coming": _d("有人赶赴，最长", 15 * _MIN, 5 * _MIN, 60 * _MIN, "一键通指南：场景三"),
    "incident.helper_ask": _d("赶赴途中，每隔多久问一次", 5 * _MIN, _MIN, 20 * _MIN, "一键通指南：场景三"),
    "incident.rescue_due": _d("须代拨", 30, 10, 5 * _MIN, "告知书二.2：均无果时授权代拨"),
    "incident.rescuing": _d("救援跟踪", 10 * _MIN, 2 * _MIN, 60 * _MIN, "一键通指南：救援跟踪"),
    "incident.ambulance_position": _d("催问 120 位置", 5 * _MIN, _MIN, 10 * _MIN, "一键通指南：5-10 分钟"),
    "incident.ambulance_none": _d("120 无车时再问", 2 * _MIN, _MIN, 10 * _MIN, "一键通指南：2 分钟"),
    "incident.police_ask": _d("催问 110、119", 15 * _MIN, 2 * _MIN, 30 * _MIN, "一键通指南：15 分钟"),
    "incident.contact_arrived": _d("问联系人到没到", 10 * _MIN, 2 * _MIN, 30 * _MIN, "一键通指南：场景三"),
    "incident.on_scene": _d("现场处置", 30 * _MIN, 5 * _MIN, 4 * _HOUR, "一键通指南：救援跟踪"),
    "incident.on_scene_ask": _d("现场处置，每隔多久问一次", 15 * _MIN, 2 * _MIN, 60 * _MIN, "一键通指南：救援跟踪"),
    "incident.follow_up": _d("回访", 3 * _DAY, _HOUR, 7 * _DAY, "一键通指南：3 天内回访"),
    "repair.contact": _d("修障首次联系（工作时间）", 2 * _HOUR, 10 * _MIN, 8 * _HOUR, "装维手册 三.4.3"),
    "repair.on_site": _d("修障现场用时", 30 * _MIN, 10 * _MIN, 4 * _HOUR, "装维手册 三.4.2"),
    "repair.done": _d("修障完成", _DAY, _HOUR, 2 * _DAY, "装维手册 三.1：24 小时修障"),
    "install.contact": _d("装移机首次联系（工作时间）", 3 * _HOUR, 10 * _MIN, 8 * _HOUR, "装维手册 三.4.3"),
    "install.done": _d("装机完成", 2 * _DAY, _HOUR, 7 * _DAY, "装维手册 三.1：48 小时装机"),
    "recover.done": _d("停止服务后收回设备", 7 * _DAY, _DAY, 7 * _DAY, "告知书四.9：一周内"),
    "recording.keep": _d(
        "录音保存（36 个月）",
        1096 * _DAY,
        92 * _DAY,
        3653 * _DAY,
        "一键通指南：36 个月；许昌 5.10：3 个月",
        more_is_stricter=True,
    ),
    "call.quiet_from": _at("计划外呼、外呼任务：晚上几点起不打扰", 21, 18, 22, "老人作息；本人约的叫醒和用药提醒照拨"),
    "call.quiet_until": _at(
        "计划外呼、外呼任务：早上几点后才拨", 8, 7, 10, "老人作息；本人约的叫醒和用药提醒照拨", more_is_stricter=True
    ),
}
DEFAULTS: Mapping[str, int] = {key: d.default for key, d in DURATIONS.items()}


def faults_of(data: Mapping[str, object]) -> list[str]:
    """What is wrong with the values of a policy profile; empty when it may be used."""
    faults = []
    for key, value in data.items():
        duration = DURATIONS.get(key)
        if duration is None:
            faults.append(f"没有“{key}”这一项，请从列表里选")
        elif isinstance(value, bool) or not isinstance(value, int):
            faults.append(f"{duration.label}：要填整数秒，现在是“{value}”")
        elif not duration.least <= value <= duration.most:
            least, most = duration.shown(duration.least), duration.shown(duration.most)
            faults.append(f"{duration.label}：{duration.shown(value)}不在 {least}–{most} 之内")
        elif duration.of_day and value % _MIN:
            faults.append(f"{duration.label}：只能填到分钟")
    return faults


def looser(data: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """The values that are less strict than the default (more time to act, less time kept): key → (here, default)."""
    return {k: (v, DEFAULTS[k]) for k, v in data.items() if k in DEFAULTS and _is_looser(k, v, DEFAULTS[k])}


def _is_looser(key: str, value: int, than: int) -> bool:
    return value < than if DURATIONS[key].more_is_stricter else value > than


def _stricter(key: str, one: int, other: int) -> int:
    more = key in DURATIONS and DURATIONS[key].more_is_stricter
    return max(one, other) if more else min(one, other)


def combine(district: Mapping[str, int] | None, inner: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Durations that hold at a place.

    The district's profile replaces the default (it may be looser: the bureau answers for that, and it is shown).
    Profiles of places inside the district may only be stricter than what holds around them.
    """
    seconds = {**DEFAULTS, **(district or {})}
    for data in inner:
        for key, value in data.items():
            seconds[key] = _stricter(key, value, seconds.get(key, value))
    return seconds
