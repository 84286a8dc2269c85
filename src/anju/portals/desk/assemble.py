"""What each part of the desk shows: asks the modules and hands plain values to the templates."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Any

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.alarms import storms
from anju.calls import queries as calls
from anju.calls.planned import queries as planned
from anju.devices import queries as devices
from anju.elders import lists
from anju.elders import queries as elders
from anju.incidents import queries as incidents
from anju.incidents.views import CaseView, QueueRow
from anju.kernel import clock
from anju.knowledge import queries as knowledge
from anju.knowledge.sop import queries as sop
from anju.portals.desk import homemap, homes, presence, present
from anju.signals import queries as signals
from anju.supervision.contacts import queries as contacts

TABS = (("file", "档案"), ("aid", "急救卡"), ("devices", "设备"), ("earlier", "既往"), ("map", "地图"))


def page(user: User) -> dict[str, Any]:
    """The frame around everything."""
    roles = accounts.roles_of(user)
    posts = " · ".join(sorted(role.label for role in roles))
    return {
        "now": clock.now(),
        "me": {"id": user.pk, "name": user.name, "seat_number": user.seat_number, "posts": posts},
    }


def queue(user: User, shown: Set[str] = frozenset()) -> dict[str, Any]:
    """The queue and who else is on duty. `shown`: versions of cards that the page has already."""
    rows, now = incidents.queue(accounts.roles_of(user), user.pk), clock.now()
    return {
        "now": now, "rows": rows, "groups": present.groups(rows, now, shown),
        "ringing": max(present.ringing(rows), DISTRESS if contacts.urgent_waiting() else -1),
        "seats": colleagues(user, rows), **({} if rows else _nothing(user, now)),
    }  # fmt: skip


def _nothing(user: User, now: datetime) -> dict[str, str]:
    """An empty queue proves that somebody listens."""
    heard = max((source.last_at for source in signals.sources()), default=None)
    return {"last_case": _last_case(user), "proof": f"最近信号 {present.ago_short(now - heard)}前" if heard else ""}


def _last_case(user: User) -> str:
    last = next(iter(incidents.page(accounts.roles_of(user), limit=1)), None)
    if last is None:
        return ""
    who = f"，{last.a_seat}已处置" if last.a_seat else ""
    return f"上次 {present.day_time(last.opened_at, clock.now())} {last.kind_label}{who}"


def colleagues(user: User, rows: list[QueueRow]) -> list[dict[str, str]]:
    """The other seats: on a case, here and free, or away."""
    people = {u.id: u for u in accounts.seated({Role.AGENT, Role.LEAD}, places=_posts(user))}
    on_a, on_b, here = (
        {r.a_seat for r in rows if r.state != "follow_up"},
        {r.b_seat for r in rows if r.state != "follow_up"},
        presence.here(),
    )
    telephones = {s.user_id: s.state for s in calls.seats()}
    found = []
    for one in sorted(people.values(), key=lambda u: (u.id not in here, u.seat_number, u.id)):
        word, kind = SEAT_WORDS.get(telephones.get(one.id, ""), ("在席", "ok"))
        if one.id not in here and one.id != user.pk:
            word, kind = "离席", "mute"
        if one.name in on_a:
            word, kind = "处置", "emergency"
        elif one.name in on_b:
            word, kind = "陪护", "emergency"
        if not one.seat_number and word != "处置":
            continue  # a machine that holds the post, not a person at a desk
        found.append({"number": one.seat_number, "name": one.name, "word": word, "kind": kind})
    return found[:12]


SEAT_WORDS = {
    "ready": ("空闲", "ok"), "ringing": ("振铃", "warn"), "talking": ("通话", "work"), "wrap_up": ("整理", "mute"), "break": ("小休", "mute"),
}  # fmt: skip
"""Of the telephone; who has the desk open without one is 在席."""


def _posts(user: User) -> list[str]:
    return [post.place for post in accounts.posts_of(user)]


def version_of(view: CaseView) -> str:
    """Changes with every change of the case: state, last line, ticks, seats. A press carries it (see press.py)."""
    head = view.incident
    last = max((entry.id for entry in view.timeline), default=0)
    ticks = sum(duty.times for duty in view.duties)
    tries = sum(rung.attempts for rung in view.ladder)
    return f"{head.state}.{last}.{ticks}.{tries}.{head.a_seat_id or 0}.{head.b_seat_id or 0}"


def case(user: User, incident_id: int) -> dict[str, Any]:
    """One case as the page draws it."""
    view = incidents.case(incident_id, accounts.roles_of(user), user.pk)
    head, plan, now = view.incident, view.plan, clock.now()
    elder, home = plan.get("elder") or {}, plan.get("home") or {}
    primary, others, dials = present.split_moves(view)
    closed = head.state == "closed"
    look = (
        "work" if head.drill or head.state in {"follow_up", "closed"} else "emergency" if head.priority >= 7 else "warn"
    )
    about = " · ".join(p for p in (head.sex, f"{head.age} 岁" if head.age else "", elder.get("kind_label", "")) if p)
    drawn = {
        "id": head.id, "number": head.number, "version": version_of(view), "look": look, "icon": present.icon_of(head.kind_label),
        "ring_kind": "emergency" if look == "emergency" else "", "kind_label": head.kind_label, "drill": head.drill,
        "state": head.state, "state_label": head.state_label, "elder_name": head.elder_name, "elder_id": head.elder_id, "about": about,
        "hearing_note": elder.get("hearing_note", ""), "where": home.get("address") or head.where, "position": _position(view),
        "first_alarm_at": head.first_alarm_at, "closed_at": head.closed_at,
        "due_at": None if closed else view.due_at, "due_total": view.due_total,
        "due_label": f"后：{view.due_label}" if view.due_label else "", "primary": primary, "others": others, "dials": dials,
        "steps": present.steps(view), "seats": present.seats(view, user.pk, now), "authority": authority(view),
        "ladder": [present.ladder_rung(r) for r in view.ladder], "timeline": [present.entry_row(e) for e in view.timeline],
        "bells": view.bells, "sheet": present.sheet_lines(view.sheet.lines), "spoken": view.sheet.spoken, "seconds": view.sheet.seconds,
        "tabs": tabs(view), "strip": strip(head.home_id, now), "outcome": head.outcome, "previous": head.previous_number,
        "previous_id": head.previous_id, "unknown": head.home_id is None and head.kind != "storm" and head.state not in {"follow_up", "closed"},
        "storm": _storm(user, incident_id) if head.kind == "storm" else None,
    }  # fmt: skip
    return {
        "now": now,
        "case": drawn,
        "file": file(user, head.elder_id, home),
        "moves": {m.name: m for m in [primary, *others] if m},
    }


def _storm(user: User, incident_id: int) -> dict[str, Any] | None:
    """The outage behind the case: how many are blind, how many nobody has reached, and whom to ring first."""
    storm = storms.of_case(incident_id)
    if storm is None:
        return None
    rows, _ = storms.call_list(storm.pk, size=STORM_FIRST)
    names = lists.labels_of((r.home_id for r in rows), accounts.roles_of(user))
    return {
        "id": storm.pk, "label": storms.label(storm.kind, storm.key), "over": storm.ended_at, "counts": storms.counts(storm.pk),
        "first": [(r, names.get(r.home_id)) for r in rows if r.back_at is None],
    }  # fmt: skip


def _position(view: CaseView) -> str:
    """Where in the home, if the kind does not say so already; else the community, which the short address leaves out."""
    where = str((view.plan.get("alarm") or {}).get("where") or "")
    if where and where not in view.incident.kind_label:
        return where
    return view.incident.place_name if (view.plan.get("home") or {}).get("address") else ""


def authority(view: CaseView) -> str:
    """What the signed authority says; a gap is told and never forbids."""
    return view.authority_gap or f"代拨授权至 {view.authority_until[:10]}"


def tabs(view: CaseView) -> list[dict[str, Any]]:
    """The tabs under the rescue sheet with how much is in them."""
    home = view.incident.home_id
    number = {"devices": len(devices.of_home(home)) if home else 0, "aid": len(view.cards)}
    return [{"name": name, "label": label, "count": number.get(name, 0)} for name, label in TABS]


def strip(home_id: int | None, now: datetime) -> dict[str, Any]:
    """Today's signals of the home."""
    start = clock.local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    events = signals.activity(home_id, start, now) if home_id else []
    movers = [d for d in devices.of_home(home_id) if d.device.kind in {"motion", "door"}] if home_id else []
    return present.strip(events, start, now, devices=len(movers))


