"""Making a campaign, starting, pausing, going on, stopping; and what is written down when its results are taken out."""

from __future__ import annotations

from django.db import transaction

from anju.accounts.permissions import must
from anju.calls.campaigns import rules
from anju.calls.campaigns.jobs import feed
from anju.calls.campaigns.models import Campaign, CampaignPerson
from anju.calls.planned import actions as planned
from anju.calls.planned.queries import night_at
from anju.kernel import audit, clock
from anju.kernel.flow import engine
from anju.kernel.flow.engine import Actor, NotAllowed

MAY = "call.campaign"


@transaction.atomic
def made(*, by: Actor, place: str, it: rules.Wanted) -> Campaign:
    """A draft with an empty list. Refused where it could never run: no words, no days to come, at night."""
    must(by, MAY)
    if not place:
        raise NotAllowed("请选属于哪里。", code="needs")
    if problem := rules.fault(it, clock.today(), night_at(place)):
        raise NotAllowed(problem, code="needs")
    row = Campaign(
        place=place, name=it.name.strip()[:40], purpose=it.purpose.strip()[:200], way=it.way, says=it.says.strip()[:500],
        labels=dict(it.labels), first=it.first, until=it.until, from_at=it.from_at, until_at=it.until_at, at_once=it.at_once,
        tries=it.tries, gap_minutes=it.gap_minutes, made_by=by.name[:60], made_at=clock.now(),
    )  # fmt: skip
    engine.begin(row, by)
    _note(row, "campaign.made")
    return row


@transaction.atomic
def start(*, by: Actor, campaign_id: int) -> Campaign:
    """From now on it rings whenever its window is open."""
    row = mine(by, campaign_id)
    if not CampaignPerson.unscoped.filter(campaign=row, state="waiting").exists():
        raise NotAllowed("名单里没有能拨的人，请先加人。", code="needs")
    if row.until < clock.today():
        raise NotAllowed("结束日期已经过去，请另建一个。", code="needs")
    row.started_at = clock.now()
    row.save(update_fields=["started_at"])
    engine.make(row, "start", by)
    feed.defer(campaign_id=row.pk)
    _note(row, "campaign.started")
    return row


@transaction.atomic
def pause(*, by: Actor, campaign_id: int) -> Campaign:
    """Nobody else is rung; calls that are up go on."""
    row = mine(by, campaign_id)
    engine.make(row, "pause", by)
    _call_off(row, "外呼任务暂停", agents=False)
    _note(row, "campaign.paused")
    return row


@transaction.atomic
def resume(*, by: Actor, campaign_id: int) -> Campaign:
    """It goes on where it stopped."""
    row = mine(by, campaign_id)
    engine.make(row, "resume", by)
    feed.defer(campaign_id=row.pk)
    _note(row, "campaign.resumed")
    return row


@transaction.atomic
def stop(*, by: Actor, campaign_id: int) -> Campaign:
    """It is over: who was not rung is not rung any more; calls that are up go on."""
    row = mine(by, campaign_id)
    engine.make(row, "stop", by)
    _note(row, "campaign.stopped")
    return row


@transaction.atomic
def noted_export(*, by: Actor, campaign_id: int, reason: str) -> Campaign:
    """Somebody takes the results out; who, why and which stay in the audit."""
    row = mine(by, campaign_id)
    if not reason.strip():
        raise NotAllowed("请写为什么导出。", code="reason")
    audit.record(
        "campaign.exported", subject="campaign", subject_id=row.pk, place=row.place, reason=reason.strip()[:100]
    )
    return row


def mine(by: Actor, campaign_id: int) -> Campaign:
    """The campaign in the asker's scope, locked; NotAllowed else."""
    must(by, MAY)
    row = Campaign.objects.select_for_update(of=("self",)).filter(pk=campaign_id).first()
    if row is None:
        raise NotAllowed("没有这个外呼任务，请刷新页面。", code="not_here")
    return row


def leave(row: Campaign, why: str) -> None:
    """Nobody of it is rung any more: open calls are called off, who waits is left out with the reason."""
    people = CampaignPerson.unscoped.filter(campaign=row, state="waiting")
    people.update(state="left_out", why=why, done_at=clock.now())
    _call_off(row, why, agents=True)
    people.update(state="left_out", why=why, done_at=clock.now())


def _call_off(row: Campaign, why: str, *, agents: bool) -> None:
    if row.way == "agent" and not agents:
        return
    ids = CampaignPerson.unscoped.filter(campaign=row, state="open").values_list("pk", flat=True)
    planned.call_off_unless_up([f"campaign:{pk}" for pk in ids], why=why)


def _note(row: Campaign, what: str) -> None:
    audit.record(what, subject="campaign", subject_id=row.pk, place=row.place, detail={"state": row.state})
