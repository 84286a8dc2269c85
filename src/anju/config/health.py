"""Is the platform well? One list for the operations page, one answer for the dead-man heartbeat."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from anju.accounts import queries as accounts
from anju.alarms import queries as alarms
from anju.calls import queries as calls
from anju.calls.lines import health as lines
from anju.config import auditor
from anju.devices.models import RECEIVING_DISTRICT
from anju.kernel import clock
from anju.kernel.flow import queries as flow
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.notices import actions as notices
from anju.notices import queries as notice_queries
from anju.notices.actions import To
from anju.ops import heartbeat, tls
from anju.ops.home import Home
from anju.ops.status import processes as status_of_processes
from anju.ops.table import ENGINE

_log = logging.getLogger(__name__)
PROCESSES = {
    "urgent": "求助分发",
    "router": "分发",
    "ticker": "时钟",
    "worker": "后台任务",
    "switchboard": "话务控制",
    "callwatch": "话务看护",
}
BEAT_SECONDS = heartbeat.FRESH_SECONDS
LATE = timedelta(seconds=5)
LITTLE_DISK = 1024**3
CERTIFICATE_DAYS = 14


@dataclass(frozen=True, slots=True)
class Check:
    """One line: `state` is ok | warn | deaf (we hear nothing, so we do not know)."""

    name: str
    label: str
    state: str
    detail: str
    what_to_do: str = ""


def checks() -> list[Check]:
    """Every check, each by itself: one that breaks says so and hides no other."""
    with seen_by(EVERYWHERE):
        found: list[Check] = []
        for check in (
            _database, _processes, _ticker, _jobs, _spool, _sources, _cases, _deadman, _fallback, _disk, _certificate, _telephone,
            _lines, _messages, _leads,
        ):  # fmt: skip
            found += _safely(check)
        return found


def _safely(check: Callable[[], Iterator[Check]]) -> list[Check]:
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001 - logged, and told as what is not known
        _log.exception("the check %s broke", check.__name__)
        name = check.__name__.strip("_")
        what_to_do = "看数据库" if isinstance(error, DatabaseError) else "看日志，转告维护人员"
        return [Check(name, name, "deaf", f"查不到：{type(error).__name__}", what_to_do)]


def status() -> dict[str, Any]:
    """The same as JSON, with the figures behind it (name `health` in kernel.hooks)."""
    found = checks()
    verdict = auditor.last_verdict()
    late = _lateness()
    return {
        "checks": [asdict(c) for c in found],
        "processes": [_process(name) for name in PROCESSES],
        "lag": {"ticker_seconds": late.total_seconds(), "jobs": _waiting_jobs()},
        "deadman": auditor.deadman(),
        "spool": {"files": _spooled()},
        "sources": [
            {"source": s, "last_message": _iso(last), "usual_gap_seconds": int(gap), "late": True}
            for s, last, gap in alarms.silent_sources()
        ],
        "auditor": verdict,
        "messages": notice_queries.backlog(),
    }


def page_leads(text: str, *, occasion: str) -> int:
    """Tell every lead of the district that the platform is in trouble; how many people."""
    with seen_by(EVERYWHERE):
        leads = accounts.on_duty_leads(RECEIVING_DISTRICT)
        for lead in leads:
            for channel in ("platform", "webhook"):
                if channel == "webhook" and not notice_queries.reachable(channel):
                    continue
                notices.send(
                    to=To(lead.name, user_id=lead.id, number=lead.phone), template="page_trouble", data={"text": text},
                    channel=channel, key=f"{occasion}:{lead.id}:{channel}", place=RECEIVING_DISTRICT, ref="ops",
                )  # fmt: skip
        return len(leads)


def _database() -> Iterator[Check]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield Check("database", "数据库", "ok", "应答正常")
    except DatabaseError as error:
        yield Check(
            "database", "数据库", "deaf", f"连不上：{type(error).__name__}", "看 ./anju doctor，网关会先存在本机"
        )


def _processes() -> Iterator[Check]:
    for name, label in PROCESSES.items():
        age = heartbeat.age(name)
        if age is None:
            yield Check(name, label, "deaf", "没有心跳", f"看 {name} 进程的日志，必要时重启平台")
        elif age > BEAT_SECONDS:
            yield Check(name, label, "deaf", f"{age:.0f} 秒没有心跳", f"看 {name} 进程的日志，必要时重启平台")
        else:
            yield Check(name, label, "ok", f"{age:.0f} 秒前")


def _ticker() -> Iterator[Check]:
    late = _lateness()
    if late > LATE:
        yield Check(
            "deadlines",
            "到时触发",
            "warn",
            f"最迟的一条晚了 {late.total_seconds():.0f} 秒",
            "看 ticker 进程和数据库负载",
        )
    else:
        yield Check("deadlines", "到时触发", "ok", "没有过时未触发的时限")


def _jobs() -> Iterator[Check]:
    waiting, failed = _waiting_jobs(), _failed_jobs()
    if failed:
        yield Check("failed_jobs", "失败的任务", "warn", f"{failed} 个任务多次失败", "看 worker 日志里的任务名和原因")
    state = "warn" if waiting > 200 else "ok"
    yield Check("jobs", "任务队列", state, f"{waiting} 个在等", "看 worker 进程" if state == "warn" else "")


def _spooled() -> int:
    """How many files of the gateway's spool wait for the database."""
    folder = settings.ANJU_HOME / "spool"
    return sum(1 for f in folder.glob("**/*") if f.is_file() and f.stat().st_size) if folder.exists() else 0


