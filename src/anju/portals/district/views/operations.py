"""How the platform itself is: what config and ops report through `kernel.hooks`; silence of a report is shown as such."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from anju.alarms import queries as alarms
from anju.calls.lines import queries as lines
from anju.kernel import clock, hooks
from anju.portals.district import figures, words
from anju.portals.district.access import opens
from anju.signals import queries as signals
from anju.supervision.contacts import queries as contacts

UNTOLD = "未上报"


@never_cache
@opens("operations")
def page(request: HttpRequest) -> HttpResponse:
    """Processes, delays, the dead man's switch, sources, the watch over open cases."""
    now, health = clock.now(), dict(hooks.ask("health", {}) or {})
    processes, fresh = hooks.ask("processes", ([], False))
    lag, spool, auditor = (dict(health.get(k) or {}) for k in ("lag", "spool", "auditor"))
    lag["ticker_text"] = f"{lag['ticker_seconds']:.1f} 秒" if "ticker_seconds" in lag else UNTOLD
    lag["jobs_text"] = lag.get("jobs", UNTOLD)
    spool["text"] = (f"{spool['files']} 个文件" if spool["files"] else "没有") if "files" in spool else UNTOLD
    auditor |= {"open_text": auditor.get("open", "—"), "note": _seen(auditor, now), "kinds_text": _kinds(auditor)}
    silent = {source for source, _, _ in alarms.silent_sources(now)}
    sources = [(s.source, figures.ago(s.last_at, now), s.usual_gap, s.source in silent) for s in signals.sources()]
    return render(
        request,
        "district/operations.html",
        {
            "processes": processes, "purposes": words.PROCESSES, "fresh": fresh, "health": health, "deadman": health.get("deadman") or {},
            "lag": lag, "auditor": auditor, "spool": spool,
            "router_lag": round(signals.lag(now).total_seconds(), 1), "sources": sources, "troubles": alarms.troubles(limit=50),
            "placeholders": lines.placeholders(),
            "wechat": contacts.account(), "told": bool(health), "checks": health.get("checks") or [],
        },
    )  # fmt: skip


def _seen(report: dict[str, Any], now: datetime) -> str:
    """What the auditor found, and when it last looked."""
    try:
        at = datetime.fromisoformat(str(report.get("checked_at")))
    except ValueError:
        return "稽核员未上报"
    bad = int(report.get("without_deadline", 0)) + int(report.get("overdue", 0))
    return f"{figures.ago(at, now)}核对，{f'{bad} 起不对' if bad else '都有时限'}"


def _kinds(report: dict[str, Any]) -> str:
    """What the auditor counted: everything under way that has a deadline, of which the emergencies are one part."""
    return "、".join(f"{name} {count}" for name, count in report.get("kinds") or ())
