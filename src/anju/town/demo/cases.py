"""Last week's emergencies and repairs, made by the same moves as real ones, each at its own time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.alarms import actions as alarms
from anju.alarms.rules import RULES
from anju.devices import queries as devices
from anju.devices.queries import DeviceInfo
from anju.fieldwork import actions as fieldwork
from anju.incidents import actions as incidents
from anju.incidents import queries as cases
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.signals import actions as signals
from anju.signals.signal import HistoryRow
from anju.town.people import HomeSeed

Step = tuple[float, str, str, dict[str, Any]]
"""Seconds after the alarm, who (agent1 …), the move or verb, and what goes with it (`note` apart, the rest is data)."""


@dataclass(frozen=True, slots=True)
class Story:
    """One emergency: which home, how many days ago, at what time, and what was done."""

    home: int
    days: int
    at: tuple[int, int]
    steps: tuple[Step, ...]
    again: float = 0.0  # pressed a second time after so many seconds
    drill: bool = False


def _visit(days: float, who: str, state: str, cause: str, needs: str = "") -> Step:
    return days * 86400, who, "revisited", {"state": state, "cause": cause, "mood": "平稳", "needs": needs}


STORIES = (
    Story(
        0,
        5,
        (9, 41),
        (
            (6, "agent1", "accept", {}),
            (24, "agent2", "take:B", {}),
            (35, "agent1", "say", {"text": "老人应答：在卫生间滑倒，左腿动不了"}),
            (58, "agent1", "needs_help", {"kind": "fallen", "note": "左腿动不了，疼"}),
            (74, "agent1", "call_120", {"sent": True, "eta_minutes": 12, "note": "120 已派车"}),
            (120, "agent1", "call:0", {}),
            (150, "agent1", "told:no_answer", {}),
            (200, "agent1", "call:1", {}),
            (230, "agent1", "told:coming_with_key", {"eta_minutes": 25}),
            (780, "agent1", "arrived", {"finding": "救护车与网格员到场，已开门"}),
            (1380, "agent1", "to_hospital", {"hospital": "望潮医院", "escort": "儿子"}),
            _visit(2.1, "agent1", "左髋骨裂，住院治疗", "卫生间地面湿滑", "出院后评估加装扶手"),
        ),
        again=40.0,
    ),
    Story(
        5,
        6,
        (14, 12),
        ((4, "agent2", "accept", {}), (41, "agent2", "false_alarm", {"class": "mis_press", "note": "擦桌子碰到按钮"})),
    ),
    Story(
        8,
        4,
        (20, 5),
        (
            (9, "agent1", "accept", {}),
            (62, "agent1", "safe", {"note": "想问配药的事，已转社区"}),
            _visit(1.0, "agent2", "都好", "想问配药", "社区代配药"),
        ),
    ),
    Story(
        20,
        3,
        (6, 33),
        (
            (7, "agent2", "accept", {}),
            (70, "agent2", "no_answer", {"note": "电话响了 8 声没人接"}),
            (95, "agent2", "call:0", {}),
            (130, "agent2", "told:coming_with_key", {"eta_minutes": 10}),
            (690, "agent2", "arrived", {"finding": "家属开门，老人在阳台没听见"}),
            (760, "agent2", "safe_at_home", {"note": "听力差，没听见电话"}),
            _visit(1.4, "agent1", "平安", "没听见电话", "换大铃声电话"),
        ),
    ),
    Story(
        30,
        6,
        (2, 17),
        (
            (11, "agent1", "accept", {}),
            (40, "agent1", "silent_line", {"note": "接通后无人说话"}),
            (75, "agent1", "call_back", {"answered": False}),
            (140, "agent1", "call_back", {"answered": False}),
            (190, "lead1", "call_110", {"note": "上门核实"}),
            (1290, "agent1", "withdraw", {"note": "民警到门口，老人开门说睡着压到按钮，人没事"}),
            _visit(1.0, "agent1", "平安", "睡觉压到按钮", "按钮改挂床头"),
        ),
    ),
    Story(
        44,
        2,
        (11, 8),
        (
            (5, "agent2", "accept", {}),
            (50, "agent2", "needs_help", {"kind": "medical", "note": "头晕"}),
            (66, "agent2", "call_120", {"sent": True, "eta_minutes": 15}),
            (960, "agent2", "arrived", {"finding": "血压 172/96，意识清楚"}),
            (1500, "agent2", "refused", {"note": "女儿在场，本人不愿去医院，服药后好转"}),
        ),
    ),
    Story(
        52,
        1,
        (16, 40),
        ((8, "agent1", "accept", {}), (33, "agent1", "false_alarm", {"class": "child", "note": "外孙玩按钮"})),
    ),
    Story(61, 1, (19, 22), ((6, "agent2", "accept", {}), (80, "agent2", "safe", {"note": "灯坏了害怕，已请物业"}))),
    Story(70, 4, (10, 2), (), drill=True),
)


def make(seeds: list[HomeSeed], until: datetime) -> int:
    """All stories and repairs; answers how many cases there are."""
    people = _people("agent1", "agent2", "lead1")
    rows: list[HistoryRow] = []
    for story in sorted(STORIES, key=lambda s: (-s.days, s.at)):  # numbers grow with time
        if story.home < len(seeds) and (button := _button(seeds[story.home])):
            rows += _tell(story, button, people, until)
    signals.load_history(rows)
    return len(rows) + _repairs(seeds, until)


def _people(*names: str) -> dict[str, Actor]:
    return {user.username: accounts.actor_of(user) for user in User.objects.filter(username__in=names)}


def _button(seed: HomeSeed) -> DeviceInfo | None:
    imeis = [d.imei for d in seed.devices if d.kind == "sos"]
    return next(iter(devices.by_keys(imeis).values()), None)


def _tell(story: Story, button: DeviceInfo, people: dict[str, Actor], until: datetime) -> list[HistoryRow]:
    day = clock.local(until).date() - timedelta(days=story.days)
    start = datetime.combine(day, time(*story.at, 37), clock.SHANGHAI)
    rows = [_press(button, start, drill=story.drill)]
    case = cases.open_of_home(button.home_id) if button.home_id and not story.drill else None
    steps: list[tuple[float, Callable[[], object]]] = (
        [(story.again, lambda: rows.append(_press(button, clock.now())))] if story.again else []
    )
    if case is not None:
        steps += [(after, _do(case, people[who], verb, given)) for after, who, verb, given in story.steps]
    for after, act in sorted(steps, key=lambda step: step[0]):
        moment = start + timedelta(seconds=after)
        if moment < until:
            with clock.pretend(moment), transaction.atomic():
                act()
    return rows


def _press(button: DeviceInfo, at: datetime, *, drill: bool = False) -> HistoryRow:
    heard = at + timedelta(seconds=1)
    with clock.pretend(heard), transaction.atomic():
        alarm = alarms.raise_or_join(
            rule=RULES["sos"], at=at, received_at=heard, source=button.source, place=button.place, home_id=button.home_id,
            device_id=button.id, lco=button.lco, where=button.position, drill=drill,
        )  # fmt: skip
    outcome = {"joined": "joined", "drill": "drill"}.get(alarm.state, "opened")
    return HistoryRow(
        received_at=heard, at=at, source=button.source, device_id=button.id, device_key=button.imei, home_id=button.home_id,
        place=button.place, kind="sos", dty="0004", stc="0010", lco=button.lco, outcome=outcome, reason=alarm.join_reason,
        alarm_id=alarm.pk,
    )  # fmt: skip


def _do(case: int, who: Actor, verb: str, given: dict[str, Any]) -> Callable[[], object]:
    data = {k: v for k, v in given.items() if k != "note"}
    note = str(given.get("note", ""))
    name, _, what = verb.partition(":")
    if name == "take":
        return lambda: incidents.take_seat(incident_id=case, seat=what, by=who)
    if name == "say":
        return lambda: incidents.note(incident_id=case, by=who, text=given["text"])
    if name == "call":
        return lambda: incidents.call_contact(incident_id=case, rung=int(what), by=who)
    if name == "told":
        return lambda: incidents.contact_result(
            attempt_id=_ringing(case), result=what, by=who, eta_minutes=given.get("eta_minutes")
        )
    return lambda: incidents.move(incident_id=case, move=name, by=who, note=note, data=data)


def _ringing(case: int) -> int:
    live = [
        r.attempt_id for r in cases.case(case, {Role.AGENT}).ladder if r.state == "ringing" and r.attempt_id is not None
    ]
    return live[0]


# ---- repairs ----
REPAIR: tuple[tuple[float, str, str, dict[str, Any]], ...] = (
    (0.3, "lead1", "accept", {}), (0.6, "dispatcher1", "assign", {}), (1.2, "installer1", "contacted", {}),
    (4.0, "installer1", "arrive", {}), (4.2, "installer1", "duty:tested", {}), (4.3, "installer1", "repaired", {"found": "更换电池，现场测试正常"}),
    (20.0, "agent1", "satisfied", {}), (20.5, "installer1", "archive", {}),
)  # fmt: skip
"""Hours after the report, who, what."""


def _repairs(seeds: Iterable[HomeSeed], until: datetime) -> int:
    people = _people("agent1", "lead1", "dispatcher1", "installer1")
    low = [d.imei for seed in seeds for d in seed.devices if d.trouble == "low"]
    known = devices.by_keys(low)
    count = 0
    for n, imei in enumerate(low[:9]):
        info = known.get(imei)
        if info is None or info.home_id is None:
            continue
        hours, steps = ((90 + 9 * n, len(REPAIR)), (5.0, 3), (0.4, 1), (0.1, 0))[min(n // 2, 3)]
        _repair(info, until - timedelta(hours=hours), REPAIR[:steps], people, until)
        count += 1
    return count


def _repair(
    info: DeviceInfo,
    at: datetime,
    steps: Iterable[tuple[float, str, str, dict[str, Any]]],
    people: dict[str, Actor],
    until: datetime,
) -> None:
    with clock.pretend(at), transaction.atomic():
        alarm = alarms.raise_or_join(
            rule=RULES["battery"], at=at, received_at=at, source=info.source, place=info.place, home_id=info.home_id,
            device_id=info.id, lco=info.lco, where=info.position, note="电量 12%",
        )  # fmt: skip
    signals.load_history([HistoryRow(
        received_at=at, at=at, source=info.source, device_id=info.id, device_key=info.imei, home_id=info.home_id, place=info.place,
        kind="battery", dty="0004", stc="0016", lco=info.lco, value=12, outcome="opened", alarm_id=alarm.pk,
    )])  # fmt: skip
    order = alarm.case_id
    if order is None:
        return
    for hours, who, verb, given in steps:
        moment = at + timedelta(hours=hours)
        if moment >= until:
            return
        data = dict(given)
        if verb == "assign":
            data["assignee"] = people["installer1"].user_id
        if verb == "contacted":
            data["appointment_at"] = (moment + timedelta(hours=2.5)).isoformat()
        with clock.pretend(moment), transaction.atomic():
            if verb.startswith("duty:"):
                fieldwork.tick(order, verb[5:], people[who])
            else:
                fieldwork.move(order, verb, people[who], note="换电池", data=data)
