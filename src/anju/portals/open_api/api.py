"""The open interface for machines: regulator, providers, measuring tools. Described at /api/openapi.json.

Lists are pages `{items, next}`, the newest first; `next` is handed back as `cursor`. Tokens are issued by the security
administrator and see exactly what their user sees on the pages.
"""

# ruff: noqa: ARG001, FBT001 - every operation takes the request, and a query parameter may be yes or no
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from django.db import transaction
from django.http import HttpRequest
from ninja import Header, NinjaAPI, Path, Query
from ninja.errors import HttpError

from anju.accounts.permissions import ALLOWED
from anju.accounts.roles import Role
from anju.alarms import queries as alarms
from anju.devices import queries as devices
from anju.devices.queries import DeviceHealth
from anju.elders import queries as elders
from anju.incidents import actions as incident_actions
from anju.incidents import queries as incidents
from anju.kernel import clock, hooks, locks
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places import queries as places
from anju.portals.open_api import calls, errors, keys, meters
from anju.portals.open_api.access import Bearer, actor_of, as_user, user_of
from anju.portals.open_api.cursors import LARGEST, pack, unpack
from anju.portals.open_api.schemas import (
    AlarmOut,
    CaseOut,
    DeviceOut,
    ElderOut,
    HealthOut,
    IncidentOut,
    MoveIn,
    Page,
    Problem,
    SignalOut,
)
from anju.signals import queries as signals

CARE = (Role.AGENT, Role.LEAD, Role.QUALITY, Role.BUREAU, Role.STREET, Role.COMMUNITY)
FIELD = (*CARE, Role.DISPATCHER, Role.INSTALLER)
BOOKS = (Role.BUREAU, Role.LEAD, Role.QUALITY, Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN)
READERS = tuple(sorted(ALLOWED["elder.read"] - {Role.FAMILY, Role.ELDER}))

api = NinjaAPI(
    title="安居 开放接口", version="1", description=__doc__ or "", docs_url=None, openapi_url="/openapi.json", auth=Bearer(),
    urls_namespace="open_api",
)  # fmt: skip
errors.install(api)
api.add_router("", calls.router)
api.add_router("", meters.router)

T = TypeVar("T")
Id = Annotated[int, Path(ge=1, le=LARGEST)]
Limit = Annotated[int, Query(ge=1, le=200, description="每页条数")]
Cursor = Annotated[str, Query(max_length=64, description="上一页的 next", pattern=r"^[A-Za-z0-9_\-]*$")]
Word = Annotated[str, Query(max_length=40, pattern=r"^[a-z_]*$")]
Place = Annotated[str, Query(max_length=14, pattern=r"^([0-9]{12}([0-9]{2})?)?$", description="12 位区划代码，含下级")]
Number = Annotated[int | None, Query(ge=1, le=LARGEST)]
Text = Annotated[str, Query(max_length=40, pattern=r"^[^\x00-\x1f]*$")]
REFUSALS: dict[int, Any] = dict.fromkeys((400, 401, 403, 404, 422), Problem)


def _page(rows: list[T], limit: int, ident: str = "id") -> dict[str, Any]:
    """`rows` holds one more than asked for when there is a next page."""
    more = len(rows) > limit
    return {"items": rows[:limit], "next": pack(int(getattr(rows[limit - 1], ident))) if more else None}


@api.get("/incidents", response={200: Page[IncidentOut], **REFUSALS}, tags=["事件"], summary="事件列表")
@as_user(*CARE)
def list_incidents(
    request: HttpRequest, limit: Limit = 50, cursor: Cursor = "", state: Word = "", home_id: Number = None,
    priority: Annotated[int | None, Query(ge=0, le=9)] = None, number: Text = "",
) -> Any:  # fmt: skip
    """`state` is a state of the process, or `open`."""
    rows = incidents.page(
        actor_of(request).roles,
        limit=limit + 1,
        before_id=unpack(cursor),
        state=state,
        home_id=home_id,
        priority=priority,
        text=number,
    )
    return _page(rows, limit)


@api.get(
    "/incidents/{incident_id}",
    response={200: CaseOut, **REFUSALS},
    tags=["事件"],
    summary="一起事件，含经过与可做的动作",
)
@as_user(*CARE)
def one_incident(request: HttpRequest, incident_id: Id) -> Any:
    """The timeline and the moves that the token's user may make now."""
    by = actor_of(request)
    return incidents.case(incident_id, by.roles, by.user_id)


@api.post(
    "/incidents/{incident_id}/moves/{move}",
    response={200: CaseOut, 409: Problem, **REFUSALS},
    tags=["事件"],
    summary="做一个动作",
)
@as_user(Role.AGENT, Role.LEAD)
def make_move(
    request: HttpRequest,
    incident_id: Id,
    move: Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9_]+$")],
    payload: MoveIn,
    idempotency_key: Annotated[str, Header(max_length=80, alias="Idempotency-Key")] = "",
) -> Any:
    """409 says in Chinese why not and what to do. The same idempotency key is done once and answers as the first time."""
    by, key = actor_of(request), idempotency_key or payload.idempotency_key
    keys.check(payload, key)

    def act() -> None:
        with transaction.atomic():
            incidents.head(incident_id, by.roles)
            if keys.first(user_of(request), key, f"{incident_id}/{move}"):
                with keys.readable():
                    incident_actions.move(
                        incident_id=incident_id, move=move, by=by, note=payload.reason, data=payload.data
                    )

    locks.again(act)
    return incidents.case(incident_id, by.roles, by.user_id)


