"""The course: in its window, within its rate, the next person is rung; what came of a call decides what is next for her."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from anju.accounts.permissions import must
from anju.calls.campaigns import rules
from anju.calls.campaigns.actions.steering import leave
from anju.calls.campaigns.jobs import feed as feed_soon
from anju.calls.campaigns.models import Campaign, CampaignPerson, DoNotCall
from anju.calls.models import Call
from anju.calls.planned import actions as planned
from anju.calls.planned import queries as planned_calls
from anju.calls.planned.models import PlannedCall
from anju.calls.rules import dialable
from anju.elders import queries as elders
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from anju.elders.models import Elder
    from anju.kernel.models import Movement

REF = "campaign"
NOT_WANTED = "本人不想接这类电话"
SKIPS = 20
"""So many people who are left out an agent's press passes over before it says that nobody is there."""


def feed_all() -> int:
    """Each minute: every running campaign rings whom it may; how many were begun."""
    with seen_by(EVERYWHERE):
        return sum(feed(pk) for pk in Campaign.objects.filter(state="running").values_list("pk", flat=True))


@transaction.atomic
def feed(campaign_id: int) -> int:
    """Begin as many robots' calls as rate and window allow; end the campaign when nobody is left or its last day is over."""
    with seen_by(EVERYWHERE):
        row = Campaign.objects.select_for_update(of=("self",)).filter(pk=campaign_id, state="running").first()
        if row is None:
            return 0
        people = CampaignPerson.objects.filter(campaign=row)
        if clock.now() >= datetime.combine(row.until, row.until_at, clock.SHANGHAI):
            _too_late(people.filter(state="waiting"))
        if not people.filter(state__in=["waiting", "open"]).exists():
            engine.make(row, "finish", THE_CLOCK)
            return 0
        if row.way != "robot" or not is_open(row):
            return 0
        free, begun = row.at_once - people.filter(state="open").count(), 0
        due = people.filter(state="waiting", next_at__lte=clock.now()).order_by("tried", "next_at", "id")
        for person in due.select_for_update(of=("self",), skip_locked=True)[: rules.LOOKS if free > 0 else 0]:
            begun += _ring(row, person) is not None
            if begun >= free:
                break
        return begun


def _too_late(waiting: QuerySet[CampaignPerson]) -> None:
    """The last window is over: who could never be rung is left out with the reason, the others were not reached."""
    waiting.filter(tried=0, put_off__gt=0).update(state="left_out", done_at=clock.now())
    waiting.filter(why="").update(why="到期没有拨到")
    waiting.update(state="missed", done_at=clock.now())


def is_open(row: Campaign) -> bool:
    """Whether it may ring at this moment."""
    return rules.in_window(clock.local(clock.now()), row.first, row.until, row.from_at, row.until_at)


@transaction.atomic
def next_person(*, by: Actor, campaign_id: int) -> PlannedCall:
    """One click of an agent: the next person of the list is hers to ring. Who may not be rung now is passed over and kept."""
    must(by, "call.plan")
    row = Campaign.objects.filter(pk=campaign_id, state="running", way="agent").first()
    if row is None:
        raise NotAllowed("这个外呼任务不在进行，请刷新页面。", code="not_here")
    if not is_open(row):
        raise NotAllowed(f"现在不在时段里（{row.from_at:%H:%M}–{row.until_at:%H:%M}），到时再打。", code="needs")
    for _ in range(SKIPS):
        people = CampaignPerson.objects.filter(campaign=row, state="waiting", next_at__lte=clock.now())
        person = people.select_for_update(of=("self",), skip_locked=True).order_by("tried", "next_at", "id").first()
        if person is None:
            break
        with seen_by(EVERYWHERE):
            call = _ring(row, person, why=f"{by.name[:40]}取的下一位")
            if call is not None:
                call.refresh_from_db()
        if call is not None and call.state == "agent":
            return call
    raise NotAllowed("名单上现在没有要打的人；没人接的要过了间隔再打。", code="needs")


def _ring(row: Campaign, person: CampaignPerson, why: str = "") -> PlannedCall | None:
    """One try, begun now; None for who has said meanwhile that she wants no such calls, and for who is put off.

    A number of the sheet may be an elder's whom the campaign's maker may not see. What holds for her is asked all the same, and a
    robot's call is hers (key 2 is her call for help); her line in the list stays a stranger's.
    """
    if DoNotCall.objects.filter(number_index=person.number_index).exists():
        person.state, person.why, person.done_at = "left_out", NOT_WANTED, clock.now()
        person.save(update_fields=["state", "why", "done_at"])
        return None
    pk = person.elder_id or elders.owners_of([person.number]).get(person.number)
    her = elders.elder(pk) if pk is not None else None
    if reason := _not_now(person, her):
        _put_off(person, reason)
        person.save(update_fields=["why", "next_at", "put_off"])
        return None
    person.state, person.why = "open", ""
    person.save(update_fields=["state", "why"])
    theirs = person.elder_id is None and (her is None or row.way == "agent")  # an agent speaks with whom the list names
    says = rules.spoken(row.says, row.labels) if row.way == "robot" else row.says
    call = planned.ask_now(
        ref=f"{REF}:{person.pk}", place=her.home.place if her and not theirs else person.place, says=says, way=row.way,
        elder_id=None if theirs else pk, home_id=her.home_id if her and not theirs else None, name=person.name if theirs else "",
        number=person.number if theirs else "", why=why, latest=rules.window_ends(clock.local(clock.now()), row.until_at),
    )  # fmt: skip
    CampaignPerson.objects.filter(pk=person.pk).update(planned_id=call.pk)
    return call


