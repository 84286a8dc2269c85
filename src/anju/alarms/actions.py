"""The only writers of alarms. They announce what happened; who takes an alarm stands in `config/wiring.py`.

Every verb runs inside the caller's transaction, so that the signal, the alarm and the incident stand or fall together.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet

from anju.alarms.codes import lco_label
from anju.alarms.facts import AlarmRaised, AlarmRecovered, AlarmReset, SourceSilent, TroubleEnded, TroubleRaised
from anju.alarms.models import Alarm, HomeRhythm, HomeState, HomeWatch, HomeWorst, Pulse, StormHome, Trouble
from anju.alarms.more_models import Fence, HealthLimit, HealthReading, HomeDoor, HomeHabit, HomeWitness, Whereabouts
from anju.alarms.rules import FIRST_GAP, Rule, learn_gap
from anju.devices.models import RECEIVING_DISTRICT
from anju.elders import queries as elders
from anju.kernel import clock, forgetting
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.scope import EVERYWHERE, seen_by

PLATFORM: Final = "系统"
RESET_WITHIN: Final = timedelta(days=1)
"""A reset belongs to presses of the last day; an older one was another story."""
LEARNT: Final = (
    HomeWatch, HomeWorst, HomeRhythm, HomeState, HomeDoor, HomeWitness, HomeHabit, Fence, Whereabouts,
)  # fmt: skip
"""What was learnt and told of a home: it goes with the last person who lived there."""
Outcome = Literal["opened", "joined", "drill"]


@transaction.atomic
def raise_or_join(
    *,
    rule: Rule,
    at: datetime,
    received_at: datetime,
    source: str,
    place: str = "",
    home_id: int | None = None,
    device_id: int | None = None,
    lco: str = "",
    where: str = "",
    note: str = "",
    message_id: int | None = None,
    nth: int = 0,
    drill: bool = False,
) -> Alarm:
    """Store one alarm and give it to whoever takes its kind; the answer shows what became of it (`state`, `case_id`).

    Every press becomes a row of its own. Whether it opens a case or joins one is decided by the taker, in the same
    transaction, through `settle`. A drill is stored and given to nobody (DEV-06). Asked twice for the same signal, it
    answers with the first row.
    """
    if message_id is not None:
        known = Alarm.unscoped.filter(message_id=message_id, nth=nth).first()
        if known is not None:
            return known
    elder = elders.main_elder(home_id) if home_id is not None else None
    alarm = Alarm.unscoped.create(
        number=_number(),
        home_id=home_id,
        device_id=device_id,
        elder_id=elder.pk if elder is not None else None,
        place=place or RECEIVING_DISTRICT,
        kind=rule.kind,
        dty=rule.dty,
        stc=rule.stc,
        lco=lco,
        priority=rule.priority,
        technical=rule.technical,
        label=rule.label,
        where=where or lco_label(lco),
        note=note[:300],
        source=source,
        at=at,
        received_at=received_at,
        raised_at=clock.now(),
        message_id=message_id,
        nth=nth,
        state=Alarm.State.DRILL if drill else Alarm.State.OPEN,
    )
    if not drill:
        announce(AlarmRaised(alarm.pk, rule.priority, rule.technical))
        alarm.refresh_from_db()
    changed("alarm", alarm.pk, alarm.place)
    return alarm


def settle(
    *, alarm_id: int, outcome: Outcome, case_kind: str = "", case_id: int | None = None, reason: str = ""
) -> None:
    """The taker's answer to AlarmRaised: this alarm opened that case, joined it (with the reason), or was a drill."""
    if outcome == "joined" and not reason:
        raise ValueError("an alarm that joins says why")
    state = {"opened": Alarm.State.OPEN, "joined": Alarm.State.JOINED, "drill": Alarm.State.DRILL}[outcome]
    Alarm.objects.filter(pk=alarm_id).update(
        state=state, case_kind=case_kind, case_id=case_id, join_reason=reason[:200] if outcome == "joined" else ""
    )


def close(*, alarm_id: int, by: str, reason: str) -> bool:
    """Close one open alarm; False if it was not open. Who and why are part of the ledger."""
    return bool(_close(Alarm.objects.filter(pk=alarm_id), by, reason))


def close_case(*, case_kind: str, case_id: int, by: str, reason: str) -> int:
    """Close every open alarm of a case that ended; answers how many."""
    return _close(Alarm.objects.filter(case_kind=case_kind, case_id=case_id), by, reason)


@transaction.atomic
def _close(rows: QuerySet[Alarm], by: str, reason: str) -> int:
    if not by or not reason:
        raise ValueError("closing an alarm says who and why")
    closing = list(rows.filter(state=Alarm.State.OPEN).select_for_update().order_by("pk"))
    for alarm in closing:
        alarm.state, alarm.closed_at, alarm.closed_by, alarm.closed_reason = (
            Alarm.State.CLOSED, clock.now(), by[:60], reason[:200],
        )  # fmt: skip
        alarm.save(update_fields=["state", "closed_at", "closed_by", "closed_reason"])
        changed("alarm", alarm.pk, alarm.place)
    return len(closing)