def file(user: User, elder_id: int | None, frozen_home: dict[str, Any]) -> list[dict[str, Any]]:
    """The elder's file as this user may see it; masked items can be uncovered, which leaves a trace."""
    row = elders.elder(elder_id) if elder_id else None
    if row is None:
        return []
    seen = elders.masked(row, accounts.roles_of(user))

    def item(label: str, name: str, *, wide: bool = True, strong: bool = False) -> dict[str, Any]:
        text = getattr(seen, name)
        return present.fact(
            label, text, wide=wide, strong=strong, field=name if name in seen.uncover else "", elder_id=seen.id
        )

    born = f"{row.birth_date:%Y-%m-%d}（{seen.age} 岁）" if row.birth_date else ""
    return [
        {"label": "基本", "facts": [
            item("姓名", "name", wide=False), item("性别", "sex", wide=False), present.fact("出生日期", born), item("身份证号", "id_number"),
            item("住址", "address"), item("联系电话", "phone"), item("类别", "kind", wide=False), item("能力", "ability", wide=False)]},
        {"label": "急救", "facts": [
            item("自救方式", "self_rescue"), present.fact("救护车入口", seen.entrance or frozen_home.get("entrance", "")),
            item("进门办法", "access_note"), item("钥匙在哪", "key_note")]},
        {"label": "健康", "facts": [item("重大疾病", "illnesses"), item("慢病", "chronic"), item("药物过敏", "allergies", strong=True)]},
        {"label": "附加", "facts": [item("听力与沟通", "hearing_note"), item("兴趣", "hobbies"), item("习惯", "habits"), item("其他", "other")]},
    ]  # fmt: skip


