"""Our own plain form: {"device", "product", "t", "data": {…}} by HTTP, {"t", "data"} or a bare property map by MQTT."""

from __future__ import annotations

from typing import Any

from anju.signals.decoders import ctwing, json_in, vendors
from anju.signals.decoders.base import (
    BadEnvelope,
    Profiles,
    Report,
    content_of,
    finish,
    moment,
    name,
    objects,
    profile_of,
    stamp_of,
)
from anju.signals.decoders.properties import walk, walk_twice

_TIMES = ("t", "time", "timestamp", "at")
_DEVICE = ("device", "imei", "IMEI", "deviceId")


def _first(value: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((value[n] for n in names if value.get(n) is not None), None)


def decode(body: bytes, profiles: Profiles, now_ms: int) -> list[Report]:
    """The messages of one POST: an object or a list of them."""
    value = json_in.read(body)
    many = value if isinstance(value, list) else [value]
    return [
        _one(("generic", name(_first(one, _DEVICE)), name(one.get("product"))), one, profiles, now_ms)
        for one in objects(many)
    ]


def decode_mqtt(topic: str, body: bytes, profiles: Profiles, now_ms: int) -> list[Report]:
    """The message of one publication on `anju/<product>/<imei>/up`. Never refuses: there is nobody to refuse to."""
    parts = topic.split("/")
    product, device = (name(parts[-3]), name(parts[-2])) if len(parts) >= 4 else ("", "")
    profile = profile_of(profiles, "mqtt", product)
    try:
        value = json_in.read(body)
    except BadEnvelope as refused:
        report = Report("mqtt", device, "", product, "report", "", None, body)
        if profile.decoder in vendors.DECODERS:
            vendors.DECODERS[profile.decoder](report, profile, body, now_ms)
        else:
            report.notes.append(str(refused))
        return [finish(report, profile)]
    if isinstance(value, dict):
        return [_one(("mqtt", device or name(_first(value, _DEVICE)), product), value, profiles, now_ms)]
    report = Report("mqtt", device, "", product, "report", "", None, body)
    walk(report, profile, value, now_ms)
    return [finish(report, profile)]


def _one(who: tuple[str, str, str], msg: dict[str, Any], profiles: Profiles, now_ms: int) -> Report:
    source, device, product = who
    profile = profile_of(profiles, source, product)
    if source == "generic" and not profile.code:
        profile = profile_of(profiles, "mqtt", product)
    at = _first(msg, _TIMES)
    report = Report(
        source, device, name(msg.get("deviceId")), product, "report", stamp_of(at), moment(at, now_ms), content_of(msg)
    )
    if not device:
        report.notes.append("报文没有设备号")
    ctwing.read_payload(report, profile, msg.get("data", msg.get("payload", msg)), now_ms)
    walk_twice(report, profile, msg, now_ms)
    if not report.lines and not report.vitals:
        walk(report, profile, msg, now_ms)
    return finish(report, profile)
