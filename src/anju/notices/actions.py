"""What may be done with messages. `send` only writes; the worker carries out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.forgetting import FORGOTTEN
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.notices import jobs
from anju.notices.drivers import Driver, Letter, Refused, TryAgain, driver_for
from anju.notices.models import Notice
from anju.notices.templates import render

PLATFORM = "platform"
BACKOFF = (5, 15, 60, 300, 900, 3600)
"""Seconds before the next try; after the last one it has failed."""
SWEEP = timedelta(seconds=5)
CLAIM = timedelta(seconds=60)
"""A send that is older than this has lost its process."""
State = Notice.State


@dataclass(frozen=True, slots=True)
class To:
    """A receiver: a user of the platform, or a person with a number."""

    name: str
    user_id: int | None = None
    number: str = ""


def send(*, to: To, template: str, data: dict[str, Any], channel: str, key: str, place: str, ref: str = "") -> Notice:
    """Write one message into the outbox, in the caller's transaction. The same `key` again changes nothing."""
    title, text, urgent = render(template, data)
    now = clock.now()
    notice = Notice(
        key=key, channel=channel, template=template, place=place, ref=ref, user_id=to.user_id, whom=to.name,
        number=to.number, title=title, text=text, urgent=urgent, created_at=now, next_at=now,
    )  # fmt: skip
    if channel == PLATFORM:
        notice.state, notice.sent_at, notice.next_at = State.SENT, now, None
    elif driver_for(channel) is None:
        notice.state, notice.next_at, notice.error = State.HELD, None, f"没有配置 {channel} 通道"
    try:
        with transaction.atomic():
            notice.save(force_insert=True)
    except IntegrityError:
        return Notice.unscoped.get(key=key)
    if notice.state == State.WAITING:
        jobs.deliver.defer(notice_id=notice.pk)
    changed("notice", notice.pk, place)
    return notice


def deliver(*, notice_id: int) -> str:
    """Carry one message out; the state it ends in. A crash at any point sends it at most once more, with the same key."""
    with seen_by(EVERYWHERE):
        notice = _claim(notice_id)
        if notice is None:
            return ""
        driver = driver_for(notice.channel)
        if driver is None:
            return _settle(notice, State.HELD, "通道已停用")
        try:
            driver.send(_letter(notice))
        except Refused as error:
            return _settle(notice, State.FAILED, str(error))
        except TryAgain as error:
            return _again(notice, driver, str(error))
        return _settle(notice, State.SENT, "")


def sweep(*, limit: int = 50) -> int:
    """Send what is due again, the urgent first, and judge what was left in the middle. Run every few seconds by the worker.

    A receiver that does not answer costs twelve seconds a message; who calls has other things to watch. So after SWEEP no
    further one is begun, and the next round goes on.
    """
    now = clock.now()
    with seen_by(EVERYWHERE):
        lost = Notice.objects.filter(state=State.SENDING, claimed_at__lt=now - CLAIM)
        for notice in lost[:limit]:
            _judge(notice.pk)
        due = Notice.objects.filter(state=State.WAITING, next_at__lte=now).order_by("-urgent", "next_at")[:limit]
        return sum(deliver(notice_id=n.pk) != "" for n in due if clock.now() - now < SWEEP)


@transaction.atomic
def receipt(*, token: str, status: str) -> bool:
    """A receiver reports: delivered, read or failed. False for an unknown token or a report that changes nothing."""
    with seen_by(EVERYWHERE):
        notice = Notice.objects.select_for_update().filter(token=token).first()
        if notice is None or status not in {"delivered", "read", "failed"}:
            return False
        if notice.state in {State.WAITING, State.HELD} or (status == "delivered" and notice.state == State.READ):
            return False
        now = clock.now()
        if status == "failed":
            notice.state, notice.error = State.FAILED, "对方回执：未送达"
        else:
            notice.state = State.READ if status == "read" else State.DELIVERED
            notice.delivered_at = notice.delivered_at or now
            notice.read_at = now if status == "read" else notice.read_at
        notice.next_at = None
        notice.save(update_fields=["state", "error", "delivered_at", "read_at", "next_at"])
        changed("notice", notice.pk, notice.place)
        return True


def forget(*, refs: Collection[str]) -> int:
    """Empty what these messages said and to whom, when the data of the person they were about are deleted; how many.

    When, by which channel and with what result stay; what was not sent yet never will be.
    """
    with seen_by(EVERYWHERE):
        rows = Notice.objects.filter(ref__in=refs)
        rows.filter(state__in=[State.WAITING, State.HELD]).update(state=State.FAILED, next_at=None)
        return rows.update(whom=FORGOTTEN, number="", title=FORGOTTEN, text=FORGOTTEN, error="")


@transaction.atomic
def read(*, notice_id: int, user_id: int) -> None:
    """The user has seen her message."""
    with seen_by(EVERYWHERE):
        mine = Notice.objects.filter(pk=notice_id, user_id=user_id, read_at=None)
        mine.update(read_at=clock.now(), state=State.READ)


@transaction.atomic
def _claim(notice_id: int) -> Notice | None:
    now = clock.now()
    ready = Q(state=State.WAITING) & Q(next_at__lte=now)
    notice = Notice.objects.select_for_update(skip_locked=True).filter(ready, pk=notice_id).first()
    if notice is None:
        return None
    notice.state, notice.claimed_at, notice.tries = State.SENDING, now, notice.tries + 1
    notice.save(update_fields=["state", "claimed_at", "tries"])
    return notice


@transaction.atomic
def _judge(notice_id: int) -> None:
    """The process died between handing over and writing it down: repeat only where the receiver throws repeats away."""
    notice = Notice.objects.select_for_update(skip_locked=True).filter(pk=notice_id, state=State.SENDING).first()
    if notice is None:
        return
    driver = driver_for(notice.channel)
    if driver is not None and driver.dedupes:
        _wait(notice, "发送中断，用同一编号再发")
    else:
        _settle(notice, State.UNKNOWN, "发送中断，不知是否发出，不自动重发")


def _again(notice: Notice, driver: Driver, why: str) -> str:
    if notice.tries > len(BACKOFF):
        return _settle(notice, State.FAILED, why)
    if not driver.dedupes and why.startswith("Read"):  # it may have arrived
        return _settle(notice, State.UNKNOWN, why)
    return _wait(notice, why)


def _wait(notice: Notice, why: str) -> str:
    seconds = BACKOFF[min(notice.tries, len(BACKOFF)) - 1] if notice.tries else BACKOFF[0]
    notice.state, notice.error = State.WAITING, why[:200]
    notice.next_at = clock.now() + timedelta(seconds=seconds)
    notice.save(update_fields=["state", "error", "next_at"])
    return State.WAITING


def _settle(notice: Notice, state: Notice.State, why: str) -> str:
    with transaction.atomic():
        fresh = Notice.objects.select_for_update().get(pk=notice.pk)
        if fresh.state == State.SENDING:  # a receipt may have been quicker
            fresh.state = state
        fresh.error, fresh.next_at = why[:200], None
        fresh.sent_at = clock.now() if state == State.SENT else fresh.sent_at
        fresh.save(update_fields=["state", "error", "next_at", "sent_at"])
        changed("notice", fresh.pk, fresh.place)
    return fresh.state


def _letter(notice: Notice) -> Letter:
    return Letter(
        notice.key, notice.channel, notice.whom, notice.number, notice.title, notice.text, notice.urgent,
        f"/receipts/{notice.token}",
    )  # fmt: skip
