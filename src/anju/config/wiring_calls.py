"""Who reacts to what the telephone reports: the cases, the calling back, the recordings. The rest is in `wiring`."""

from __future__ import annotations

from anju.kernel.facts import reacts


def connect() -> None:
    """Register every reaction of this page."""
    telephone()
    call_backs()
    recordings()


def telephone() -> None:
    """What the telephone reports goes to its case. An emergency call opens or joins one before anybody lifts (REG-10)."""
    from anju.calls import facts
    from anju.incidents import actions as incidents

    reacts(
        facts.CallArrived,
        lambda f: incidents.call_arrived(
            call_id=f.call_id, number=f.number, home_id=f.home_id, elder_id=f.elder_id, device_id=f.device_id,
            emergency=f.emergency, place=f.place,
        ),
    )  # fmt: skip
    reacts(
        facts.CallAnswered,
        lambda f: incidents.call_answered(
            call_id=f.call_id, user_id=f.user_id, leg_role=f.leg_role, ref=f.ref, purpose=f.purpose
        ),
    )
    reacts(facts.KeyPressed, lambda f: incidents.on_key(call_id=f.call_id, ref=f.ref, purpose=f.purpose, digit=f.digit))
    reacts(
        facts.PartyJoined,
        lambda f: incidents.party_joined(call_id=f.call_id, leg_id=f.leg_id, role=f.role, ref=f.ref, user_id=f.user_id),
    )
    reacts(
        facts.PartyLeft,
        lambda f: incidents.party_left(
            call_id=f.call_id, leg_id=f.leg_id, role=f.role, ref=f.ref, seconds=f.seconds, result=f.result,
            user_id=f.user_id, cause=f.cause,
        ),
    )  # fmt: skip
    reacts(
        facts.CallEnded,
        lambda f: incidents.on_call_ended(
            call_id=f.call_id, ref=f.ref, purpose=f.purpose, result=f.result, direction=f.direction, seconds=f.seconds,
            user_id=f.user_id, cause=f.cause,
        ),
    )  # fmt: skip
    reacts(
        facts.CallAbandoned,
        lambda f: incidents.call_abandoned(call_id=f.call_id, emergency=f.emergency, why=f.why),
    )


def call_backs() -> None:
    """Who hung up in need is rung back: by people first, then by the robot, until somebody spoke with her."""
    from anju.calls import facts
    from anju.calls.scripts import actions as scripts

    def spoke(fact: facts.CallAnswered) -> None:
        if fact.purpose == "call_back" and fact.user_id is not None:
            scripts.call_back_spoke(call_id=fact.call_id)

    def pressed(fact: facts.KeyPressed) -> None:
        if fact.purpose == "call_back" and fact.digit == "2":
            scripts.call_back_spoke(call_id=fact.call_id)

    def over(fact: facts.CallEnded) -> None:
        if fact.purpose == "call_back":
            scripts.call_back_ended(call_id=fact.call_id)

    reacts(facts.CallBackDue, lambda f: scripts.call_back_due(call_back_id=f.call_back_id, attempts=f.attempts))
    reacts(facts.CallAnswered, spoke)
    reacts(facts.KeyPressed, pressed)
    reacts(facts.CallEnded, over)


def recordings() -> None:
    """A call that ended is recorded; what is wrong with recordings is a trouble of the platform."""
    from anju.alarms import actions as alarms
    from anju.calls.facts import CallEnded
    from anju.calls.recordings import jobs
    from anju.calls.recordings.facts import RecordingTrouble, RecordingTroubleOver

    reacts(CallEnded, lambda _: jobs.sweep.defer(in_seconds=20, key="recordings.sweep"))
    reacts(RecordingTrouble, lambda f: alarms.trouble(kind=f.kind, subject=f.subject, text=f.text))
    reacts(RecordingTroubleOver, lambda f: alarms.trouble_over(kind=f.kind, subject=f.subject))
