"""Signals of a home → numbers for the SVG of the activity strip and the 30-day map. Pure; the templates only place them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from anju.devices import totals
from anju.devices.queries import DeviceHealth
from anju.signals import activity
from anju.signals.activity import Happening

DAYS = 30
SLOTS = 96
_LEVELS = (3, 6, 10)  # motions in a quarter of an hour: level 1 below 3, 2 below 6, 3 below 10, else 4


@dataclass(frozen=True, slots=True)
class Strip:
    """Today from 0 to 24 h; x values are percent of the day as text, e.g. "59.72%"."""

    moves: list[str]
    doors: list[str]
    calls: list[str]
    deaf: list[tuple[str, str]]
    now_x: str
    rest: str
    now_text: str
    now_left: bool
    band: str


@dataclass(frozen=True, slots=True)
class Heat:
    """Thirty days: one path for each level in a box of 96 × 30, hatched spans (percent), labels of rows, usual edges."""

    levels: list[tuple[int, str]]
    deaf: list[tuple[float, float, float]]  # x, y, width in units of the plot (584 × 210)
    labels: list[tuple[float, str]]
    up_x: float | None
    bed_x: float | None
    edges: str
    said: str


def _x(at: datetime, zone: tzinfo) -> str:
    here = at.astimezone(zone)
    return f"{(here.hour * 3600 + here.minute * 60 + here.second) / 864:.2f}%"


def strip(events: Sequence[Happening], heard: Sequence[datetime], now: datetime, zone: tzinfo) -> Strip:
    """The figure of today. `events` are those of the last 30 days; `heard` every sign of any device today."""
    here = now.astimezone(zone)
    midnight = datetime.combine(here.date(), time(), zone)
    today = [e for e in events if e.at >= midnight]
    now_x = (now - midnight).total_seconds() / 864
    return Strip(
        moves=[_x(e.at, zone) for e in today if e.kind in activity.MOVES],
        doors=[_x(e.at, zone) for e in today if e.kind in activity.DOORS],
        calls=[_x(e.at, zone) for e in today if e.kind == "sos"],
        deaf=[
            (_x(a, zone), f"{(b - a).total_seconds() / 864:.2f}%") for a, b in activity.deaf_spans(heard, midnight, now)
        ],
        now_x=f"{now_x:.2f}%",
        rest=f"{max(0.0, 100 - now_x):.2f}%",
        now_text=f"现在 {here:%H:%M}",
        now_left=now_x > 20,
        band=_band(activity.average_day(events, here.date(), zone)),
    )


def _band(averages: Sequence[float]) -> str:
    """A soft hill of the usual day in a box of 1440 × 100."""
    if not averages:
        return ""
    top = max(averages) or 1.0
    step = 1440 / len(averages)
    heights = [96 - 88 * value / top for value in averages]
    path, x = f"M0 100L0 {heights[0]:.1f}", 0.0
    for i, height in enumerate(heights):
        middle = (i + 0.5) * step
        path += f"C{(x + middle) / 2:.0f} {heights[max(i - 1, 0)]:.1f} {(x + middle) / 2:.0f} {height:.1f} {middle:.0f} {height:.1f}"
        x = middle
    return path + f"L1440 {heights[-1]:.1f}L1440 100Z"


def heat(events: Sequence[Happening], heard: Sequence[datetime], now: datetime, zone: tzinfo) -> Heat:
    """The map of thirty days. Days before the first sign of the home are left white; later holes are hatched."""
    today = now.astimezone(zone).date()
    cells = activity.per_slot(events, DAYS, today, zone)
    edges = activity.day_edges(events, zone)
    first = today - timedelta(days=DAYS - 1)
    return Heat(
        levels=[(level, path) for level in (1, 2, 3, 4) if (path := _cells(cells, level))],
        deaf=list(_holes(heard, first, now, zone)),
        labels=[
            (7 * row + 9, "今日" if row == DAYS - 1 else f"{first + timedelta(days=row):%m-%d}")
            for row in (0, 10, 20, DAYS - 1)
        ],
        up_x=_edge_x(edges[0]) if edges else None,
        bed_x=_edge_x(edges[1]) if edges else None,
        edges=f"通常 {edges[0]:%H:%M} 起、{edges[1]:%H:%M} 睡" if edges else "不足 5 天，还看不出规律",
        said=f"{len({row for row, _ in cells})} 天有活动记录",
    )


def _edge_x(at: time) -> float:
    return round(40 + 584 * (at.hour * 60 + at.minute) / 1440, 1)


def _cells(cells: Mapping[tuple[int, int], int], level: int) -> str:
    mine = sorted(cell for cell, n in cells.items() if 1 + sum(n >= edge for edge in _LEVELS) == level)
    path, run = "", 0
    for i, (row, column) in enumerate(mine):
        run += 1
        if i + 1 < len(mine) and mine[i + 1] == (row, column + 1):
            continue
        path += f"M{column - run + 1} {row}h{run}v.86h-{run}z"
        run = 0
    return path


def _holes(heard: Sequence[datetime], first: date, now: datetime, zone: tzinfo) -> Iterable[tuple[float, float, float]]:
    if not heard:
        return
    start = max(min(heard), datetime.combine(first, time(), zone))
    for begin, end in activity.deaf_spans(heard, start, now):
        at = begin
        while at < end:
            midnight = datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time(), zone)
            until = min(end, midnight)
            day_start = midnight - timedelta(days=1)
            row = (at.astimezone(zone).date() - first).days
            x = 40 + 584 * (at - day_start).total_seconds() / 86400
            yield round(x, 1), round(4 + 7 * row, 1), round(584 * (until - at).total_seconds() / 86400, 1)
            at = until


def length(span: timedelta) -> str:
    """1 小时 32 分 · 55 分钟 · 3 天 4 小时."""
    minutes = max(0, round(span.total_seconds() / 60))
    if minutes < 60:
        return f"{minutes} 分钟"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} 小时 {rest} 分" if rest else f"{hours} 小时"
    return f"{hours // 24} 天 {hours % 24} 小时" if hours % 24 else f"{hours // 24} 天"


def ago(at: datetime | None, now: datetime) -> str:
    """刚刚 · 12 分前 · 3 小时前 · 4 天前 · 从未."""
    if at is None:
        return "从未"
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 1:
        return "刚刚"
    if minutes < 60:
        return f"{minutes} 分前"
    return f"{minutes // 60} 小时前" if minutes < 48 * 60 else f"{minutes // 1440} 天前"


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device as a table shows it; `tag` is (kind, icon, word)."""

    id: int
    home_id: int | None
    nth: int
    name: str
    position: str
    imei: str
    heard: str
    heard_at: datetime | None
    battery: str
    weak: bool
    bars: int
    rsrp: int | None
    cell_id: int | None
    firmware: str
    tags: list[tuple[str, str, str]]
    kind: str
    place: str
    tested: bool


