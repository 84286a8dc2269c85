"""What a button asks before it acts: small forms as data, the same for the desk and the API."""

from __future__ import annotations

from typing import Any

from anju.incidents.rules import FALSE_CLASSES
from anju.incidents.scenes import NEED_KINDS

_CLASS_LABELS = {
    "mis_press": "误碰",
    "child": "小孩玩耍",
    "nobody_speaks": "无人说话但人没事",
    "test": "试机",
    "device_fault": "设备故障",
    "late_data": "迟到数据",
}


def _choice(name: str, label: str, options: list[tuple[str, str]]) -> dict[str, Any]:
    return {"name": name, "label": label, "type": "choice", "options": options, "required": True}


def _text(name: str, label: str, *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "label": label, "type": "text", "required": required}


def _number(name: str, label: str, *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "label": label, "type": "number", "required": required, "min": 1, "max": 120}


FIELDS: dict[str, tuple[dict[str, Any], ...]] = {
    "false_alarm": (_choice("class", "误报原因", [(c, _CLASS_LABELS[c]) for c in FALSE_CLASSES]),),
    "needs_help": (_choice("kind", "需要什么", [(k, label) for k, (label, _) in NEED_KINDS.items()]),),
    "helper_going": (_text("who", "谁赶来"), _number("eta_minutes", "几分钟能到")),
    "call_120": (
        {"name": "sent", "label": "已派车", "type": "yes_no", "required": False},
        _number("eta_minutes", "约几分钟", required=False),
    ),
    "to_hospital": (_text("hospital", "送哪家医院"), _text("escort", "谁陪同", required=False)),
    "hand_over": ({"name": "to_user_id", "label": "移交给谁", "type": "user", "required": True},),
    "call_back": ({"name": "answered", "label": "接通了", "type": "yes_no", "required": True},),
    "revisited": (
        _text("state", "老人现在怎么样"),
        _text("mood", "情绪", required=False),
        _text("needs", "需要什么帮助", required=False),
        _text("cause", "起因"),
    ),
}
"""By move; moves that are not here ask nothing (or only a reason)."""

ALWAYS_A_NOTE: dict[str, str] = {
    "withdraw": "写明谁联系上了老人、人怎么样",
    "wrong_address": "写明正确的地址或怎么找",
    "reopened": "写明为什么重新处置",
    "refused": "写明谁在场、本人怎么说",
}
"""Moves that always want a sentence."""