def _spool() -> Iterator[Check]:
    files = _spooled()
    if files:
        yield Check(
            "spool",
            "网关暂存",
            "warn",
            f"{files} 个文件还没入库",
            "数据库恢复后会自动补入，几分钟仍在就看网关日志",
        )
    else:
        yield Check("spool", "网关暂存", "ok", "没有暂存")


def _sources() -> Iterator[Check]:
    silent = alarms.silent_sources()
    for source, last, gap in silent:
        yield Check(
            f"source:{source}", f"来源 {source}", "deaf", f"{clock.local(last):%H:%M:%S} 以后没有消息，平时约 {gap:.0f} 秒一条",
            "联系运营商平台，查推送地址和密钥",
        )  # fmt: skip
    if not silent:
        yield Check("sources", "消息来源", "ok", "各来源按平时的节奏在报")


def _cases() -> Iterator[Check]:
    verdict = auditor.last_verdict()
    checked = verdict.get("checked_at")
    if not checked:
        yield Check("auditor", "巡检", "deaf", "还没有巡检过", "看 worker 进程")
    elif verdict.get("faults"):
        yield Check("auditor", "巡检", "warn", "；".join(verdict["faults"]), "按提示逐条处理，巡检通过后心跳自动恢复")
    else:
        yield Check("auditor", "巡检", "ok", f"有时限在走的 {verdict.get('open', 0)} 件都没漏")


def _deadman() -> Iterator[Check]:
    state = auditor.deadman()
    if not state["configured"]:
        yield Check(
            "deadman", "外部看护心跳", "warn", "没有配置：平台停了不会有人知道",
            "设置 ANJU_DEADMAN_URL（外部看护服务给的地址）",
        )  # fmt: skip
    elif state["error"]:
        yield Check("deadman", "外部看护心跳", "warn", state["error"], "查网络出口和看护服务")
    else:
        yield Check("deadman", "外部看护心跳", "ok", f"最近一次 {state['last_ok'] or '还没有'}")


def _fallback() -> Iterator[Check]:
    if os.environ.get("ANJU_FALLBACK_URL"):
        yield Check("fallback", "数据库断开时的求助通知", "ok", "已配置")
    else:
        yield Check(
            "fallback", "数据库断开时的求助通知", "warn", "没有配置：数据库断开时的求助只存在网关，没人知道",
            "设置 ANJU_FALLBACK_URL",
        )  # fmt: skip