@api.get("/alarms", response={200: Page[AlarmOut], **REFUSALS}, tags=["信号"], summary="告警")
@as_user(*FIELD)
def list_alarms(
    request: HttpRequest, limit: Limit = 50, cursor: Cursor = "", state: Word = "", home_id: Number = None, device_id: Number = None,
    technical: bool | None = None,
) -> Any:  # fmt: skip
    """Every press is a row; `state`: open, joined, closed, drill."""
    rows = alarms.page(
        limit=limit + 1,
        before_id=unpack(cursor),
        state=state,
        home_id=home_id,
        device_id=device_id,
        technical=technical,
    )
    return _page(rows, limit)


@api.get("/signals", response={200: Page[SignalOut], **REFUSALS}, tags=["信号"], summary="信号")
@as_user(*FIELD)
def list_signals(
    request: HttpRequest, limit: Limit = 50, cursor: Cursor = "", kind: Word = "", outcome: Word = "", home_id: Number = None,
    device_id: Number = None, since: datetime | None = None,
) -> Any:  # fmt: skip
    """`outcome`: no_alarm, opened, joined, drill, quarantined, pending. `since` is the time of receipt."""
    given = {
        "kind": kind,
        "outcome": outcome,
        "home_id": home_id,
        "device_id": device_id,
        "received_at__gte": _aware(since),
    }
    rows = signals.recent(
        limit + 1, unpack(cursor), **{name: value for name, value in given.items() if value not in ("", None)}
    )
    return _page(rows, limit)


@api.get("/devices", response={200: Page[DeviceOut], **REFUSALS}, tags=["设备"], summary="在用设备与健康")
@as_user(*FIELD)
def list_devices(
    request: HttpRequest, limit: Limit = 50, cursor: Cursor = "", place: Place = "", home_id: Number = None
) -> Any:
    """In order of id."""
    chosen: dict[str, Any] = {"place__startswith": places.prefix_of(place)} if place else {}
    if home_id is not None:
        chosen["home_id"] = home_id
    rows = devices.health(after_id=unpack(cursor) or 0, limit=limit + 1, **chosen)
    shown = [_device(row) for row in rows[:limit]]
    return {"items": shown, "next": pack(shown[-1]["id"]) if len(rows) > limit else None}


def _device(row: DeviceHealth) -> dict[str, Any]:
    names = (
        "id",
        "imei",
        "operator_id",
        "product_code",
        "kind",
        "source",
        "home_id",
        "place",
        "position",
        "lco",
        "status",
        "test_until",
    )
    said = (
        "last_heard_at", "last_event_at", "battery", "rsrp", "snr", "cell_id", "firmware", "tamper", "online", "silent", "low",
    )  # fmt: skip
    return {n: getattr(row.device, n) for n in names} | {n: getattr(row, n) for n in said}


@api.get("/elders", response={200: Page[ElderOut], **REFUSALS}, tags=["档案"], summary="服务对象，按令牌的岗位遮盖")
@as_user(*READERS)
def list_elders(
    request: HttpRequest, limit: Limit = 50, cursor: Cursor = "", place: Place = "", status: Word = "", q: Text = ""
) -> Any:
    """`q` finds a name, a phone number, an ID number or an address. The cursor counts rows of this order."""
    start = unpack(cursor) or 0
    if start > 1_000_000:
        return {"items": [], "next": None}
    rows, total = elders.page_of(actor_of(request).roles, text=q, place=place, status=status, start=start, size=limit)
    return {"items": rows, "next": pack(start + limit) if start + limit < total else None}


@api.get("/ledger", response={200: dict[str, Any], **REFUSALS}, tags=["账目"], summary="信号账目：逐来源、逐时段对账")
@as_user(*BOOKS)
def books(
    request: HttpRequest, since: datetime | None = None, until: datetime | None = None,
    step: Annotated[str, Query(pattern="^(minute|hour|day)$")] = "hour",
) -> Any:  # fmt: skip
    """The last hour by default; at most 31 days (a day by minute)."""
    end = _aware(until) or clock.now()
    start = _aware(since) or end - timedelta(hours=1)
    longest = timedelta(days=1 if step == "minute" else 31)
    if not timedelta(0) < end - start <= longest:
        return errors.problem(422, f"since 要早于 until，相差不超过 {longest.days} 天。", "span")
    with seen_by(EVERYWHERE):  # the books count the whole platform and name no home
        return alarms.ledger(since=start, until=end, step=step).as_json()  # type: ignore[arg-type]


@api.get("/health", response={200: HealthOut, **REFUSALS}, tags=["运行"], summary="平台是不是在听、在走")
@as_user()
def health(request: HttpRequest) -> Any:
    """The open troubles, the delay of the router, when each source last spoke."""
    heard = [{"source": s.source, "last_at": s.last_at, "usual_gap_seconds": s.usual_gap} for s in signals.sources()]
    return {
        "now": clock.now(), "router_lag_seconds": signals.lag().total_seconds(), "sources": heard,
        "troubles": [str(t.text) for t in alarms.troubles(limit=20)], "report": hooks.ask("health", {}) or {},
    }  # fmt: skip


def _aware(at: datetime | None) -> datetime | None:
    """A time without a zone is Chinese; one outside the centuries the database knows is refused."""
    if at is None:
        return None
    if not 2000 <= at.year <= 2200:
        raise HttpError(422, "时间要在 2000 到 2200 年之间。")
    return at if at.tzinfo else at.replace(tzinfo=clock.SHANGHAI)
