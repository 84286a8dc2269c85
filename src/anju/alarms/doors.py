"""The entrance door of each home: not opened for too long, left open (SEN-02). Swept beside the silence.

Milder than silence: the robot asks her first. A door that is not heard says nothing here; it is a repair (DEV-05).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from anju.alarms import actions, door
from anju.alarms.door import DoorRhythm
from anju.alarms.facts import ElderAsked
from anju.alarms.models import HomeWatch
from anju.alarms.more_models import HomeDoor
from anju.alarms.rows import DOORS, local
from anju.alarms.rules import PLATFORM, RULES, Rule
from anju.devices import queries as devices
from anju.devices.queries import DeviceInfo
from anju.elders import queries as elders
from anju.kernel import clock
from anju.kernel.facts import announce
from anju.signals.signal import Heard, Signal

AGAIN: Final = timedelta(hours=1)
ANSWERED: Final = timedelta(hours=24)
"""After her key press she is not asked about the door for so long."""
STILL_WAITS: Final = timedelta(hours=4)
"""Between the robot's question and the agent, for a door that stays shut."""
AJAR_WAITS: Final = timedelta(minutes=20)
NIGHT_PRIORITY: Final = 5
ASK_STILL: Final = "这里是安居中心，您家的门有一阵子没有开过了。没事请按 1，要人帮忙请按 2。"
ASK_AJAR: Final = "这里是安居中心，您家的门一直开着，请看一下关好没有。没事请按 1，要人帮忙请按 2。"


def hear(batch: Iterable[tuple[Heard, DeviceInfo | None]]) -> int:
    """Door events of a batch; answers how many homes they touched. Only homes that are watched."""
    by_home: dict[int, list[tuple[Signal, DeviceInfo]]] = {}
    for heard, device in batch:
        if device is None or device.home_id is None or device.kind != "door" or device.status != "installed":
            continue
        if heard.source == PLATFORM or device.in_test(heard.received_at):
            continue
        moves = [(s, device) for s in heard.signals or () if s.kind in DOORS]
        if moves:
            by_home.setdefault(device.home_id, []).extend(moves)
    if not by_home:
        return 0
    watched = HomeWatch.objects.filter(home_id__in=list(by_home), watched=True).values_list("home_id", "paused_until")
    paused = {h: p is not None and p > clock.now() for h, p in watched}
    rows = {
        r.home_id: r
        for r in HomeDoor.objects.select_for_update(of=("self",)).filter(home_id__in=sorted(paused)).order_by("home_id")
    }
    for home_id in sorted(paused):
        row = rows.get(home_id)
        moves = sorted(by_home[home_id], key=lambda m: m[0].at)
        if row is None:
            first = moves[0][0].at
            row = HomeDoor(home_id=home_id, place=moves[0][1].place, opened_at=first, still_at=first)
        for signal, device in moves:
            _move(row, signal, device, learning=not paused[home_id])
        _aim(row)
        row.save()
    return len(paused)


def _move(row: HomeDoor, signal: Signal, device: DeviceInfo, *, learning: bool) -> None:
    learnt, at = DoorRhythm.of(row.learnt), signal.at.timestamp()
    opened: dict[str, float] = dict(row.learnt.get("open", {}))
    last: dict[str, float] = dict(row.learnt.get("last", {}))
    name = str(device.id)
    if at < last.get(name, 0.0):  # it comes late: what was said afterwards holds
        return
    last[name] = at
    day, _ = local(at)
    if signal.kind == "door_open" and name not in opened:
        hours = (at - row.opened_at.timestamp()) / door.HOUR
        if learning and "still" not in row.raised:
            learnt.shut_for(hours=hours, day=day)
        opened[name] = at
        row.opened_at, row.device_id = signal.at, device.id
        row.raised = [r for r in row.raised if r not in {"still", "still_asked"}]
    elif signal.kind == "door_closed" and name in opened:
        since = opened.pop(name)
        if learning and "ajar" not in row.raised:
            _, tod = local(since)
            learnt.open_for(minutes=(at - since) / 60, day=day, part=door.part_of(tod))
        if "ajar" in row.raised:
            actions.note_reset(device_id=device.id, at=signal.at)
        row.raised = [r for r in row.raised if r not in {"ajar", "ajar_asked"}]
    row.learnt = {**learnt.packed(), "open": opened, "last": last}


def _aim(row: HomeDoor) -> None:
    learnt = DoorRhythm.of(row.learnt)
    opened: dict[str, float] = row.learnt.get("open", {})
    row.is_open = bool(opened)
    row.open_since = _moment(min(opened.values())) if opened else None
    row.still_at = _moment(door.still_at(row.opened_at.timestamp(), learnt, local))
    row.ajar_at = _moment(door.ajar_at(min(opened.values()), learnt, local)) if opened else None
    row.look_at = _next(row)


