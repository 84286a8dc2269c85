"""How the platform itself is: what config and ops report through `kernel.hooks`; silence of a report is shown as such."""

from __future__ import annotations

from dataclasses import dataclass
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
ROUTER_SECONDS, TICKER_SECONDS, JOBS = 5, 1, 200
"""What is over these limits is to be looked into: colour, sign and word say so."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its definition; `wrong`: in words, what is not as it should be."""

    name: str
    value: object
    unit: str
    note: str
    meaning: str
    wrong: str = ""
    told: bool = True


@never_cache
@opens("operations")
def page(request: HttpRequest) -> HttpResponse:
    """Processes, delays, the dead man's switch, sources, the watch over open cases."""
    now, health = clock.now(), dict(hooks.ask("health", {}) or {})
    processes, fresh = hooks.ask("processes", ([], False))
    lag, spool, auditor = (dict(health.get(k) or {}) for k in ("lag", "spool", "auditor"))
    auditor |= {"open_text": auditor.get("open", "—"), "kinds_text": _kinds(auditor)}
    silent = {source for source, _, _ in alarms.silent_sources(now)}
    sources = [(s.source, figures.ago(s.last_at, now), s.usual_gap, s.source in silent) for s in signals.sources()]
    return render(
        request,
        "district/operations.html",
        {
            "processes": processes, "purposes": words.PROCESSES, "fresh": fresh, "health": health, "deadman": health.get("deadman") or {},
            "auditor": auditor, "sources": sources,
            "figures": delays(signals.lag(now).total_seconds(), lag, spool, auditor, now), "troubles": alarms.troubles(limit=50),
            "placeholders": lines.placeholders(),
            "wechat": contacts.account(), "told": bool(health), "checks": health.get("checks") or [],
        },
    )  # fmt: skip


def delays(
    router: float, lag: dict[str, Any], spool: dict[str, Any], auditor: dict[str, Any], now: datetime
) -> list[Figure]:
    """The delays, what waits and what the auditor found; what nobody reported is said to be unknown, never well."""
    ticker, jobs, files = (report.get(k) for report, k in ((lag, "ticker_seconds"), (lag, "jobs"), (spool, "files")))
    over, seen = "超过 {} {}，要查", _seen(auditor, now)
    bad = int(auditor.get("without_deadline", 0)) + int(auditor.get("overdue", 0))
    return [
        Figure("路由延迟", round(router, 1), "秒", f"不超过 {ROUTER_SECONDS} 秒", "最早一条没处理的消息等了多久",
               over.format(ROUTER_SECONDS, "秒") if router > ROUTER_SECONDS else ""),
        Figure("时限延迟", UNTOLD if ticker is None else round(ticker, 1), "" if ticker is None else "秒", f"不超过 {TICKER_SECONDS} 秒",
               "到点的时限晚了多久", over.format(TICKER_SECONDS, "秒") if ticker is not None and ticker > TICKER_SECONDS else "", ticker is not None),
        Figure("后台任务", UNTOLD if jobs is None else jobs, "" if jobs is None else "个", "排队中", "等着做的后台任务",
               over.format(JOBS, "个") if jobs is not None and jobs > JOBS else "", jobs is not None),
        Figure("网关暂存", UNTOLD if files is None else files or "没有", "个文件" if files else "", "数据库不在时暂存", "暂存的消息会按序补进来",
               "还没有入库" if files else "", files is not None),
        Figure("有时限在走", auditor["open_text"], "件", seen, "各种流程里还没办结的都算，事件只是其中一种；稽核员逐件核对：每件都有走着的时限",
               seen if bad else "", "open" in auditor),
    ]  # fmt: skip


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
