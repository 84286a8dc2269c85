"""May this configuration be loaded? A pure look at every value before one byte is written.

A value is refused when it could end its line, open a section, start a comment or be taken for the dialplan's own words:
tables are filled by people, and a typing error must not take the line down, let alone let somebody in.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from anju.calls.lines.config.plan import Lines, Machine, Plan, Trunk

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
SECRET = re.compile(r"[A-Za-z0-9_.~+/=-]{12,128}")
GIVEN_USER = re.compile(r"[A-Za-z0-9+][A-Za-z0-9_.+-]{0,39}")
"""A carrier's user name is not ours to choose: often the number with its country code."""
GIVEN_SECRET = re.compile(r"[!-:<-\[\]-~]{1,128}")
"""What a carrier gave us to prove ourselves with: any printable sign but those that the files read (; and \\)."""
DEVICE = re.compile(r"[A-Za-z0-9_.:-]{0,80}")
NUMBER = re.compile(r"\+?[0-9]{2,20}")
EXTENSION = re.compile(r"[0-9]{2,8}")
PATH = re.compile(r"/[A-Za-z0-9_./+-]+")
HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
SHOWN = re.compile(r"[^\x00-\x1f\x7f\"<>;\\\[\]${}]{0,40}")
RESERVED = frozenset(
    [
        "global",
        "system",
        "telephone",
        "seat",
        "browser",
        "onekey",
        "trunkline",
        "one-place",
        "login",
        "prove",
        "transport-udp",
        "transport-tcp",
        "transport-ws",
        "transport-wss",
    ]
)
NOBODY_BY_ITSELF = frozenset({"110", "119", "120", "112", "122"})
"""An automatic call never dials these, the engine's rescue included."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`where` names the row in the back office's words. A `grave` one forbids loading; others are told only."""

    where: str
    what: str
    grave: bool = True

    def __str__(self) -> str:
        return f"{self.where}：{self.what}"


def problems(plan: Plan) -> list[Problem]:
    """All of them, so that one look mends everything."""
    return [*_machine(plan.machine), *rows(plan.lines)]


def rows(lines: Lines) -> list[Problem]:
    """The problems of the tables alone."""
    return [*_trunks(lines), *_numbers(lines), *_seats(lines), *_names(lines)]


def grave(plan: Plan) -> list[Problem]:
    """Those that forbid loading."""
    return [p for p in problems(plan) if p.grave]


def is_host(text: str) -> bool:
    """A host name or an address."""
    return bool(HOST.fullmatch(text)) or _is_address(text)


def shown(name: str) -> str:
    """A name as telephones may show it: an odd sign in somebody's name must not keep the whole centre from its lines."""
    return "".join(c for c in name if SHOWN.fullmatch(c))[:40]


def _is_address(text: str) -> bool:
    try:
        return "%" not in str(ipaddress.ip_address(text))  # what follows a % may be anything, also a new line
    except ValueError:
        return False


def _is_net(text: str) -> bool:
    try:
        return "%" not in str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return False


def _machine(machine: Machine) -> Iterator[Problem]:
    here = "话务引擎"
    ports = {"SIP": machine.sip_port, "ARI": machine.ari_port, "WSS": machine.wss_port or 65535}
    said = [f"{what} 端口 {port} 不对，应在 1–65535 之间" for what, port in ports.items() if not 1 <= port <= 65535]
    if len(set(ports.values())) < len(ports):
        said.append(f"端口重复：{ports}")
    if not 1024 <= machine.rtp_first < machine.rtp_last <= 65535 or machine.rtp_last - machine.rtp_first < 100:
        said.append(f"RTP 端口 {machine.rtp_first}–{machine.rtp_last} 不对，至少要 100 个，且在 1024 以上")
    if not _is_address(machine.sip_host):
        said.append(f"监听地址 {machine.sip_host} 不是 IP 地址")
    if machine.external_address and not is_host(machine.external_address):
        said.append(f"外网地址 {machine.external_address} 不对")
    said += [f"内网网段 {net} 不对，写成 10.0.0.0/8 的样子" for net in machine.local_nets if not _is_net(net)]
    if not SECRET.fullmatch(machine.ari_password) or not NAME.fullmatch(machine.ari_user):
        said.append("内部口令不合格，请删去 secrets.json 里的 ari 后重启")
    paths = (machine.home, machine.recordings, machine.modules, machine.certificate, machine.key)
    said += [
        f"路径 {path} 含有话务引擎不能用的字符，请把 ANJU_HOME 换到只含字母、数字和 / . _ - 的目录"
        for path in paths
        if path is not None and not PATH.fullmatch(str(path))
    ]
    return (Problem(here, what) for what in said)


def _trunks(lines: Lines) -> Iterator[Problem]:
    for trunk in lines.trunks:
        for what in (*_who_it_is(trunk), *_where_it_goes(trunk)):
            yield Problem(f"中继 {trunk.name[:40]}", what)
    if not lines.trunks:
        yield Problem("中继", "还没有中继，外面的电话打不进来；在后台“中继”里添加", grave=False)


