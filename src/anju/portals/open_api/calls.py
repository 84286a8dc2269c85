"""Calls, recordings and figures for machines: what the district's pages show, with the same scope and the same traces."""

# ruff: noqa: ARG001, FBT001 - every operation takes the request, and a query parameter may be yes or no
from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, get_args
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Header, Path, Query, Router
from ninja.errors import HttpError

from anju.accounts.roles import Role
from anju.calls.kpis import KPIS, By, Chosen, Counts, report
from anju.calls.queries import listing
from anju.calls.recordings import actions as recording_actions
from anju.calls.recordings import queries as recordings
from anju.calls.recordings import ranges
from anju.calls.recordings.vault import Unreadable
from anju.kernel import clock
from anju.portals.open_api import errors
from anju.portals.open_api.access import actor_of, as_user
from anju.portals.open_api.cursors import LARGEST, pack, unpack
from anju.portals.open_api.schemas import CallCaseOut, CallOut, KpisOut, Page, Problem, RecordingOut
from anju.supervision import queries as supervision

router = Router(tags=["话务"])
CALLS = (Role.LEAD, Role.QUALITY, Role.BUREAU)
REFUSALS: dict[int, Any] = dict.fromkeys((400, 401, 403, 404, 422), Problem)
Limit = Annotated[int, Query(ge=1, le=200, description="每页条数")]
Cursor = Annotated[str, Query(max_length=64, description="上一页的 next", pattern=r"^[A-Za-z0-9_\-]*$")]
Place = Annotated[str, Query(max_length=14, pattern=r"^([0-9]{12}([0-9]{2})?)?$", description="12 位区划代码，含下级")]
Word = Annotated[str, Query(max_length=40, pattern=r"^[a-z_]*$")]
Code = Annotated[str, Query(max_length=20, pattern=r"^[A-Za-z0-9_\-]*$")]
Groups = Annotated[str, Query(pattern="^(all|hour|day|week|month|hour_of_day|queue|group|user|seat)$")]
LONGEST = timedelta(days=366)


