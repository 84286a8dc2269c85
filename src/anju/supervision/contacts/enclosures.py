"""What lies in a WeChat message: a picture, a voice, the still of a video.

The message is there at once and says what it is; the file is fetched by a job, judged by what it holds and not by what it is
called, and sealed in its row as the scans of signed papers are: one backup holds it, one deletion takes it. Given out for a
reason that is kept. When it cannot be had the message stays and says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from anju.kernel import audit, clock, crypto
from anju.kernel.changes import changed
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.supervision.contacts import jobs, wechat
from anju.supervision.contacts.models import Contact, Enclosure, WechatAccount

if TYPE_CHECKING:
    import httpx

KEPT = timedelta(days=3)
"""How long WeChat keeps it."""
A_ROUND = 50
"""So many are asked for in one round."""
TYPES = {"jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "amr": "audio/amr", "mp3": "audio/mpeg"}
SOUNDS = frozenset({"amr", "mp3"})
NO_SECRET = "后台“微信公众号”里没有填 AppSecret，文件取不下来；请系统管理员补填，三天内会自动去取"  # noqa: S105  words for people
TOO_LATE = "微信只保留三天，没有来得及取下来"
_BOUND = "contacts.enclosure.content"
TRANSPORT: httpx.BaseTransport | None = None
"""Tests put WeChat's other end here."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """One of them as a page lists it; its content is not read."""

    id: int
    contact_id: int
    label: str
    at: datetime
    state: str
    state_label: str
    problem: str
    size: int
    is_sound: bool


@dataclass(frozen=True, slots=True)
class File:
    """As it is given out."""

    name: str
    content_type: str
    body: bytes


def expect(row: Contact, media: Iterable[tuple[str, str]]) -> None:
    """These belong to the message: they will be fetched."""
    for kind, number in media:
        made = Enclosure.objects.create(contact=row, kind=kind, media_id=number, at=clock.now())
        jobs.fetch.defer(enclosure_id=made.pk)


def fetch(*, enclosure_id: int) -> None:
    """Ask WeChat for it. Done twice, the second time finds nothing to do. The network is not waited for in a transaction."""
    with seen_by(EVERYWHERE):
        row = Enclosure.objects.filter(pk=enclosure_id, state="waiting").first()
        if row is None:
            return
        if clock.now() > row.at + KEPT:
            _is(row, "lost", problem=TOO_LATE)
            return
        try:
            body = _source().media(row.media_id)
            form = form_of(row.kind, body)
        except wechat.Later as why:
            _is(row, "waiting", problem=str(why))
        except wechat.Never as why:
            _is(row, "lost", problem=str(why))
        else:
            _is(row, "here", form=form, size=len(body), sha256=hashlib.sha256(body).hexdigest(),
                content=crypto.seal(body, _BOUND), media_id="", problem="")  # fmt: skip


def fetch_left() -> int:
    """Whatever still waits, the oldest first; how many were asked for."""
    with seen_by(EVERYWHERE):
        left = list(Enclosure.objects.filter(state="waiting").order_by("pk").values_list("pk", flat=True)[:A_ROUND])
    for enclosure_id in left:
        fetch(enclosure_id=enclosure_id)
    return len(left)


def _source() -> wechat.Source:
    account = WechatAccount.objects.filter(active=True).first()
    if account is None or not account.app_secret:
        raise wechat.Later(NO_SECRET)
    return wechat.Wechat(account.app_id, account.app_secret, transport=TRANSPORT)


def form_of(kind: str, body: bytes) -> str:
    """`jpeg`, `png`, `gif`, `amr` or `mp3` by what the file holds; wechat.Never for anything else and for what is not whole."""
    tail = body[-2048:]
    if body.startswith(b"\xff\xd8\xff"):
        form, whole = "jpeg", b"\xff\xd9" in tail
    elif body.startswith(b"\x89PNG\r\n\x1a\n"):
        form, whole = "png", b"IEND" in tail
    elif body[:6] in {b"GIF87a", b"GIF89a"}:
        form, whole = "gif", tail.endswith(b";")
    elif body.startswith(b"#!AMR"):
        form, whole = "amr", True
    elif body.startswith(b"ID3") or (body[:1] == b"\xff" and body[1:2] in {b"\xfb", b"\xf3", b"\xf2"}):
        form, whole = "mp3", True
    else:
        raise wechat.Never("文件的内容既不是图片也不是语音，没有收下")
    if (form in SOUNDS) != (kind == "voice"):
        raise wechat.Never("文件的内容和它说的不一样，没有收下")
    if not whole:
        raise wechat.Later("文件没有取全，会再试")
    return form


@transaction.atomic
def _is(row: Enclosure, state: str, **what: object) -> None:
    now = Enclosure.objects.select_for_update(of=("self",)).select_related("contact").get(pk=row.pk)
    if now.state != "waiting":  # another worker, or she was forgotten meanwhile
        return
    Enclosure.objects.filter(pk=row.pk).update(state=state, **what)
    changed("contact", now.contact_id, now.contact.place)


@transaction.atomic
def look(*, enclosure_id: int, reason: str, by: Actor) -> File:
    """The file, for who deals with messages, in her scope, for a reason that is kept."""
    if not {"agent", "lead", "quality"} & {str(r) for r in by.roles}:
        raise NotAllowed("留言里的图片和语音由办理的坐席查看。", code="not_you")
    why = reason.replace("\x00", "").strip()[:120]
    if not why:
        raise NotAllowed("请写查看的原因，事后要能查。", code="needs")
    row = Enclosure.objects.select_related("contact").filter(pk=enclosure_id).first()
    if row is None or row.state != "here":
        raise NotAllowed("没有这个文件，或已经删除。", code="not_here")
    audit.record(
        "contact.enclosure", subject="contact", subject_id=row.contact_id, place=row.contact.place, reason=why,
        detail={"enclosure": row.pk, "sha256": row.sha256},
    )  # fmt: skip
    try:
        body = crypto.unseal(bytes(row.content), _BOUND)
    except crypto.Undecipherable as broken:
        raise NotAllowed("文件读不出来，请报系统管理员。", code="not_here") from broken
    return File(f"{row.contact.number}-{row.pk}.{'jpg' if row.form == 'jpeg' else row.form}", TYPES[row.form], body)


def of(contact_ids: Iterable[int]) -> list[Enclosed]:
    """What lies in these messages, in the order in which it came."""
    rows = Enclosure.objects.filter(contact_id__in=list(contact_ids)).defer("content", "media_id").order_by("pk")
    return [
        Enclosed(r.pk, r.contact_id, r.get_kind_display(), r.at, r.state, r.get_state_display(), r.problem, r.size, r.form in SOUNDS)
        for r in rows
    ]  # fmt: skip


def forget(contact_ids: Iterable[int]) -> int:
    """A person's data are deleted: the contents go with her words, also what was still to be fetched. How many."""
    rows = Enclosure.objects.filter(contact_id__in=list(contact_ids))
    return rows.update(state="gone", content=b"", media_id="", problem="")