def _who_it_is(trunk: Trunk) -> Iterator[str]:
    if not NAME.fullmatch(trunk.name):
        yield "名称只能用字母、数字、点、横线"
    user, secret = (GIVEN_USER, GIVEN_SECRET) if trunk.known_by_place else (NAME, SECRET)
    if trunk.user and not user.fullmatch(trunk.user):
        yield "用户名只能用字母、数字、点、横线"
    if trunk.user and not secret.fullmatch(trunk.secret):
        if trunk.known_by_place:
            yield "密码照运营商给的填写，不能有空格、分号和反斜线"
        else:
            yield "密码须为 12–128 位字母、数字或 _.~+/=-"
    if not trunk.user and not trunk.addresses:
        yield "既没有用户名密码，也没有对端地址，谁都可以冒充；请填其中一项"
    for address in trunk.addresses:
        if not (is_host(address) or _is_net(address)):
            yield f"对端地址 {address[:60]} 不是 IP 地址或网段"


def _where_it_goes(trunk: Trunk) -> Iterator[str]:
    if trunk.host and not is_host(trunk.host):
        yield f"对端主机 {trunk.host[:60]} 不对"
    if not 1 <= trunk.port <= 65535:
        yield f"端口 {trunk.port} 不对"
    if trunk.transport not in {"udp", "tcp"}:
        yield f"传输方式 {trunk.transport[:10]} 不对，应为 udp 或 tcp"
    if trunk.caller_number and not NUMBER.fullmatch(trunk.caller_number):
        yield f"外显号码 {trunk.caller_number[:30]} 不对，只能是数字"
    if trunk.registers and not (trunk.host and trunk.user):
        yield "要注册到运营商，须填对端主机、用户名和密码"


def _numbers(lines: Lines) -> Iterator[Problem]:
    for number in lines.numbers:
        if not NUMBER.fullmatch(number.number):
            yield Problem(f"接入号 {number.number[:30]}", "只能是数字，最多 20 位")
    for text in lines.rescue_numbers:
        if not NUMBER.fullmatch(text):
            yield Problem(f"兜底号码 {text[:30]}", "只能是数字，最多 20 位")
        elif text in NOBODY_BY_ITSELF:
            yield Problem(f"兜底号码 {text}", "系统从不自动拨打 110、119、120")
        elif lines.way_out(text) is None:
            yield Problem(f"兜底号码 {text}", "没有能呼出这个号码的中继，应急时拨不出去", grave=False)
    if not any(n.emergency for n in lines.numbers):
        yield Problem("接入号", "还没有紧急接入号；在后台“接入号”里添加", grave=False)


def _seats(lines: Lines) -> Iterator[Problem]:
    for seat in lines.seats:
        here = f"座席 {seat.extension[:20]}"
        if not EXTENSION.fullmatch(seat.extension):
            yield Problem(here, "座席号须为 2–8 位数字")
        if not SECRET.fullmatch(seat.secret):
            yield Problem(here, "密码须为 12–128 位字母、数字或 _.~+/=-")
        if not SHOWN.fullmatch(seat.name):
            yield Problem(here, "姓名里有话务引擎不能用的符号")
    for phone in lines.phones:
        here = f"一键电话 {phone.name[:40]}"
        if not NAME.fullmatch(phone.name) or not SECRET.fullmatch(phone.secret) or not DEVICE.fullmatch(phone.device):
            yield Problem(here, "账号或密码不合格：账号用字母数字，密码 12 位以上")
        if phone.number and not NUMBER.fullmatch(phone.number):
            yield Problem(here, f"号码 {phone.number[:30]} 不对，只能是数字")
    if not any(s.rescue for s in lines.seats):
        yield Problem("座席", "没有座席：程序停止时电话没有人接；给接警员填座席号", grave=False)


def _names(lines: Lines) -> Iterator[Problem]:
    """A name is used once: the engine keeps trunks, seats and phones in one drawer."""
    rows = [("中继", t.name) for t in lines.trunks] + [("座席", s.extension) for s in lines.seats]
    rows += (
        [("座席", s.account) for s in lines.seats]
        + [("一键电话", p.name) for p in lines.phones]
        + [("中继用户名", t.line) for t in lines.trunks if t.line != t.name]
    )
    seen: dict[str, str] = {}
    for kind, name in rows:
        if not name:
            continue
        if name in RESERVED:
            yield Problem(f"{kind} {name}", "这个名称由系统占用，请换一个")
        if name in seen:
            yield Problem(f"{kind} {name}", f"与{seen[name]}重名，请换一个")
        seen.setdefault(name, kind)
    numbers = [n.number for n in lines.numbers]
    for number in sorted({n for n in numbers if numbers.count(n) > 1}):
        yield Problem(f"接入号 {number}", "重复")
