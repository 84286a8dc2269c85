"""What the operators' platforms really post, as pure functions: CTWing in its three payload forms, OneNET, plain MQTT.

A *fact* is what a device wants to say in its own properties, e.g. `{"Alarm_Status": 1, "Battery_Level": 87}`.
Bodies carry the quirks of the field: `upPacketSN` −1 or "", `IMSI` "undefined", no message id.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Speaker:
    """A device as the operator's platform knows it. `form` is properties, service, base64 or binary."""

    imei: str
    device_id: str
    product_id: str
    form: str
    service: str


def radio(rng: Random, *, weak: bool = False, cell: int = 0) -> Fact:
    """Signal figures that ride along: RSRP (dBm), SNR (dB), cell (any of the town's when it is 0)."""
    rsrp = rng.randrange(-121, -112) if weak else rng.randrange(-108, -80)
    return {
        "RSRP": rsrp,
        "SNR": rng.randrange(-3, 3) if weak else rng.randrange(5, 20),
        "Cell_ID": cell or 330_100 + rng.randrange(24),
    }


def ctwing(speaker: Speaker, fact: Fact, at_ms: int, *, binary: bytes = b"") -> bytes:
    """A `dataReport` of one device at a moment (milliseconds)."""
    payload: Fact
    if speaker.form == "binary":
        payload = {"APPdata": base64.b64encode(binary).decode()}
    elif speaker.form == "base64":
        text = json.dumps({"serviceId": speaker.service, "serviceData": fact}, separators=(",", ":"))
        payload = {"APPdata": base64.b64encode(text.encode()).decode()}
    elif speaker.form == "service":
        payload = {"serviceId": speaker.service, "serviceData": fact}
    else:
        payload = fact
    return _json({
        "upPacketSN": -1, "upDataSN": -1, "topic": "v1/up/ad19", "timestamp": at_ms, "tenantId": "10000001",
        "serviceId": "" if speaker.form in {"binary", "base64"} else speaker.service, "protocol": "lwm2m",
        "productId": speaker.product_id, "payload": payload, "messageType": "dataReport", "deviceType": "",
        "deviceId": speaker.device_id, "assocAssetId": "", "IMSI": "undefined", "IMEI": speaker.imei,
    })  # fmt: skip


def ctwing_online(speaker: Speaker, at_ms: int, *, online: bool) -> bytes:
    """A `deviceOnlineOfflineReport`."""
    return _json({
        "timestamp": at_ms, "tenantId": "10000001", "protocol": "lwm2m", "productId": speaker.product_id,
        "messageType": "deviceOnlineOfflineReport", "iccid": "undefined", "eventType": 1 if online else 0,
        "deviceId": speaker.device_id, "IMEI": speaker.imei,
    })  # fmt: skip


def onenet(speaker: Speaker, fact: Fact, at_ms: int, *, token: str, aes_key: str, nonce: str) -> bytes:
    """A signed OneNET push; the message is encrypted when a 16-byte key is given."""
    params = {key: {"value": value, "time": at_ms} for key, value in fact.items()}
    text = json.dumps({
        "productId": speaker.product_id, "deviceName": speaker.imei, "deviceId": speaker.device_id, "imei": speaker.imei,
        "messageType": "notify", "notifyType": "property",
        "data": {"id": str(at_ms), "version": "1.0", "params": params},
    }, separators=(",", ":"))  # fmt: skip
    message = _sealed(text, aes_key) if aes_key else text
    sign = base64.b64encode(hashlib.md5(f"{token}{nonce}{message}".encode(), usedforsecurity=False).digest()).decode()
    return _json({"msg": message, "nonce": nonce, "signature": sign, "time": at_ms, "id": f"{at_ms}{nonce}"})


def mqtt(fact: Fact, at_ms: int) -> bytes:
    """What a 4G device publishes itself."""
    return _json({"t": at_ms, "data": fact})


def _sealed(text: str, key: str) -> str:
    """AES-128-CBC with PKCS#7 where key and start vector are the same 16 bytes, as OneNET does it."""
    raw = key.encode()
    padder = padding.PKCS7(128).padder()
    seal = Cipher(algorithms.AES(raw), modes.CBC(raw)).encryptor()
    body = padder.update(text.encode()) + padder.finalize()
    return base64.b64encode(seal.update(body) + seal.finalize()).decode()


def _json(value: Fact) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
