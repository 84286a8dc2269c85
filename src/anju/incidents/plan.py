"""The frozen copy a case is worked from: who is called in which order, what may be done, how long each step may take.

It is taken once, when the incident opens. A later change of the archive or of the policy profile never reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

_ACCEPT_SECONDS = {9: 15, 7: 60, 5: 60, 3: 900}
"""Accept limits by the lowest priority they hold for, when the profile says nothing."""
DUTY_KEYS = {
    "ask_helper": "incident.helper_ask",
    "ask_120_sent": "incident.ambulance_none",
    "ask_120_position": "incident.ambulance_position",
    "ask_110_arrived": "incident.police_ask",
    "ask_119_arrived": "incident.police_ask",
    "ask_contact_arrived": "incident.contact_arrived",
    "ask_scene": "incident.on_scene_ask",
}
"""Duties whose clock has a key of its own in the policy profile."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder, as it was when the case opened."""

    index: int
    kind: str
    kind_label: str
    name: str
    phone: str
    relation: str
    available: bool
    has_key: bool
    eta_minutes: int | None
    contact_id: int | None


def band(priority: int) -> int:
    """The lowest priority of the band that this one belongs to (key of the policy, e.g. "incident.waiting.5")."""
    return next((low for low in _ACCEPT_SECONDS if priority >= low), 3)


def build(frozen: Mapping[str, Any], policy_version: str, seconds: Mapping[str, int]) -> dict[str, Any]:
    """The plan that is stored on the incident (JSON-able, encrypted at rest).

    `frozen` is `elders.queries.freeze`: its contacts are in the order of calling. Those without a number are no rungs.
    """
    return {
        **frozen,
        "home": dict(frozen.get("home") or {}),
        "elder": dict(frozen.get("elder") or {}),
        "contacts": [dict(c) for c in frozen.get("contacts") or [] if c.get("phone")],
        "consents": list(frozen.get("consents") or []),
        "authority": frozen.get("authority"),
        "policy": {"version": policy_version, "seconds": {k: int(v) for k, v in seconds.items()}},
    }


def rungs(plan: Mapping[str, Any]) -> list[Rung]:
    """The ladder of this case."""
    return [
        Rung(
            index=i,
            kind=c.get("kind", ""),
            kind_label=c.get("kind_label") or "联系人",
            name=c.get("name", ""),
            phone=c.get("phone", ""),
            relation=c.get("relation", ""),
            available=bool(c.get("available_now", True)) and not c.get("flagged_reason"),
            has_key=bool(c.get("has_key")),
            eta_minutes=c.get("eta_minutes"),
            contact_id=c.get("contact_id"),
        )
        for i, c in enumerate(plan.get("contacts", []))
    ]


def limit(plan: Mapping[str, Any], key: str, default: timedelta) -> timedelta:
    """A duration of the frozen policy; `default` is the one of the table."""
    value = plan.get("policy", {}).get("seconds", {}).get(key)
    return default if value is None else timedelta(seconds=int(value))


def accept_limit(plan: Mapping[str, Any], priority: int) -> timedelta:
    """How long an alarm of this priority may wait for a seat."""
    low = band(priority)
    return limit(plan, f"incident.waiting.{low}", timedelta(seconds=_ACCEPT_SECONDS[low]))


def duty_limit(plan: Mapping[str, Any], duty: str, default: timedelta) -> timedelta:
    """How often a duty comes round."""
    return limit(plan, DUTY_KEYS.get(duty, f"incident.duty.{duty}"), default)


def turns(plan: Mapping[str, Any]) -> list[Rung]:
    """Whose turn it is after whom: the ladder, but who cannot be reached now (or has a wrong number) comes last."""
    return sorted(rungs(plan), key=lambda r: not r.available)


def authority_gap(plan: Mapping[str, Any], number: int, on: date) -> str:
    """Why the signed authority does not cover calling this number today; "" when it does. Never a reason to forbid."""
    authority = plan.get("authority")
    if not authority:
        lapsed = [c for c in plan.get("consents", []) if "rescue_110_120_119" in c.get("scope", [])]
        if lapsed:
            return f"代拨授权已于 {max(str(c.get('expires_on')) for c in lapsed)} 失效。"
        return f"没有代拨 {number} 的签字授权。"
    until = authority.get("until")
    if until and date.fromisoformat(str(until)[:10]) < on:
        return f"代拨授权已于 {str(until)[:10]} 到期。"
    if number not in [int(n) for n in authority.get("covers", [])]:
        return f"签字授权不含 {number}。"
    return ""


def allows(plan: Mapping[str, Any], scope: str) -> bool:
    """Whether a consent of this scope (e.g. "third_party") is among the frozen ones."""
    return any(c.get("valid") and scope in (c.get("scope") or []) for c in plan.get("consents", []))