def aid(user: User, incident_id: int) -> dict[str, Any]:
    """First-aid cards, those of this case first."""
    view = incidents.case(incident_id, accounts.roles_of(user), user.pk)
    fitting = set(view.cards)
    cards = sorted(knowledge.cards().values(), key=lambda card: card.code not in fitting)
    return {"cards": cards, "fitting": fitting}


def installed(incident_id: int, user: User) -> dict[str, Any]:
    """The devices of the home and how they are."""
    head = incidents.head(incident_id, accounts.roles_of(user))
    rows = []
    for one in devices.of_home(head.home_id) if head.home_id else []:
        kind, icon, word = (
            ("deaf", "deaf", "失联")
            if one.silent
            else ("maint", "battery-low", "待换电")
            if one.low
            else ("ok", "ok", "听得到")
        )
        rows.append(
            {"name": one.device.product_name, "position": one.device.position, "last_heard_at": one.last_heard_at, "battery": one.battery,
             "kind": kind, "icon": icon, "word": word}
        )  # fmt: skip
    return {"devices": rows}


def earlier(incident_id: int, user: User) -> dict[str, Any]:
    """The home's earlier cases, newest first."""
    roles = accounts.roles_of(user)
    head = incidents.head(incident_id, roles)
    rows = incidents.page(roles, limit=20, home_id=head.home_id, before_id=head.id) if head.home_id else []
    return {"earlier": rows}


def where(incident_id: int, user: User) -> dict[str, Any]:
    """The map of the home with the ambulance entrance, and the way in words."""
    view = incidents.case(incident_id, accounts.roles_of(user), user.pk)
    home = view.plan.get("home") or {}
    return {
        "map": homemap.draw(home),
        "entrance": home.get("entrance", ""),
        "address": view.incident.where,
        "access": home.get("access_note", ""),
    }


