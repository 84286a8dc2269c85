"""Walks all open work and asks whether somebody still watches it (architecture §4.8). Silence of its heartbeat calls a person.

Once a minute: every open object of every flow has its deadline running, none is overdue by more than a minute, no alarm is
without a case, the ledger balances, every state is known. Only then one GET goes to ANJU_DEADMAN_URL; an outside service
that misses it wakes somebody. Otherwise the leads are paged, once an hour for the same fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.db import DatabaseError

from anju.alarms import queries as alarms
from anju.kernel import clock
from anju.kernel.flow import queries as flow
from anju.kernel.flow import registry
from anju.kernel.models import Due
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.ops import heartbeat

GRACE = timedelta(seconds=60)
LEDGER_WINDOW = timedelta(minutes=10)
LEDGER_REST = timedelta(seconds=30)
"""What arrived so lately may still be on its way."""
NEEDED = ("router", "ticker")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a round found."""

    open: int
    kinds: tuple[tuple[str, int], ...]
    without_deadline: int
    overdue: int
    faults: tuple[str, ...]


def audit_once() -> Verdict:
    """One round. Faults are Chinese sentences for the lead."""
    with seen_by(EVERYWHERE):
        faults: list[str] = []
        count = missing = 0
        kinds: list[tuple[str, int]] = []
        for flow_name, total, without, lost in _open_work():
            count += total
            kinds += [(flow_name, total)] if total else []
            missing += without
            if without:
                faults.append(f"{flow_name}：{without} 件未结却没有时限在走")
            if lost:
                faults.append(f"{flow_name}：{lost} 件处于表里没有的状态")
        late = flow.overdue(GRACE)
        if late:
            faults.append(f"{len(late)} 条时限过了 1 分钟还没触发，最早 {clock.local(late[0].at):%H:%M:%S}")
        faults += _alarms()
        faults += [f"{name} 进程没有心跳" for name in NEEDED if _silent(name)]
        return Verdict(count, tuple(kinds), missing, len(late), tuple(faults))


def _open_work() -> Iterator[tuple[str, int, int, int]]:
    for table in registry.flows():
        model = registry.running(table.name).model
        timed = [s.name for s in table.states if s.deadline and not s.is_final]
        known = [s.name for s in table.states]
        rows = model._base_manager.filter(state__in=timed)
        running = Due.objects.filter(flow=table.name, slot="state").values("subject_id")
        yield (
            table.label, rows.count(), rows.exclude(pk__in=running).count(),
            model._base_manager.exclude(state__in=known).count(),
        )  # fmt: skip


def _alarms() -> list[str]:
    faults = []
    if orphans := alarms.unclaimed(older_than=GRACE):
        faults.append(f"{len(orphans)} 条告警没有人受理，最早 {orphans[0].number}")
    until = clock.now() - LEDGER_REST
    ledger = alarms.ledger(until - LEDGER_WINDOW, until)
    if not ledger.balances:
        faults.append("对账不平，见对账页")
    return faults


def _silent(name: str) -> bool:
    """Outside a running platform (tests, a shell) nobody beats, so nobody is missed."""
    if settings.ANJU_MODE == "test":
        return False
    age = heartbeat.age(name)
    return age is None or age > heartbeat.FRESH_SECONDS


def round_() -> Verdict:
    """Audit, page or send the heartbeat, and leave the verdict for the operations page."""
    try:
        verdict = audit_once()
    except DatabaseError as error:
        verdict = Verdict(0, (), 0, 0, (f"巡检查不了数据库：{type(error).__name__}",))
    if verdict.faults:
        _page(verdict)
    else:
        beat()
    _leave(
        {
            "checked_at": clock.now().isoformat(),
            "open": verdict.open,
            "kinds": [list(kind) for kind in verdict.kinds],
            "without_deadline": verdict.without_deadline,
            "overdue": verdict.overdue,
            "faults": list(verdict.faults),
        },
        "auditor",
    )
    return verdict


def _page(verdict: Verdict) -> None:
    from anju.config import health

    hour = f"{clock.local(clock.now()):%Y%m%d%H}"
    for fault in verdict.faults:
        head = fault.split("，")[0].split("：")[0]
        try:
            health.page_leads(f"巡检：{fault}", occasion=f"audit:{hour}:{head}"[:120])
        except DatabaseError:
            return  # the missing heartbeat says it


def beat() -> bool:
    """The dead-man heartbeat: "all is well". False when it is not configured or did not get through."""
    url = getattr(settings, "ANJU_DEADMAN_URL", "")
    if not url:
        return False
    try:
        httpx.get(url, timeout=httpx.Timeout(8.0, connect=4.0)).raise_for_status()
    except httpx.HTTPError as error:
        _leave({**_read("deadman"), "error": f"心跳没有送到：{type(error).__name__}"}, "deadman")
        return False
    _leave({"last_ok": clock.now().isoformat(), "error": ""}, "deadman")
    return True


def deadman() -> dict[str, Any]:
    """Whether the heartbeat is configured, and when it last got through."""
    kept = _read("deadman")
    return {
        "configured": bool(getattr(settings, "ANJU_DEADMAN_URL", "")),
        "last_ok": kept.get("last_ok"),
        "error": kept.get("error", ""),
    }


def last_verdict() -> dict[str, Any]:
    """What the last round found; {} before the first."""
    return _read("auditor")


def _file(name: str) -> Path:
    return Path(settings.ANJU_HOME) / "run" / f"{name}.json"


def _leave(what: dict[str, Any], name: str) -> None:
    path = _file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(what, ensure_ascii=False), encoding="utf-8")
    fresh.replace(path)


def _read(name: str) -> dict[str, Any]:
    try:
        found = json.loads(_file(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