def _disk() -> Iterator[Check]:
    free = shutil.disk_usage(settings.ANJU_HOME if settings.ANJU_HOME.exists() else "/").free
    state = "warn" if free < LITTLE_DISK else "ok"
    yield Check("disk", "磁盘", state, f"剩 {free / 1024**3:.1f} GB", "清理备份或加盘" if state == "warn" else "")


def _certificate() -> Iterator[Check]:
    """HTTPS and the browsers' telephones end on the day on which the certificate does."""
    path = str(getattr(settings, "ANJU_TLS_CERT", "") or "")
    if not path:
        return
    left = tls.days_left(Path(path))
    own = Path(path).parent == Home(settings.ANJU_HOME).tls
    if left > CERTIFICATE_DAYS:
        yield Check("certificate", "HTTPS 证书", "ok", f"还有 {left} 天到期")
    else:
        what = (
            "系统会自己续；没有续就重启 ./run"
            if own
            else "向签发机构换新证书，放在原来的文件里，一小时内自动启用，通话不断"
        )
        detail = f"还有 {left} 天到期" if left >= 0 else f"{-left} 天前已到期：座席电话和网页都连不上"
        yield Check("certificate", "HTTPS 证书", "warn" if left >= 0 else "deaf", detail, what)


def _telephone() -> Iterator[Check]:
    view = calls.engine_health()
    if view.ok:
        detail = f"{view.detail or view.engine}，通话 {view.live_calls} 路，等待 {view.waiting_calls} 路"
        yield Check(
            "telephone", "话务引擎", "ok" if view.real else "warn", detail, "" if view.real else "真实电话打不进来"
        )
    else:
        yield Check(
            "telephone",
            "话务引擎",
            "deaf",
            view.detail or "话务控制没有在运行",
            "改用手机拨打并人工记录；看 switchboard 的日志",
        )


def _lines() -> Iterator[Check]:
    rows, _fresh = status_of_processes()
    engine = next((row for row in rows if row.name == ENGINE), None)
    for line in lines.look(engine.rss_mib if engine else 0.0):
        yield Check(line.name, line.label, line.state, line.detail, line.what_to_do)


def _messages() -> Iterator[Check]:
    if not notice_queries.reachable("sms"):
        yield Check(
            "sms", "短信通道", "warn", "没有配置：联系人收不到短信", "设置 ANJU_WEBHOOK_URL 和 ANJU_WEBHOOK_SECRET"
        )
        return
    backlog = notice_queries.backlog()
    bad = backlog["failed"] + backlog["unknown"]
    state = "warn" if bad or backlog["waiting"] > 50 else "ok"
    yield Check(
        "sms", "短信通道", state, f"{backlog['waiting']} 条待发，{bad} 条没发成", "在消息页逐条处理" if bad else ""
    )


def _leads() -> Iterator[Check]:
    if accounts.on_duty_leads(RECEIVING_DISTRICT):
        yield Check("leads", "值班长", "ok", "有人可呼")
    else:
        yield Check("leads", "值班长", "warn", "没有值班长可呼", "给值班的人加“值班长”岗位")


def _lateness() -> timedelta:
    late = flow.overdue()
    return clock.now() - late[0].at if late else timedelta(0)


def _waiting_jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())"
        )
        return int(cursor.fetchone()[0])


def _failed_jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
        return int(cursor.fetchone()[0])


def _process(name: str) -> dict[str, Any]:
    age = heartbeat.age(name)
    return {
        "name": name,
        "pid": None,
        "up": age is not None and age <= BEAT_SECONDS,
        "heard_at": _iso(clock.now() - timedelta(seconds=age)) if age is not None else None,
        "note": "",
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
