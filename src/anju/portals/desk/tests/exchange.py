"""A centre's telephones as rows, without a switchboard: what the page shows of them, and what it asks (`Command`)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction

from anju.accounts.models import User
from anju.calls.models import Call, Command, Leg, Queue, SeatState, Switchboard
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK
from anju.kernel.scope import EVERYWHERE, seen_by

PLACE = "330199000000"


def switchboard(*, real: bool = False, ok: bool = True, detail: str = "") -> None:
    """It runs for an hour."""
    later = clock.now() + timedelta(hours=1)
    Switchboard.objects.update_or_create(
        pk=1,
        defaults={
            "beat_at": later,
            "engine_ok": ok,
            "real": real,
            "detail": detail,
            "engine": "asterisk" if real else "simulator",
        },
    )
    changed("ops", "engine", "")


def queues() -> None:
    """The emergency queue and the other one."""
    Queue.objects.get_or_create(code="emergency", defaults={"name": "紧急", "priority": 9, "emergency": True})
    Queue.objects.get_or_create(code="service", defaults={"name": "服务", "priority": 1})


def seat(user: User, state: str = "ready", call: Call | None = None, **more: Any) -> SeatState:
    """The seat of this user stands so."""
    with transaction.atomic():
        row, _ = SeatState.objects.update_or_create(
            user=user,
            defaults={"extension": user.seat_number, "state": state, "wants": "ready", "since": clock.now(), "mic_ok": True, "registered": True,
                      "call_id": call.call_id if call else None, **more},
        )  # fmt: skip
        changed("seats", user.pk, "")
    return row


def call_in(
    *, number: str = "13800002046", elder: Any = None, emergency: bool = True, candidates: list[int] | None = None,
    ref: str = "", moves: tuple[str, ...] = ("offer",)
) -> Call:  # fmt: skip
    """Somebody calls and waits."""
    queues()
    with seen_by(EVERYWHERE), transaction.atomic():
        now = clock.now()
        call = Call(
            place=elder.home.place if elder else PLACE, ref=ref, direction="in", purpose="emergency_in" if emergency else "service_in", number=number,
            whom=elder.name if elder else "", called="962899", emergency=emergency, priority=9 if emergency else 1, planned_at=now, queued_at=now,
            queue=Queue.objects.get(code="emergency" if emergency else "service"), home_id=elder.home_id if elder else None,
            elder_id=elder.pk if elder else None, candidates=candidates or [], seen_at=now,
        )  # fmt: skip
        engine.begin(call, THE_CLOCK, state="arrived")
        Leg.objects.create(
            call=call, leg_id=f"{now.timestamp()}.{uuid.uuid4().hex[:4]}", role="caller", endpoint="number", number=number,
            name=call.whom, planned_at=now,
            answered_at=now,
        )  # fmt: skip
    turn(call, *moves)
    return call


def turn(call: Call, *moves: str) -> None:
    """What happens to the call: offer, taken, queue_up, abandoned, ended."""
    with seen_by(EVERYWHERE), transaction.atomic():
        for move in moves:
            if move == "taken":
                call.answered_at = clock.now()
                call.save(update_fields=["answered_at"])
            engine.make(call, move, THE_CLOCK)
        changed("call", str(call.call_id), call.place)


def leg(
    call: Call,
    role: str,
    *,
    user: User | None = None,
    up: bool = False,
    name: str = "",
    number: str = "",
    held: bool = False,
) -> Leg:
    """One more party."""
    now = clock.now()
    with seen_by(EVERYWHERE), transaction.atomic():
        row = Leg.objects.create(
            call=call, leg_id=str(uuid.uuid4()), role=role, endpoint=f"seat:{user.seat_number}" if user else "number",
            name=name or (user.name if user else ""),
            number=number, user_id=user.pk if user else None, seat=user.seat_number if user else "", planned_at=now, ringing_at=now,
            answered_at=now if up else None, held=held,
        )  # fmt: skip
        changed("call", str(call.call_id), call.place)
    return row


def asked() -> list[tuple[str, dict[str, Any]]]:
    """What the pages asked of the switchboard."""
    return [(row.verb, row.args) for row in Command.objects.order_by("id")]


def lift(leg: Leg) -> None:
    """This party answers."""
    with seen_by(EVERYWHERE):
        leg.answered_at = clock.now()
        leg.save()


def leave(call: Call) -> None:
    """Every party goes, the call ends."""
    with seen_by(EVERYWHERE):
        Leg.objects.filter(call=call, ended_at=None).update(ended_at=clock.now())
    turn(call, "ended")


def switchboard_dies() -> None:
    """No sign of life for a minute."""
    Switchboard.objects.filter(pk=1).update(beat_at=clock.now() - timedelta(minutes=1))
    changed("ops", "engine", "")