@transaction.atomic
def note_reset(*, device_id: int, at: datetime) -> int:
    """The device was reset (Alarm_Status 0): noted on its open emergencies, which it does not close."""
    rows = Alarm.objects.filter(
        device_id=device_id,
        technical=False,
        state__in=[Alarm.State.OPEN, Alarm.State.JOINED],
        reset_at=None,
        at__lte=at,
    ).filter(raised_at__gt=clock.now() - RESET_WITHIN)
    noted = 0
    for alarm in rows.order_by("-pk")[:20]:
        announce(AlarmReset(alarm.pk))
        Alarm.objects.filter(pk=alarm.pk).update(reset_at=at)
        changed("alarm", alarm.pk, alarm.place)
        noted += 1
    return noted


@transaction.atomic
def recover(*, device_id: int, causes: frozenset[str], reason: str) -> int:
    """What was wrong with a device is over by itself: its open technical alarms of these kinds are closed with the reason."""
    rows = Alarm.objects.filter(device_id=device_id, technical=True, kind__in=causes, state=Alarm.State.OPEN)
    ended = list(rows.order_by("pk").values_list("pk", flat=True))
    for alarm_id in ended:
        announce(AlarmRecovered(alarm_id, reason))  # first: its case is locked before the alarm, as everywhere
        close(alarm_id=alarm_id, by=PLATFORM, reason=reason)
    return len(ended)


# --- troubles of the platform itself ---------------------------------------------------------------------------------


def trouble(*, kind: str, text: str, subject: str = "") -> Trouble:
    """Report that the platform is in trouble. The first report pages the leads; later ones are counted on the same row."""
    text, subject = text[:300], subject[:80]
    while True:
        known = Trouble.objects.filter(kind=kind, subject=subject, until=None)
        if known.update(last_at=clock.now(), text=text, times=F("times") + 1) and (row := known.first()):
            return row
        try:
            with transaction.atomic():
                return _new_trouble(kind, subject, text)
        except IntegrityError:  # another process was first: count ours on its row
            continue


def _new_trouble(kind: str, subject: str, text: str) -> Trouble:
    now = clock.now()
    row = Trouble.objects.create(kind=kind, subject=subject, text=text, since=now, last_at=now)
    if kind == Trouble.Kind.SOURCE_SILENT:
        announce(SourceSilent(row.pk, subject, text))
    else:
        announce(TroubleRaised(row.pk, kind, text))
    changed("ops", row.pk, RECEIVING_DISTRICT)
    return row


def trouble_over(*, kind: str, subject: str = "") -> int:
    """The trouble is over; answers how many rows ended (0 or 1)."""
    ended = 0
    with transaction.atomic():
        for row in Trouble.objects.select_for_update().filter(kind=kind, subject=subject[:80], until=None):
            row.until = clock.now()
            row.save(update_fields=["until"])
            announce(TroubleEnded(row.pk, kind, row.text))
            changed("ops", row.pk, RECEIVING_DISTRICT)
            ended += 1
    return ended


def heard_from(*, source: str, first_at: datetime, last_at: datetime, longest_gap: float) -> None:
    """Take the pulse of a source: what was heard since the last call (first and last receipt, longest pause in seconds).

    Called every few seconds by the router, outside its batches: a row that every message touched would make routers wait
    for each other.
    """
    with transaction.atomic():
        Pulse.objects.get_or_create(source=source, defaults={"last_heard_at": first_at, "usual_gap": FIRST_GAP})
        row = Pulse.objects.select_for_update().get(source=source)
        gap = max(longest_gap, (first_at - row.last_heard_at).total_seconds())
        row.usual_gap = learn_gap(row.usual_gap, gap, (last_at - row.last_heard_at).total_seconds())
        row.last_heard_at = max(row.last_heard_at, last_at)
        row.save()


def _number() -> str:
    """From a sequence, not from the day's gapless counter: that one is locked until the commit, and an SOS must not wait
    for the commit of a telemetry batch in which a battery ran low.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('alarms_number')")
        nth = cursor.fetchone()[0]
    return f"GJ-{clock.local(clock.now()):%y%m%d}-{nth:06d}"


@transaction.atomic
def forget(*, elder_id: int, home_id: int, home_empty: bool) -> int:
    """A person's data are deleted: her alarms keep time, kind, place and outcome and lose what was noted; how many.

    Her measurements go, and with the last person of a home all that its sensors taught and told (SYS-04).
    """
    with seen_by(EVERYWHERE):
        mine = Q(elder=elder_id) | (Q(home=home_id) if home_empty else Q(pk__in=[]))
        told = Alarm.objects.filter(mine).update(note="")
        for why in ("join_reason", "closed_reason"):  # that there was a reason stays
            Alarm.objects.filter(mine).exclude(**{why: ""}).update(**{why: forgetting.FORGOTTEN})
        if home_empty:
            StormHome.objects.filter(home=home_id).update(result="")
            for learnt in LEARNT:
                learnt.objects.filter(home=home_id).delete()
        for measured in (HealthReading, HealthLimit):
            measured.objects.filter(elder_id=elder_id).delete()
    return told