def _aware(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if not 2000 <= at.year <= 2200:
        raise HttpError(422, "时间要在 2000 到 2200 年之间。")
    return at if at.tzinfo else at.replace(tzinfo=clock.SHANGHAI)


@router.get("/calls", response={200: Page[CallOut], **REFUSALS}, summary="通话列表")
@as_user(*CALLS)
def list_calls(
    request: HttpRequest, limit: Limit = 50, cursor: Cursor = "", since: datetime | None = None, until: datetime | None = None,
    direction: Annotated[str, Query(pattern="^(in|out|)$")] = "", result: Word = "", queue: Code = "", seat: Code = "",
    agent_id: Annotated[int | None, Query(ge=1, le=LARGEST)] = None, home_id: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
    emergency: bool | None = None, place: Place = "",
) -> Any:  # fmt: skip
    """By time of arrival. `result`: answered, abandoned, no_answer, busy, refused, lost, rescued, or `missed` (incoming, nobody took it)."""
    rows = listing.listed(
        limit=limit + 1, before_id=unpack(cursor), since=_aware(since), until=_aware(until), direction=direction, result=result, queue=queue,
        seat=seat, user_id=agent_id, home_id=home_id, emergency=emergency, place=place,
    )  # fmt: skip
    return {"items": rows[:limit], "next": pack(rows[limit - 1].id) if len(rows) > limit else None}


@router.get("/calls/{call_id}", response={200: CallCaseOut, **REFUSALS}, summary="一通电话，含各方与录音")
@as_user(*CALLS)
def one_call(request: HttpRequest, call_id: UUID) -> Any:
    """The parties with their times, and what was recorded."""
    found = listing.detail(str(call_id))
    if found is None:
        return errors.problem(404, "没有这通电话，或不在令牌的辖区内。请核对通话号。", "missing")
    sounds = recordings.of_calls([str(call_id)]).get(str(call_id), [])
    return {"call": found.row, "legs": found.legs, "recordings": sounds}


@router.get("/recordings", response={200: Page[RecordingOut], **REFUSALS}, summary="录音列表")
@as_user(*CALLS)
def list_recordings(
    request: HttpRequest, limit: Limit = 50, cursor: Cursor = "", since: datetime | None = None, until: datetime | None = None,
    call_id: UUID | None = None,
    only: Annotated[str, Query(pattern="^(unclaimed|repaired|silent|bad|held|uncopied|deleted|)$")] = "",
    track: Annotated[str, Query(pattern="^(mixed|in|out|bridge|)$")] = "",
) -> Any:  # fmt: skip
    """What is kept, with digest, length and the last day of keeping."""
    rows = recordings.page(
        limit=limit + 1, before_id=unpack(cursor), call_id=str(call_id) if call_id else "", since=_aware(since), until=_aware(until), only=only,
        track=track,
    )  # fmt: skip
    return {"items": rows[:limit], "next": pack(rows[limit - 1].id) if len(rows) > limit else None}


@router.get(
    "/recordings/{recording_id}/audio",
    response={**REFUSALS, 409: Problem, 416: Problem},
    summary="录音的声音（WAV，支持 Range）",
)
@as_user(*CALLS)
def audio(
    request: HttpRequest, recording_id: Annotated[int, Path(ge=1, le=LARGEST)],
    reason: Annotated[str, Query(max_length=80, description="为什么要听，留痕", pattern=r"^[^\x00-\x1f]*$")] = "",
    range_: Annotated[str, Header(alias="Range", max_length=60)] = "",
) -> Any:  # fmt: skip
    """200 with the whole file, 206 with the part that `Range` asks for (at most 1 MiB at a time). `reason` is required."""
    by = actor_of(request)
    row = recordings.recording(recording_id)
    sound = recordings.sound(row)
    try:
        part = ranges.part_of(range_, sound.length)
        recording_actions.listen(recording_id=recording_id, by=by, reason=reason, again=True)
        body = b"".join(sound.read(part.start, part.count))
    except ranges.Unsatisfiable:
        return errors.problem(416, f"Range 超出了文件，全长 {sound.length} 字节。", "range")
    except (Unreadable, FileNotFoundError):
        return errors.problem(409, "录音文件读不出来，已列入待恢复，请稍后再取。", "unreadable")
    return HttpResponse(body, status=200 if part.whole else 206, content_type="audio/wav", headers=part.headers)


@router.get("/kpis", response={200: KpisOut, **REFUSALS}, summary="话务指标，附计数与口径")
@as_user(*CALLS)
def kpis(
    request: HttpRequest, since: datetime | None = None, until: datetime | None = None, by: Groups = "all", queue: Code = "", group: Code = "",
    seat: Code = "", agent_id: Annotated[int | None, Query(ge=1, le=LARGEST)] = None, emergency: bool | None = None,
) -> Any:  # fmt: skip
    """The last 24 hours by default, at most a year (31 days by hour). Every value can be computed again from `counts`."""
    end = _aware(until) or clock.now()
    start = _aware(since) or end - timedelta(days=1)
    longest = timedelta(days=31) if by == "hour" else LONGEST
    if not timedelta(0) < end - start <= longest:
        return errors.problem(422, f"since 要早于 until，相差不超过 {longest.days} 天。", "span")
    chosen = Chosen(start, end, queue=queue, group=group, user_id=agent_id, seat=seat, emergency=emergency)
    wanted: By = next(b for b in get_args(By) if b == by)
    found = report(chosen, wanted)
    narrowed = bool(queue or group or seat or agent_id or emergency is not None)
    audited = {} if narrowed else supervision.counts(since=start, until=end, by=by)
    whole = found.total + ({} if narrowed else supervision.counts(since=start, until=end)).get("", Counts())
    return {
        "since": start, "until": end, "by": by, "counts": asdict(whole),
        "total": [
            {
                "name": k.name, "label": k.label, "unit": k.unit, "value": k.of(whole), "target": k.target, "met": k.met(k.of(whole)),
                "sentence": k.sentence, "basis": k.basis,
            }
            for k in KPIS.values()
        ],
        "lines": [_line(line.key, line.counts + audited.get(line.key, Counts())) for line in found.lines],
    }  # fmt: skip


def _line(key: str, counts: Counts) -> dict[str, Any]:
    return {"key": key, "values": {k.name: k.of(counts) for k in KPIS.values()}, "counts": asdict(counts)}