def idle(user: User) -> dict[str, Any]:
    """What an agent sees while nothing rings."""
    roles, now = accounts.roles_of(user), clock.now()
    rows = [r for r in incidents.queue(roles, user.pk) if r.state == "follow_up"]
    todo = [
        {"id": r.id, "icon": "phone", "name": r.elder_name, "what": f"救后回访 · {r.kind_label}", "note": r.place_name,
         "when": f"{clock.local(r.due_at):%m-%d %H:%M} 前" if r.due_at else "", "url": f"/desk/incident/{r.id}"}
        for r in rows
    ]  # fmt: skip
    mine = calls.my_call(user.pk)
    todo += [
        {"id": f"sop{s.id}", "icon": "pen", "name": s.title, "what": "话术没填完", "note": f"还缺 {s.left}",
         "when": f"{clock.local(s.begun_at):%m-%d %H:%M} 的通话", "url": f"/desk/script/sheet/{s.id}"}
        for s in sop.open_of(user.pk) if mine is None or s.call_id != mine.call_id
    ]  # fmt: skip
    todo += [
        {"id": f"call-{c.call_id}", "icon": "pen", "name": c.whom or c.number_masked or "号码未知", "what": "电话没整理",
         "note": c.note or f"{c.queue_label}来电", "when": f"{clock.local(c.answered_at or c.arrived_at):%m-%d %H:%M} 的通话",
         "url": f"/desk/phone/wrap/{c.call_id}", "dialog": True}
        for c in calls.unwritten(user.pk)
    ]  # fmt: skip
    todo += [
        {"id": f"due-{r.id}", "icon": "phone-out", "name": r.elder_name, "what": r.kind_label, "note": r.why,
         "when": f"{clock.local(r.due_at):%m-%d %H:%M} 前" if r.due_at else "", "url": "/desk/due"}
        for r in planned.for_agents(5)
    ]  # fmt: skip
    shift = incidents.shift_of(user.pk, now - timedelta(hours=12))
    return {
        "now": now, **homes.overview(user.pk, now), "todo": todo, "checks": checks(now),
        "mine": [
            {"label": "处置", "text": f"{shift.cases} 起"}, {"label": "在处置", "text": f"{shift.open} 起"},
            {"label": "最快接警", "text": f"{round(shift.fastest.total_seconds())} 秒" if shift.fastest else "—"},
            {"label": "最慢接警", "text": f"{round(shift.slowest.total_seconds())} 秒" if shift.slowest else "—"},
        ],
    }  # fmt: skip


def checks(now: datetime) -> list[dict[str, str]]:
    """Proof that the platform listens; what is missing is said plainly."""
    found = []
    for source in signals.sources():
        late = (now - source.last_at).total_seconds() > max(60.0, source.usual_gap * 3)
        found.append(
            {"kind": "warn" if late else "ok", "icon": "alert" if late else "ok", "name": f"{SOURCE_NAMES.get(source.source, source.source)}信号",
             "note": f"{present.ago_short(now - source.last_at)}前" + ("，久于平常" if late else "")}
        )  # fmt: skip
    if not found:
        found.append({"kind": "warn", "icon": "alert", "name": "设备信号", "note": "还没有收到过"})
    found.append(telephones())
    return found


def telephones() -> dict[str, str]:
    """Whether a real call can come in."""
    health = calls.engine_health()
    if health.running and health.ok and health.real:
        return {"kind": "ok", "icon": "ok", "name": "电话引擎", "note": f"{health.live_calls} 通在线"}
    word = "模拟，不能接真实电话" if health.ok else "断开，来电走应急振铃" if health.running else "话务控制没有运行"
    return {"kind": "warn", "icon": "alert", "name": "电话引擎", "note": word}


STORM_FIRST = 10
"""So many of the call list of an outage stand in its case; the rest are a press away."""
DISTRESS = 9
"""How loud a written word of distress rings while nobody took it: as an SOS."""
SOURCE_NAMES = {
    "ctwing": "电信平台",
    "onenet": "移动平台",
    "mqtt": "物联直连",
    "generic": "通用接口",
    "platform": "平台自查",
}
