"""Background work of calls."""

from __future__ import annotations

from django.db import transaction

from anju.calls.exchange import CannotDial, Order, exchange
from anju.kernel.jobs import job
from anju.kernel.scope import EVERYWHERE, seen_by


@job("calls.dial", queue="urgent")
def dial(*, call_id: str) -> None:
    """Hand a planned call to the switchboard, once. After a crash in between it ends as `unknown`, never twice.

    Where no switchboard runs, whoever takes orders (`exchange()`) gets it: in tests and in a centre without telephones.
    """
    from anju.calls import actions, queries
    from anju.calls.models import Call
    from anju.kernel.flow.actor import THE_CLOCK

    engine = exchange()
    with seen_by(EVERYWHERE):
        if queries.switchboard_runs():
            with transaction.atomic():
                call = Call.objects.select_for_update().filter(call_id=call_id).first()
                if call is not None and call.state == "planned" and not call.exchange:
                    call.exchange = queries.engine_health().engine or "switchboard"
                    call.save(update_fields=["exchange"])
                    actions.command(verb="robot", by=THE_CLOCK, call_id=call_id)
            return
        with transaction.atomic():
            call = Call.objects.select_for_update().filter(call_id=call_id).first()
            if call is None or call.state != "planned" or call.exchange:
                return
            call.exchange = engine.name
            call.save(update_fields=["exchange"])
        try:
            engine.dial(
                Order(
                    call_id=call_id,
                    number=call.number,
                    script=call.script,
                    says=call.says,
                    keys={"1": call.says_after_key} if call.says_after_key else {},
                )
            )
        except CannotDial:
            actions.heard(call_id=call_id, event="unreachable")