def _not_now(person: CampaignPerson, her: Elder | None) -> str:
    """Why she is not rung at this moment. Of who has no file in this list it is not said: it would tell that she has one elsewhere."""
    number = dialable(her.phone if her else person.number)
    reason = planned_calls.why_later(
        home_id=her.home_id if her else None, number=number, place=her.home.place if her else person.place
    )
    if person.elder_id is None:
        return rules.NOT_NOW if reason or (her is not None and her.status != "approved") else ""
    return reason


def _put_off(person: CampaignPerson, reason: str) -> None:
    person.why, person.put_off, person.next_at = reason, person.put_off + 1, clock.now() + rules.LATER


def over(*, planned_id: int, ref: str) -> None:
    """Listener: a call of a campaign is over. Answered, left out, tried again later, or not reached."""
    kind, _, number = ref.partition(":")
    if kind != REF:
        return
    with seen_by(EVERYWHERE), transaction.atomic():
        call = PlannedCall.objects.get(pk=planned_id)
        person = CampaignPerson.objects.select_for_update(of=("self",)).filter(pk=int(number), state="open").first()
        if person is None:
            return
        row = person.campaign
        person.planned_id, person.why, now = planned_id, call.why, clock.now()
        person.tried += max(call.tried, 1 if call.result in {"reached", "raised"} else 0)
        robot = Call.objects.filter(call_id=call.last_call_id).first() if call.last_call_id else None
        person.answered = person.answered or call.result == "reached" or bool(robot and robot.answered_at)
        if call.result in {"well", "help", "reached", "raised"}:
            person.state, person.key, person.why = "done", call.key, ""
        elif call.result == "skipped" and person.elder_id is not None:
            person.state = "left_out"
        elif not call.tried and not call.done_by and call.result in {"missed", "skipped"} and not row.now_in.is_final:
            person.state = "waiting"
            _put_off(person, call.why if person.elder_id is not None or call.why == planned.TOO_LATE else rules.NOT_NOW)
        elif person.tried < row.tries and not call.done_by:  # an agent who writes "no more" has the last word
            person.state, person.next_at = "waiting", now + timedelta(minutes=row.gap_minutes if call.tried else 1)
            if row.now_in.is_final:
                person.state, person.why = "left_out", "外呼任务停止"
        else:
            person.state = "missed"
            person.why = "坐席写明：不再联系" if call.done_by else person.why
        person.done_at = None if person.state == "waiting" else now
        person.save()
        if person.key == rules.NO_MORE:
            refuse(person)
        if row.state == "running":
            feed_soon.defer(campaign_id=row.pk, key=f"campaign:{row.pk}")


def refuse(person: CampaignPerson) -> None:
    """She does not want to be rung for such things: her number is passed over by every campaign from now on."""
    if person.number_index:
        DoNotCall.objects.get_or_create(
            number_index=person.number_index, defaults={"place": person.place, "since": clock.now()}
        )


@transaction.atomic
def write_up(*, by: Actor, planned_id: int, how: str, key: str = "", note: str = "", needs: str = "") -> None:
    """An agent spoke with her (`reached`, with the answer), nobody lifted (`no_answer`: again later), or no more (`close`).

    An answer "9" says that she wants no such calls at all.
    """
    call = PlannedCall.objects.filter(pk=planned_id).first()
    with seen_by(EVERYWHERE):
        number = call.ref.partition(":")[2] if call is not None else ""
        person = CampaignPerson.objects.filter(pk=int(number)).first() if number.isdigit() else None
    if call is None or person is None:
        raise NotAllowed("没有这一条，请刷新页面。", code="not_here")
    labels = person.campaign.labels
    if how == "reached":
        if key not in {*labels, rules.NO_MORE} and (labels or key):
            raise NotAllowed("请选她的回答。", code="needs")
        said = note.strip() or rules.label_of(key, labels)
        planned.reached(by=by, planned_id=planned_id, note=said, needs=needs, key=key)
    elif how == "no_answer":
        planned.not_lifted(by=by, planned_id=planned_id)
    else:
        planned.close(by=by, planned_id=planned_id, reason=note)


def after_move(row: Campaign, done: Movement) -> None:
    """Listener of every move: when it ends, nobody of it is rung any more."""
    if row.now_in.is_final:
        row.over_at = clock.now()
        row.save(update_fields=["over_at"])
        with seen_by(EVERYWHERE):
            leave(row, "外呼任务停止" if done.now == "stopped" else "")
    changed("planned", row.pk, row.place)