NAMES = {
    "sos": "求助",
    "motion": "红外",
    "door": "门磁",
    "phone": "一键电话",
    "gas": "燃气",
    "smoke": "烟感",
    "fall": "跌倒",
}
_BARS = ((-85, 4), (-95, 3), (-105, 2), (-115, 1))


def devices(rows: Iterable[DeviceHealth], now: datetime) -> list[DeviceRow]:
    """Devices for a table, numbered from 1."""
    return [_device(n, row, now) for n, row in enumerate(rows, 1)]


def _device(nth: int, row: DeviceHealth, now: datetime) -> DeviceRow:
    tags = []
    if row.silent:
        tags.append(("deaf", "deaf", "失联"))
    if row.low:
        tags.append(("maint", "battery-low", "待换电"))
    if row.tamper:
        tags.append(("maint", "wrench", "被拆动"))
    weak = row.rsrp is not None and row.rsrp < totals.WEAK
    if weak and not row.silent:
        tags.append(("maint", "signal", "信号弱"))
    bars = 0 if row.rsrp is None else next((n for edge, n in _BARS if row.rsrp >= edge), 0)
    return DeviceRow(
        id=row.device.id, home_id=row.device.home_id, nth=nth, name=NAMES.get(row.device.kind, row.device.product_name),
        position=row.device.position, imei=row.device.imei, heard=ago(row.last_heard_at, now), heard_at=row.last_heard_at,
        battery="—" if row.battery is None else f"{row.battery}%", weak=weak, bars=bars, rsrp=row.rsrp, cell_id=row.cell_id,
        firmware=row.firmware,
        tags=tags or [("ok", "check", "正常")], kind=row.device.kind, place=row.device.place, tested=row.device.in_test(now),
    )  # fmt: skip


def sentence(state: activity.State, now: datetime, zone: tzinfo) -> tuple[str, str]:
    """Why the home is as its word says: what was last noticed, and what is usual. (plain, strong)."""
    if state.word == "停机":
        return "服务停机，不看起居；求助照常受理。", ""
    if state.last_heard is None:
        return "还没有收到过这户设备的信号。请看设备是否装好、通电。", ""
    if state.word == "失联":
        heard = state.last_heard.astimezone(zone)
        return (
            f"{heard:%m-%d %H:%M} 起已 {length(now - state.last_heard)}没有任何信号，不知道家里情况。",
            "先打电话问平安，再派人修。",
        )
    if state.last_move is None:
        return "设备有信号，近 30 天没有活动记录。请核对红外是否装好。", ""
    move = state.last_move.at.astimezone(zone)
    when = f"{move:%H:%M}" if move.date() == now.astimezone(zone).date() else f"{move:%m-%d %H:%M}"
    room = ROOMS.get(state.last_move.lco, "")
    text = f"家里自 {when}{f'（{room}）' if room else ''}起已 {length(now - move)}无活动"
    if now - move <= activity.LIVELY:
        text = f"最近一次活动在 {when}{f'（{room}）' if room else ''}，{length(now - move)}前"
    if state.last_door:
        door = state.last_door.at.astimezone(zone)
        text += f"，入户门 {door:%m-%d %H:%M} {'打开' if state.last_door.kind == 'door_open' else '关上'}后未再动"
    if state.usual is None:
        return text + "；", "记录不足 5 天，还说不出平日规律。"
    return (
        text + f"；按近 {state.usual.days} 天的规律，",
        f"这个时段通常 {length(state.usual.half)}内会有活动，95% 不超过 {length(state.usual.most)}。",
    )


ROOMS = {"011": "卫生间", "012": "卧室", "021": "厨房", "039": "入户门", "043": "客厅"}
