"""A utility's daily file: readings of water, electricity and gas meters, or call records, answered row by row (SEN-04)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from anju.accounts.permissions import ALLOWED
from anju.alarms import utility
from anju.portals.open_api import errors
from anju.portals.open_api.access import actor_of, as_user
from anju.portals.open_api.schemas import Problem

router = Router(tags=["信号"])
LARGEST_BODY = 4 * 1024 * 1024
REFUSALS: dict[int, Any] = dict.fromkeys((400, 401, 403, 413, 422), Problem)


class RefusedOut(Schema):
    """A row that was not taken, and why."""

    line: int
    who: str
    why: str


class MetersOut(Schema):
    """Every row of the file is counted once."""

    taken: int
    known: int
    refused: list[RefusedOut]


@router.post("/meters", response={200: MetersOut, **REFUSALS}, summary="水电气、话单的每日文件")
@as_user(*sorted(ALLOWED["meters.deliver"]))
def deliver(request: HttpRequest) -> Any:
    """The body is CSV (`meter,kind,at,total`, or `elder` with a file number) or JSON (a list of such rows, Content-Type
    application/json). `total` is the meter's reading in m³ or kWh, for calls the seconds. Sent again, a row counts as known.
    Without a signed consent a reading is refused and not kept.
    """
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY or len(request.body) > LARGEST_BODY:
        return errors.problem(413, "文件超过 4 MB，请分开传。", "size")
    try:
        rows, refused = utility.read(request.body, is_json="json" in (request.content_type or ""))
    except utility.BadFile as bad:
        return errors.problem(422, str(bad), "file")
    result = utility.deliver(rows=rows, by=actor_of(request), refused=refused)
    return {"taken": result.taken, "known": result.known, "refused": [vars_of(r) for r in result.refused[:1000]]}


def vars_of(row: utility.Refused) -> dict[str, Any]:
    """A refused row as it is answered."""
    return {"line": row.line, "who": row.who, "why": row.why}