def _next(row: HomeDoor) -> datetime | None:
    """When the sweep must look: each rule first asks her, then tells an agent, once."""
    said, found = set(row.raised), []
    if "still" not in said and not row.is_open:
        found.append(row.still_at + STILL_WAITS if "still_asked" in said else row.still_at)
    if row.ajar_at is not None and "ajar" not in said:
        found.append(row.ajar_at + AJAR_WAITS if "ajar_asked" in said else row.ajar_at)
    return min(found, default=None)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def answered(*, home_id: int, at: datetime) -> None:
    """She pressed a key: nobody asks about a shut door for a day. A door that stands open is still open."""
    for row in HomeDoor.objects.select_for_update(of=("self",)).filter(
        home_id=home_id, raised__contains=["still_asked"]
    ):
        row.raised = [r for r in row.raised if r not in {"still_asked", "still"}]
        row.still_at = max(row.still_at, at + ANSWERED)
        row.look_at = _next(row)
        row.save(update_fields=["raised", "still_at", "look_at"])


# ---- the sweep


def sweep(limit: int = 500) -> int:
    """Ask, or tell an agent, about the doors that are due; answers how many."""
    now, done = clock.now(), 0
    ids = list(HomeDoor.objects.filter(look_at__lte=now).order_by("look_at").values_list("home_id", flat=True)[:limit])
    for home_id in ids:
        with transaction.atomic():
            rows = HomeDoor.objects.select_for_update(skip_locked=True, of=("self",))
            row = rows.filter(home_id=home_id, look_at__lte=now).first()
            if row is not None:
                done += _look(row, now)
                row.save(update_fields=["raised", "look_at"])
    return done


def _look(row: HomeDoor, now: datetime) -> int:
    watch = HomeWatch.objects.filter(home_id=row.home_id).first()
    later = _not_now(row, watch, now)
    if later is not None or watch is None:
        row.look_at = later
        return 0
    done = 0
    if row.is_open and row.ajar_at is not None and row.ajar_at <= now and "ajar" not in row.raised:
        done += _ajar(row, now)
    elif not row.is_open and row.still_at <= now and "still" not in row.raised:
        done += _still(row, watch, now)
    row.look_at = _next(row)
    if row.look_at is not None and row.look_at <= now:
        row.look_at = now + AGAIN
    return done


def _not_now(row: HomeDoor, watch: HomeWatch | None, now: datetime) -> datetime | None:
    """Until when this door is let be: the home is paused, she is out, the contact is not heard."""
    if watch is None or not watch.watched:
        return now + timedelta(days=1)
    if watch.paused_until is not None and watch.paused_until > now:
        return watch.paused_until
    if not any(s.device.kind == "door" and not s.silent for s in devices.of_home(row.home_id)):
        return now + AGAIN
    return now + AGAIN if watch.mode and not row.is_open else None


def _still(row: HomeDoor, watch: HomeWatch, now: datetime) -> int:
    since = f"{_who(row.home_id)}入户门自 {_clock(row.opened_at)} 起没有开过"
    life = f"；屋内最近一次活动 {_clock(watch.last_life_at)}" if watch.last_life_at is not None else ""
    if "still_asked" not in row.raised:
        row.raised = [*row.raised, "still_asked"]
        return _ask(row, f"{since}{life}。", ASK_STILL)
    if now < row.still_at + STILL_WAITS:
        return 0
    row.raised = [*row.raised, "still"]
    usual = f"她家平时开门间隔很少超过 {DoorRhythm.of(row.learnt).still(local(now.timestamp())[0]):.0f} 小时"
    return _raise(row, RULES["door_still"], row.still_at, f"{since}，机器人问候没有应答；{usual}{life}。")


def _ajar(row: HomeDoor, now: datetime) -> int:
    since = row.open_since or row.opened_at
    text = f"{_who(row.home_id)}入户门自 {_clock(since)} 起一直开着"
    rule = RULES["door_ajar"]
    at_night = door.part_of(local(now.timestamp())[1]) == "night"
    if at_night:
        rule = Rule(rule.kind, "入户门夜间未关", NIGHT_PRIORITY, rule.dty, rule.stc)
    elif "ajar_asked" not in row.raised:
        row.raised = [*row.raised, "ajar_asked"]
        return _ask(row, f"{text}。", ASK_AJAR)
    elif row.ajar_at is not None and now < row.ajar_at + AJAR_WAITS:
        return 0
    row.raised = [*row.raised, "ajar"]
    minutes = DoorRhythm.of(row.learnt).ajar("night" if at_night else "day")
    return _raise(row, rule, row.ajar_at or now, f"{text}；这个时段平时不超过 {minutes:.0f} 分钟。")


def _ask(row: HomeDoor, sentence: str, says: str) -> int:
    elder = elders.main_elder(row.home_id)
    if elder is not None:
        announce(ElderAsked(row.home_id, elder.pk, row.place, sentence, says))
    return 1


def _raise(row: HomeDoor, rule: Rule, at: datetime, note: str) -> int:
    actions.raise_or_join(
        rule=rule, at=at, received_at=clock.now(), source=PLATFORM, place=row.place, home_id=row.home_id,
        device_id=row.device_id, note=note,
    )  # fmt: skip
    return 1


def _who(home_id: int) -> str:
    elder = elders.main_elder(home_id)
    return f"{elder.name}家" if elder is not None else "该户"


def _clock(at: datetime) -> str:
    local_at = clock.local(at)
    return (
        f"{local_at:%H:%M}"
        if local_at.date() == clock.today()
        else f"{local_at.month} 月 {local_at.day} 日 {local_at:%H:%M}"
    )


def of_home(home_id: int) -> HomeDoor | None:
    """The door of a home in the asker's scope, for its page."""
    return HomeDoor.objects.filter(home_id=home_id).first()
