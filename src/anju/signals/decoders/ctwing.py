"""CTWing (AEP), the telecom's platform: what it pushes by HTTP. It has no message id and signs nothing."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from anju.devices.profile import UNKNOWN, Profile
from anju.signals.decoders import json_in, vendors
from anju.signals.decoders.base import (
    CODES,
    EARLIEST,
    FUTURE,
    LONGEST,
    SEES,
    Line,
    Profiles,
    Report,
    content_of,
    finish,
    is_sound,
    moment,
    name,
    objects,
    profile_of,
    stamp_of,
)
from anju.signals.decoders.properties import BOUNDS, plan, text_of, walk, walk_twice

SOURCE = "ctwing"
_ANY = (-(2**60), 2**60)
_TAMPER = frozenset({"tamper", "tamper_clear"})
_encode = msgspec.json.Encoder().encode
_plain = msgspec.json.Decoder().decode
_KINDS = {
    "dataReport": "report", "dataReportTupOrTcp": "report", "deviceOnlineOfflineReport": "online", "commandResponse": "response",
    "eventReport": "event",
}  # fmt: skip


def decode(body: bytes, profiles: Profiles, now_ms: int) -> list[Report]:
    """The messages of one push (always one, but a list is read too). `BadEnvelope` if it is no JSON object."""
    if (quick := _quick(body, profiles, now_ms)) is not None:
        return [quick]
    value = json_in.read(body)
    many = value if isinstance(value, list) else [value]
    return [_one(one, profiles, now_ms) for one in objects(many)]


def _one(env: dict[str, Any], profiles: Profiles, now_ms: int) -> Report:
    product_id = name(env.get("productId"))
    operator_id = name(env.get("deviceId"))
    profile = profile_of(profiles, SOURCE, product_id)
    kind = _KINDS.get(str(env.get("messageType", "dataReport")), "other")
    stamp = env.get("timestamp")
    payload = env.get("payload", env.get("eventContent"))
    report = Report(
        SOURCE, name(env.get("IMEI")) or operator_id, operator_id, product_id, kind, stamp_of(stamp), moment(stamp, now_ms),
        content_of([payload, env.get("eventType"), env.get("serviceId"), env.get("result"), env.get("taskId")]),
    )  # fmt: skip
    if not report.device_key:
        report.notes.append("报文没有设备号")
    if kind == "online":
        state = text_of(env.get("eventType"))
        if state is not None:
            report.add(profile, "offline" if state == "0" else "online")
            report.vitals["online"] = state != "0"
    elif kind == "response":
        result = env.get("result")
        report.add(profile, "reply", value=result if isinstance(result, dict) and is_sound(result) else None)
    else:
        read_payload(report, profile, payload, now_ms)
    walk_twice(report, profile, env, now_ms)
    if not report.lines and not report.vitals:
        walk(report, profile, env, now_ms)  # an SOS may stand where nobody expects it
    return finish(report, profile)


def _short(value: Any) -> str:
    """`name`, without a call for the names that operators really give."""
    if type(value) is str and 9 < len(value) <= LONGEST and value.isalnum() and value.isascii():
        return value
    return name(value)


def _quick(body: bytes, profiles: Profiles, now_ms: int) -> Report | None:  # noqa: C901, PLR0911, PLR0912, PLR0915 - one pass, for speed
    """The plain case in a third of the time: a dataReport whose properties are whole numbers. None = look closer.

    That every key is one of the three objects looked at, and none stands twice, follows from the count of `":`.
    """
    try:
        env = _plain(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if type(env) is not dict:
        return None
    get = env.get
    payload = get("payload")
    if get("messageType") != "dataReport" or type(payload) is not dict:
        return None
    data, keys = payload.get("serviceData"), len(env) + len(payload)
    if data is None:
        if "APPdata" in payload or "appData" in payload:
            return None
        data = payload
    elif type(data) is dict and len(payload) == 2 and type(payload.get("serviceId")) is str:
        keys += len(data)
    else:
        return None
    if body.count(b'":') != keys or (len(body.split(None, 1)) > 1 and json_in.has_spaces(body)):  # one look for most
        return None
    stamp, product_id, operator_id = get("timestamp"), name(get("productId")), _short(get("deviceId"))
    if type(stamp) is not int or not EARLIEST <= stamp <= now_ms + FUTURE:
        return None
    profile = profiles.get((SOURCE, product_id), UNKNOWN)
    plans = profile.plans
    if data is not payload and (plans.get("serviceId") or plan(profile, "serviceId"))[0]:
        return None
    lines: list[Line] = []
    vitals: dict[str, Any] = {}
    understood = False
    for key, value in data.items():
        what, how = plans.get(key) or plan(profile, key)
        if not what:
            continue
        if type(value) is not int:
            if key == "serviceId":
                continue
            return None
        if what == "reading" and how != "seq":
            low, high = BOUNDS.get(how, _ANY)
            if low <= value <= high:
                vitals[how] = value
        elif what == "kinds":
            understood = True
            kind = how.get(str(value)) if value else how.get("0", "")
            if kind is None:
                kind = how.get("*", "")
            if kind:
                dty, stc = CODES.get(kind, ("", ""))
                lines.append((kind, None, dty or profile.dty or "0004", stc, "", 1, None, None))
                if kind in _TAMPER:
                    vitals["tamper"] = kind == "tamper"
        else:
            return None
    if not lines and not vitals:
        return None
    content = _encode([payload, get("eventType"), get("serviceId"), get("result"), get("taskId")])
    key = _short(get("IMEI")) or operator_id
    report = Report(
        SOURCE, key, operator_id, product_id, "report", str(stamp), stamp, content, lines, vitals, [], understood,
        profile.kind in SEES, profile is UNKNOWN,
    )  # fmt: skip
    if not key:
        report.notes.append("报文没有设备号")
    battery = vitals.get("battery")
    if lines and (battery is None or battery > profile.battery_low):
        return report  # `finish` has nothing to add
    return finish(report, profile)


def read_payload(report: Report, profile: Profile, payload: Any, now_ms: int) -> None:
    """A payload in any of its forms: {"APPdata": base64} · {serviceId, serviceData} · a property map · JSON as text."""
    if isinstance(payload, str):
        inner = json_in.read_inner(payload)
        if inner is None:
            app_data(report, profile, payload, now_ms)
        else:
            walk(report, profile, inner, now_ms)
        return
    if isinstance(payload, dict):
        packed = payload.get("APPdata", payload.get("appData"))
        if isinstance(packed, str):
            app_data(report, profile, packed, now_ms)
            payload = {k: v for k, v in payload.items() if k not in {"APPdata", "appData"}}
    walk(report, profile, payload, now_ms)


def app_data(report: Report, profile: Profile, packed: str, now_ms: int) -> None:
    """Base64 of JSON, or of the product's own binary frame (the profile names its decoder)."""
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        report.notes.append("APPdata 不是 base64")
        return
    inner = json_in.read_inner(data)
    if inner is not None:
        walk(report, profile, inner, now_ms)
    elif profile.decoder in vendors.DECODERS:
        vendors.DECODERS[profile.decoder](report, profile, data, now_ms)
    else:
        report.notes.append("APPdata 为二进制，该产品没有解码器")
