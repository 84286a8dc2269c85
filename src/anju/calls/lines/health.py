"""Is the telephone well? What the operations page shows of the engine, its trunks, its seats, and who would be rung."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings

from anju.calls.lines import queries, speech
from anju.calls.lines.config import checking
from anju.ops import asterisk
from anju.ops.home import Home

MUCH_MIB = 600
SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: `state` is ok | warn | deaf (no call can come that way)."""

    name: str
    label: str
    state: str
    detail: str
    what_to_do: str = ""


def look(rss_mib: float = 0.0) -> Iterator[Line]:
    """All of them; `rss_mib` is the engine's memory, as the supervisor saw it."""
    if not queries.is_real():
        yield Line("lines", "电话线路", "warn", "模拟话务：真实电话打不进来", "在服务器上运行 ./run --telephony")
        return
    try:
        endpoints = _ask("endpoints/PJSIP")
    except httpx.HTTPError as error:
        yield Line(
            "lines",
            "电话线路",
            "deaf",
            f"话务引擎没有应答（{type(error).__name__}）",
            "看 asterisk 的日志；它会自动重启",
        )
        return
    states = {row["resource"]: row["state"] for row in endpoints}
    yield from _rows(states)
    if not settings.DEMO and ipaddress.ip_address(settings.ANJU_SIP_HOST).is_loopback:
        yield Line(
            "sip_host", "电话监听地址", "deaf", f"只在本机（{settings.ANJU_SIP_HOST}）监听，运营商和外面的话机都到不了",
            "在 var/anju.env 里设 ANJU_SIP_HOST",
        )  # fmt: skip
    if rss_mib > MUCH_MIB:
        yield Line(
            "engine_memory", "话务引擎内存", "warn", f"{rss_mib:.0f} MB，偏高", "夜间会自动归还；持续不降请在空闲时重启"
        )
    if not speech.has_voice():
        yield Line(
            "voice", "语音合成", "warn", "没有安装：临时内容读不出来，只能播固定提示音", "apt-get install espeak-ng"
        )


def states() -> dict[str, str] | None:
    """Every SIP endpoint by name: online or offline; None when the engine does not answer."""
    try:
        return {row["resource"]: row["state"] for row in _ask("endpoints/PJSIP")}
    except httpx.HTTPError:
        return None


def _rows(states: dict[str, str]) -> Iterator[Line]:
    lines = queries.lines()
    dead = [t.name for t in lines.trunks if t.host and states.get(t.line) != "online"]
    said = _said("pjsip show registrations") if any(t.registers for t in lines.trunks) else None
    unknown = [t.name for t in lines.trunks if t.registers and said is not None and not _registered(said, t.line)]
    absent = [t.name for t in lines.trunks if t.line not in states]
    if absent:
        yield Line("trunks", "中继", "deaf", f"引擎没有装入：{'、'.join(absent)}", "./anju lines --check 看原因")
    elif dead:
        yield Line(
            "trunks", "中继", "deaf", f"对端没有应答：{'、'.join(dead)}", "查网络和运营商；打进来的电话也可能不通"
        )
    elif unknown:
        yield Line(
            "trunks",
            "中继",
            "deaf",
            f"没有注册上：{'、'.join(unknown)}，打给这些号码的电话进不来",
            "核对用户名和密码，或联系运营商",
        )
    elif not lines.trunks:
        yield Line("trunks", "中继", "deaf", "还没有中继，外面的电话打不进来", "在后台“中继”里添加")
    else:
        yield Line("trunks", "中继", "ok", f"{len(lines.trunks)} 条可用")
    here = [s for s in lines.seats if "online" in {states.get(s.extension), states.get(s.account)}]
    rescue = [s for s in here if s.rescue]
    state = "ok" if rescue else "warn"
    what = "" if rescue else "请坐席打开接警台；程序若停，现在没有人会被振铃"
    yield Line("seats", "座席电话", state, f"{len(here)}/{len(lines.seats)} 部在线，应急时振铃 {len(rescue)} 部", what)
    try:
        problems = checking.problems(_plan())
    except (asterisk.AsteriskError, ValueError) as error:
        yield Line("line_config", "线路配置", "warn", str(error), "看 ./anju doctor")
        return
    if problems:
        grave = any(p.grave for p in problems)
        yield Line(
            "line_config", "线路配置", "deaf" if grave else "warn", "；".join(map(str, problems[:3])), "在后台改好"
        )


def _registered(said: str, line: str) -> bool:
    """Whether the carrier holds our registration of this trunk; a place that answers may still have refused us."""
    return re.search(rf"^\s*{re.escape(line)}/sip\S*\s.*\bRegistered\b", said, re.MULTILINE) is not None


def _said(words: str) -> str | None:
    """What the engine answers over its control socket (its REST interface knows no registrations); None when it can't be asked."""
    tree, who = asterisk.find(Home(settings.ANJU_HOME)), asterisk.user()
    if tree is None:
        return None
    try:
        done = subprocess.run(
            tree.remote(settings.ANJU_ASTERISK_HOME / "etc" / "asterisk.conf", words), cwd="/", capture_output=True, text=True,
            timeout=SECONDS * 2, check=True, user=who.uid if who else None, group=who.gid if who else None,
            extra_groups=[] if who else None,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _plan() -> Any:
    from anju.calls.lines.config.plan import Plan

    return Plan(queries.machine(), queries.lines())


def _ask(path: str) -> Any:
    answer = httpx.get(
        f"{settings.ANJU_ARI_URL}/ari/{path}", auth=(settings.ANJU_ARI_USER, settings.SECRETS.ari), timeout=SECONDS,
        trust_env=False,
    )  # fmt: skip
    return answer.raise_for_status().json()
