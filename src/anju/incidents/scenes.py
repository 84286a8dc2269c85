"""The rescue scenes of the guide (五)1 as checklists: which duties of the table belong to which scene.

A case may have several scenes at once (an ambulance and a daughter on her way). A duty that no scene names belongs to
its state and is always armed there. Pure data.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """One scenario: its label and the duties that its presence arms."""

    name: str
    label: str
    duties: tuple[str, ...]
    basis: str


SCENES: dict[str, Scene] = {
    s.name: s
    for s in (
        Scene(
            "120",
            "120 救护",
            (
                "ask_120_sent",
                "ask_120_position",
                "give_sheet",
                "give_route",
                "meet_at_gate",
                "tell_position",
                "cash_and_card",
                "ask_relatives",
                "ask_condition",
            ),
            "场景一：代拨 120",
        ),
        Scene("110", "110 上门", ("ask_110_arrived", "give_sheet"), "场景二：110"),
        Scene("119", "119 消防", ("ask_119_arrived", "give_sheet", "give_route"), "场景二：119"),
        Scene("contact", "联系人赶赴", ("ask_contact_arrived",), "场景三：联系紧急联系人"),
        Scene("fallen", "呻吟或倒地", ("ring_contacts", "listen_in", "ask_condition"), "场景四：呻吟或倒地"),
        Scene(
            "silent",
            "无声、无人应答",
            ("keep_calling", "tell_committee", "police_lead", "listen_in"),
            "场景五：无声音反馈",
        ),
        Scene("alone", "独居", ("listen_in",), "场景一注意事项 4：独居现场监听"),
    )
}

SCENE_DUTIES: frozenset[str] = frozenset(d for s in SCENES.values() for d in s.duties)
"""Duties that need a scene."""

STARTED_BY_ANSWER: dict[str, str] = {"ask_120_position": "sent", "tell_position": "sent"}
"""Duties of a scene that begin only when another answer is known (an ambulance has a position once it was sent)."""

ENDED_BY_ANSWER: dict[str, str] = {"ask_120_sent": "sent"}
"""Duties that end with that answer."""

NEED_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "medical": ("伤病，要 120", ()),
    "fallen": ("倒地、呻吟", ("fallen",)),
    "fire": ("起火、燃气、被困，要 119", ()),
    "police": ("治安、开门，要 110", ()),
    "contact": ("要联系家人", ("contact",)),
    "silent": ("无人应答", ("silent",)),
}
"""What `needs_help(kind)` may say, and the scenes it switches on."""


def active_duties(scenes: Collection[str], answers: Collection[str]) -> frozenset[str]:
    """Scene duties that this case has now; `answers` are facts already known, e.g. "sent"."""
    wanted = {d for s in scenes if s in SCENES for d in SCENES[s].duties}
    wanted -= {d for d, answer in STARTED_BY_ANSWER.items() if answer not in answers}
    wanted -= {d for d, answer in ENDED_BY_ANSWER.items() if answer in answers}
    return frozenset(wanted)


def belongs(duty: str, scenes: Collection[str], answers: Collection[str]) -> bool:
    """Whether this duty is part of this case."""
    return duty not in SCENE_DUTIES or duty in active_duties(scenes, answers)
