"""Whom a call can be given to, and who can be brought into it: rescue, experts, the elder's people, the neighbourhood, seats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anju.accounts.models import User
from anju.calls import queries as calls
from anju.calls.exchange import NEVER_BY_ITSELF
from anju.calls.queries import LiveCallView
from anju.elders import queries as elders
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.places import queries as places
from anju.portals.desk import present
from anju.portals.desk.phone.bar import ROLE_ICONS, STATES
from anju.staff import queries as staff

NUMBER_ROLES = (
    ("contact", "家属"), ("doctor", "医生"), ("social", "社工"), ("grid", "网格员"), ("property", "物业"), ("committee", "居委会"),
    ("expert", "其他专家"), ("other", "其他人"),
)  # fmt: skip
"""What somebody behind a number that is typed may be; the roles of a leg."""
CONTACT_ROLES = {
    "grid": "grid", "social_worker": "social", "property": "property", "night_duty": "property", "committee": "committee",
}  # fmt: skip
"""What a contact of the elder is in a call; the others are her own people."""
RESCUE = (("120", "急救"), ("110", "公安"), ("119", "消防"))


@dataclass(frozen=True, slots=True)
class Far:
    """Whom the switchboard is to ring: a seat or a number, what she is, and what she is called."""

    number: str = ""
    seat: str = ""
    queue: str = ""
    role: str = "other"
    name: str = ""


def groups(user: User, call: LiveCallView | None, *, queues: bool) -> list[dict[str, Any]]:
    """Everybody who can be asked for, by what they are; those who cannot be rung now say why."""
    found = [
        {"title": "急救与警务", "items": [
            _item(number, f"{number} {word}", "您确认后拨出，接通后念救援单" if number == "120" else "您确认后拨出", ROLE_ICONS[number])
            for number, word in RESCUE]},
        {"title": "专家", "items": experts()},
        {"title": "家人与邻居", "items": _contacts(call, neighbourhood=False)},
        {"title": "网格、社工、物业", "items": _contacts(call, neighbourhood=True) + _committee(call)},
        {"title": "座席", "items": seats(user), "empty": "没有别的座席在线。"},
    ]  # fmt: skip
    if queues:  # a call is mostly passed to a colleague: the first choice of the keyboard must not be 120
        found = [found.pop(), {"title": "技能组", "items": queue_items()}, *found]
    return [one for one in found if one["items"] or one.get("empty")]


def _item(
    to: str, label: str, note: str, icon: str, *, kind: str = "", can: bool = True, book: int | None = None
) -> dict[str, Any]:
    return {"to": to, "label": label, "note": note, "icon": icon, "kind": kind, "disabled": not can, "book": book}


def experts() -> list[dict[str, Any]]:
    """Doctors, lawyers and others: on duty they can be rung, off duty an appointment can be made."""
    seated = {s.user_id: s for s in calls.seats()}
    found = []
    for one in staff.experts():
        seat = seated.get(one.user_id) if one.user_id else None
        here = seat is not None and seat.state == "ready"
        can = one.now and (here or one.has_phone)
        if can:
            note = f"在班 · {f'{seat.extension} 席' if seat is not None and here else '电话'}"
        elif one.now:
            note = "在班，但席位忙、没有登记电话"
        else:
            note = (
                f"不在班 · 最早 {present.day_time(one.slots[0], clock.now())}" if one.slots else "不在班 · 两周内约满"
            )
        found.append(
            _item(f"expert:{one.id}", f"{one.field_label} {one.name}", note, ROLE_ICONS["doctor" if one.field == "doctor" else "expert"],
                  kind="ok" if can else "mute", can=can, book=one.id if one.slots else None)
        )  # fmt: skip
    return found


def _contacts(call: LiveCallView | None, *, neighbourhood: bool) -> list[dict[str, Any]]:
    found = []
    for turn, one in enumerate(_people_of(call)):
        if (one.kind in CONTACT_ROLES) is not neighbourhood:
            continue
        word = one.get_kind_display() if neighbourhood else one.relation or one.get_kind_display()
        note = calls.masked(one.phone) if one.phone else "没有登记号码"
        icon = ROLE_ICONS[CONTACT_ROLES.get(one.kind, "contact")]
        found.append(_item(f"contact:{turn}", f"{word} {one.name}".strip(), note, icon, can=bool(one.phone)))
    return found


def _people_of(call: LiveCallView | None) -> list[Any]:
    return list(elders.contacts_of(call.elder_id)) if call is not None and call.elder_id else []


def _committee(call: LiveCallView | None) -> list[dict[str, Any]]:
    """The committee's office of the caller's community, where none of her own contacts is it."""
    if call is None or any(one.kind == "committee" for one in _people_of(call)):
        return []
    place = places.community_of(call.place)
    if place is None or not place.committee_phone:
        return []
    return [_item("committee", f"{place.name}居委会", calls.masked(place.committee_phone), ROLE_ICONS["committee"])]


def seats(user: User) -> list[dict[str, Any]]:
    """The other seats; only those that are ready can be rung."""
    found = []
    for seat in calls.seats():
        if seat.user_id == user.pk or seat.state == "off":
            continue
        word, kind, icon = STATES[seat.state]
        skill = "值班长" if seat.is_lead else seat.queue_label
        found.append(
            _item(f"seat:{seat.extension}", f"{seat.extension} {seat.name}", f"{word} · {skill}" if skill else word, icon, kind=kind,
                  can=seat.state == "ready")
        )  # fmt: skip
    return sorted(found, key=lambda one: (one["disabled"], one["to"]))


def queue_items() -> list[dict[str, Any]]:
    """Queues and how long one waits there."""
    waiting = Counter(call.queue for call in calls.waiting())
    ready = sum(seat.state == "ready" for seat in calls.seats())
    return [
        _item(f"queue:{q.code}", q.name, f"等待 {waiting[q.code]} · 全中心空闲 {ready} 席", "users")
        for q in calls.queues()
    ]


def resolve(call: LiveCallView | None, to: str, *, number: str, role: str) -> Far:
    """What was chosen → whom to ring. Numbers of people never leave the server; what cannot be rung is refused in words."""
    kind, _, rest = to.partition(":")
    ways: dict[str, Callable[[], Far]] = {
        "seat": lambda: Far(seat=rest, role="agent_b"),
        "queue": lambda: Far(queue=rest),
        "contact": lambda: _contact(call, rest),
        "expert": lambda: _expert(rest),
        "committee": lambda: _office(call),
        "number": lambda: Far(number=number.strip(), role=role if role in dict(NUMBER_ROLES) else "other"),
        **{one: lambda one=one: Far(number=one, role=one) for one in NEVER_BY_ITSELF},  # type: ignore[misc]
    }
    if kind not in ways:
        raise NotAllowed("请先选一位，或填号码。", code="needs")
    return ways[kind]()


def _office(call: LiveCallView | None) -> Far:
    place = places.community_of(call.place) if call is not None else None
    if place is None or not place.committee_phone:
        raise NotAllowed("这个社区没有登记居委会电话，请填号码。", code="needs")
    return Far(number=place.committee_phone, role="committee", name=f"{place.name}居委会")


def _contact(call: LiveCallView | None, turn: str) -> Far:
    rows = _people_of(call)
    one = rows[int(turn)] if turn.isascii() and turn.isdigit() and int(turn) < len(rows) else None
    if one is None or not one.phone:
        raise NotAllowed("这位联系人没有登记号码，请填号码。", code="needs")
    role = CONTACT_ROLES.get(one.kind, "contact")
    word = one.relation or one.get_kind_display() if role == "contact" else ""
    return Far(number=one.phone, role=role, name=f"{word} {one.name}".strip())


def _expert(expert_id: str) -> Far:
    one = next((e for e in staff.experts() if str(e.id) == expert_id), None)
    if one is None:
        raise NotAllowed("没有这位专家，请刷新后再选。", code="not_here")
    if not one.now:
        raise NotAllowed(f"{one.name}现在不在班，可以预约时间。", code="needs")
    role = "doctor" if one.field == "doctor" else "expert"
    name = one.name if role == "doctor" else f"{one.field_label} {one.name}"
    seat = (
        next((s for s in calls.seats() if s.user_id == one.user_id and s.state == "ready"), None)
        if one.user_id
        else None
    )
    if seat is not None:
        return Far(seat=seat.extension, role=role, name=name)
    phone = staff.expert(one.id).phone
    if not phone:
        raise NotAllowed(f"{one.name}的席位没有空闲，也没有登记电话；可以预约时间。", code="needs")
    return Far(number=phone, role=role, name=name)
