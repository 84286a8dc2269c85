"""CTWing (AEP), the telecom's platform: what it pushes by HTTP. It has no message id and signs nothing."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from anju.devices.profile import Profile
from anju.signals.decoders import json_in, vendors
from anju.signals.decoders.base import BadEnvelope, Profiles, Report, finish, moment, name, profile_of, stamp_of
from anju.signals.decoders.properties import text_of, walk

SOURCE = "ctwing"
_encode = msgspec.json.Encoder().encode
_KINDS = {
    "dataReport": "report", "dataReportTupOrTcp": "report", "deviceOnlineOfflineReport": "online", "commandResponse": "response",
    "eventReport": "event",
}  # fmt: skip


def decode(body: bytes, profiles: Profiles, now_ms: int) -> list[Report]:
    """The messages of one push (always one, but a list is read too). `BadEnvelope` if it is no JSON object."""
    value = json_in.read(body)
    many = value if isinstance(value, list) else [value]
    if not many or not all(isinstance(one, dict) for one in many):
        raise BadEnvelope("not_an_object", "报文须为 JSON 对象。请检查推送格式。")
    return [_one(one, profiles, now_ms) for one in many[:500]]


def _one(env: dict[str, Any], profiles: Profiles, now_ms: int) -> Report:
    product_id = name(env.get("productId"))
    operator_id = name(env.get("deviceId"))
    profile = profile_of(profiles, SOURCE, product_id)
    kind = _KINDS.get(str(env.get("messageType", "dataReport")), "other")
    stamp = env.get("timestamp")
    payload = env.get("payload", env.get("eventContent"))
    report = Report(
        SOURCE, name(env.get("IMEI")) or operator_id, operator_id, product_id, kind, stamp_of(stamp), moment(stamp, now_ms),
        _encode([payload, env.get("eventType"), env.get("serviceId"), env.get("result"), env.get("taskId")]),
    )  # fmt: skip
    if not report.device_key:
        report.notes.append("报文没有设备号")
    if kind == "online":
        state = text_of(env.get("eventType"))
        if state is not None:
            report.add(profile, "offline" if state == "0" else "online")
            report.vitals["online"] = state != "0"
    elif kind == "response":
        report.add(profile, "reply", value=env.get("result") if isinstance(env.get("result"), dict) else None)
    else:
        read_payload(report, profile, payload, now_ms)
    if not report.lines and not report.vitals:
        walk(report, profile, env, now_ms)  # an SOS may stand where nobody expects it
    return finish(report, profile, now_ms)


def read_payload(report: Report, profile: Profile, payload: Any, now_ms: int) -> None:  # noqa: ANN401
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
        report.notes.append("APPdata 为二进制,该产品没有解码器")
