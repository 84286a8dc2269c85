"""Pure decisions about incidents: what a move must say, what its line reads, whether an alarm joins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from anju.calls import words
from anju.incidents.scenes import NEED_KINDS

FALSE_CLASSES = ("mis_press", "child", "nobody_speaks", "test", "device_fault", "late_data")
OUTCOME_OF_MOVE = {
    "safe": "safe",
    "withdraw": "safe",
    "to_hospital": "hospital",
    "safe_at_home": "safe",
    "refused": "refused",
    "deceased": "deceased",
    "late_data": "late_data",
}
OPEN_BEFORE_FOLLOW_UP = (
    "waiting",
    "overdue",
    "verifying",
    "contacting",
    "helper_coming",
    "rescue_due",
    "rescuing",
    "on_scene",
)
REOPEN_WITHIN = timedelta(minutes=30)
"""A press so soon after "safe" means that she is not."""
SERIOUS = 7
"""From this priority on a lapsed consent does not keep the contacts from being told."""


RESCUERS = ("120", "110", "119")
TO_ELDER = ("elder", "elder_check")
"""What a call to the elder is for."""
PARTIES = {
    "agent_b": "B 席",
    "supervisor": "值班长",
    "doctor": "医生",
    "contact": "联系人",
    "expert": "专家",
    "social": "社工",
    "grid": "网格员",
    "property": "物业",
    "committee": "居委会",
    "elder": "老人",
    "120": "120",
    "110": "110",
    "119": "119",
    "other": "另一方",
}
SEATS = frozenset({"agent", "agent_b", "supervisor"})
"""Roles of parties that sit at a telephone of ours."""
_DUTIES_OF_CALL = {
    "120": ("ask_120_sent", "ask_120_position"),
    "110": ("ask_110_arrived",),
    "119": ("ask_119_arrived",),
    "agent_b": ("calm", "listen_in"),
}
_DUTIES_OF_CONTACT = {
    "committee": ("tell_committee",),
    "grid": ("tell_committee",),
    "social_worker": ("tell_committee",),
    "guardian": ("tell_family",),
}


_TEXTS = ("class", "kind", "who", "hospital", "escort", "state", "mood", "needs", "cause", "outcome_class", "finding")
_NUMBERS = {"eta_minutes": "几分钟能到", "to_user_id": "移交给谁"}
_YES_NO = ("sent", "answered", "by_hand")
LONGEST = 500


class BadValue(ValueError):
    """A value that came with a move cannot be used; the text is Chinese."""


def spoken(seconds: int) -> str:
    """65 → "1 分 05 秒"."""
    minutes, rest = divmod(max(seconds, 0), 60)
    return f"{minutes} 分 {rest:02d} 秒" if minutes else f"{rest} 秒"


def call_went(result: str, seconds: int, cause: str = "", *, seat: bool = False) -> str:
    """How a call went, in words: 接通 1 分 05 秒, 无人接听, 座席忙 … (`cause` is the engine's, `seat`: one of ours was rung)."""
    return f"接通 {spoken(seconds)}" if result == "answered" else words.went(result, cause, seat=seat) or "没有接通"


def duties_of_call(purpose: str, contact_kind: str, *, coming: bool, answered: bool) -> tuple[str, ...]:
    """Duties that such a call is. Calling the elder counts even when she does not answer; the rest must have spoken.

    `coming`: the contact is on the way, so the call asked where she is.
    """
    if purpose in TO_ELDER:
        return ("keep_calling",)
    if not answered:
        return ()
    if purpose in {"contact", "contact_robot"}:
        asked = ("ask_helper", "ask_contact_arrived") if coming and purpose == "contact" else ()
        return (*asked, *_DUTIES_OF_CONTACT.get(contact_kind, ()))
    return _DUTIES_OF_CALL.get(purpose, ())


def all_clear(state: str) -> str:
    """The move by which a case ends when the elder turns out to be well; "" where nobody was troubled yet."""
    if state == "rescuing":
        return "withdraw"
    return "safe" if state in {"contacting", "helper_coming", "rescue_due"} else ""


def tidy(data: Mapping[str, Any]) -> dict[str, Any]:
    """What came with a move from a page or a machine, as the types it should have; unknown names are dropped."""
    clean: dict[str, Any] = {}
    for name in _TEXTS:
        if data.get(name) is not None:
            clean[name] = str(data[name]).replace("\x00", "").strip()[:LONGEST]
    for name, label in _NUMBERS.items():
        if data.get(name) is not None and data[name] != "":
            try:
                clean[name] = int(str(data[name]))
            except ValueError:
                raise BadValue(f"“{label}”要写整数") from None
            if abs(clean[name]) > 2**62:
                raise BadValue(f"“{label}”太大")
    for name in _YES_NO:
        if name in data:
            clean[name] = str(data[name]).lower() in {"true", "1", "yes", "on"}
    return clean


def wants(move: str, data: Mapping[str, Any], note: str) -> str:
    """What is missing to make this move, in Chinese with the next step; "" when nothing is."""
    if move == "false_alarm" and data.get("class") not in FALSE_CLASSES:
        return "选一种误报原因：误碰、小孩玩耍、无人说话但人没事、试机、设备故障、迟到数据"
    if move == "needs_help" and data.get("kind", "medical") not in NEED_KINDS:
        return "选一种救援需要：" + "、".join(label for label, _ in NEED_KINDS.values())
    if move == "helper_going" and not 1 <= int(data.get("eta_minutes") or 0) <= 120:
        return "写明几分钟能到（1 到 120）"
    if move == "to_hospital" and not str(data.get("hospital", "")).strip():
        return "写明送哪家医院、谁陪同"
    if move in {"withdraw", "wrong_address", "reopened", "refused"} and not note.strip():
        return {
            "withdraw": "写明谁联系上了老人、人怎么样",
            "wrong_address": "写明正确的地址或怎么找",
            "reopened": "写明为什么重新处置",
            "refused": "写明谁在场、本人怎么说",
        }[move]
    return ""


def joins(state: str, *, outcome_class: str, since: datetime | None, now: datetime) -> str:
    """What a new alarm of the home does to this case: "join", "reopen", or "" (it opens a new, linked one)."""
    if state in OPEN_BEFORE_FOLLOW_UP:
        return "join"
    if state == "follow_up" and outcome_class == "safe" and since is not None and now - since <= REOPEN_WITHIN:
        return "reopen"
    return ""


def steps(state: str) -> list[tuple[str, str]]:
    """The bar of five: label and done | now | next."""
    bar = ("接警", "核实", "联系", "救援", "回访归档")
    at = {
        "waiting": 0,
        "overdue": 0,
        "verifying": 1,
        "contacting": 2,
        "helper_coming": 2,
        "rescue_due": 3,
        "rescuing": 3,
        "on_scene": 3,
        "follow_up": 4,
        "closed": 5,
    }[state]
    return [(label, "done" if n < at else "now" if n == at else "next") for n, label in enumerate(bar)]


def looks(priority: int, *, drill: bool) -> str:
    """Colour of a queue row: emergency, warn or work (one meaning each)."""
    if drill:
        return "work"
    return "emergency" if priority >= 7 else "warn" if priority >= 5 else "work"


def late_data_may_close(state: str, *, sos: bool, deadline_in_future: bool) -> bool:
    """The clock may close for late data only before anybody took the case, never with an SOS in it."""
    return state in {"waiting", "overdue"} and not sos and deadline_in_future


def surname_only(name: str) -> str:
    """沈玉芬 → 沈**, for eyes that need no full name."""
    return name[:1] + "*" * max(len(name) - 1, 0)


def mask_phone(number: str) -> str:
    """13900002046 → 139****2046."""
    plain = number.strip()
    if len(plain) < 8:
        return plain
    return f"{plain[:-8]}****{plain[-4:]}"
