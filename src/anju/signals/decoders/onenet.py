"""OneNET, the mobile carrier's platform: signed HTTP pushes, in its present and its older shape."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from anju.signals.decoders import json_in
from anju.signals.decoders.base import (
    BadEnvelope,
    Profiles,
    Report,
    content_of,
    finish,
    moment,
    name,
    no_more,
    profile_of,
    stamp_of,
)
from anju.signals.decoders.properties import text_of, walk, walk_twice

SOURCE = "onenet"


class _Push(msgspec.Struct):
    """The outer body; `msg` stays as it was sent, because the signature covers it."""

    msg: msgspec.Raw = msgspec.Raw(b"")
    enc_msg: str = ""
    nonce: str = ""
    signature: str = ""
    msg_signature: str = ""
    id: Any = None
    time: Any = None


_outer = msgspec.json.Decoder(_Push, strict=False)


class BadSignature(Exception):
    """The push is not OneNET's, or the token here is not the one entered there."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A push whose signature held. `text` is the inner message; None when it could not be decrypted."""

    text: bytes | None
    ident: str
    sealed: bool = False


def sign(token: str, nonce: str, msg: str) -> str:
    """The signature of a message: base64(md5(token + nonce + msg))."""
    digest = hashlib.md5(f"{token}{nonce}{msg}".encode(errors="replace"), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _same(given: str, right: str) -> bool:
    """Signatures travel URL-encoded, a plus may arrive as a space, and the padding may be left out."""
    forms = {given, unquote(given), given.replace(" ", "+")}
    wanted = right.rstrip("=").encode()
    return any(hmac.compare_digest(form.rstrip("=").encode(errors="replace"), wanted) for form in forms)


def check_url(query: str, token: str) -> str:
    """The answer to the platform's check of our address: `msg`, if the signature holds."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    msg = asked.get("msg", "")
    if not msg or not _same(asked.get("signature", ""), sign(token, asked.get("nonce", ""), msg)):
        raise BadSignature
    return msg


def unseal(sealed: str, key: str) -> bytes | None:
    """The text of a sealed message; None if the key does not open it. The key's length tells which of two ways it is.

    16 characters (today's console): AES-128-CBC, PKCS#7, key = start vector. 43 characters (the oldest pushes, `enc_msg`):
    base64 of 32 bytes without its last "="; AES-256-CBC, the start vector is the key's first half; the text stands behind
    16 random bytes and its length in 4 (so do OneNET's own receivers for Java and PHP read it).
    """
    try:
        data, raw, old = base64.b64decode(sealed, validate=True), key.encode(), len(key) == 43
        if old:
            raw = base64.b64decode(key + "=", validate=True)
        if len(raw) != (32 if old else 16) or not data or len(data) % 16:
            return None
        opener = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).decryptor()
        text = opener.update(data) + opener.finalize()
        if not old:
            padder = padding.PKCS7(128).unpadder()
            return padder.update(text) + padder.finalize()
        length = int.from_bytes(text[16:20], "big")  # says where it ends, so the padding (16 or 32) need not be known
        return text[20 : 20 + length] if 0 < length <= len(text) - 20 else None
    except (binascii.Error, ValueError):
        return None


def open_push(body: bytes, token: str, aes_key: str) -> Opened:
    """Check the signature of a push and give its message. `BadEnvelope`: no push at all; `BadSignature`: not from there."""
    try:
        push = _outer.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError, RecursionError):
        outer = json_in.read(body)  # also says what is wrong with it
        if not isinstance(outer, dict):
            raise BadEnvelope("not_an_object", "报文须为 JSON 对象。请检查推送格式。") from None
        msg, sealed = outer.get("msg"), outer.get("enc_msg")
        push = _Push(
            msg=msgspec.Raw(content_of(msg)), enc_msg=sealed if isinstance(sealed, str) else "", nonce=stamp_of(outer.get("nonce")),
            signature=stamp_of(outer.get("signature")), msg_signature=stamp_of(outer.get("msg_signature")), id=outer.get("id"),
        )  # fmt: skip
    raw = bytes(push.msg)
    if not raw and not push.enc_msg:
        raise BadEnvelope("no_msg", "报文没有 msg。请检查推送格式。")
    as_text = raw[:1] == b'"'
    signed = push.enc_msg
    if not signed:
        try:
            signed = msgspec.json.decode(raw, type=str) if as_text else raw.decode("utf-8", "replace")
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise BadEnvelope("bad_json", "msg 不是有效的文本。请检查推送格式。") from None
    if not _same(push.signature or push.msg_signature, sign(token, push.nonce, signed)):
        raise BadSignature
    ident = stamp_of(push.id)
    if push.enc_msg or (as_text and signed.lstrip()[:1] not in {"{", "["}):
        return Opened(unseal(signed, aes_key), ident, sealed=True)
    return Opened(signed.encode("utf-8", "replace"), ident)


def decode(opened: Opened, product: str, profiles: Profiles, now_ms: int) -> list[Report]:
    """The messages of an opened push. It came from OneNET, so whatever it is, it is kept."""
    try:
        value = None if opened.text is None else json_in.read(opened.text)
    except BadEnvelope:
        value = None
    many = value if isinstance(value, list) else [value]
    return [
        _one(one if isinstance(one, dict) else None, opened, product, profiles, now_ms)
        for one in no_more(many) or [None]
    ]


def _one(msg: dict[str, Any] | None, opened: Opened, product: str, profiles: Profiles, now_ms: int) -> Report:
    if msg is None:
        report = Report(SOURCE, "", "", name(product), "other", opened.ident, None, opened.text or b"")
        report.opened = (opened.text or b"") if opened.sealed else b""
        report.notes.append("消息无法解密" if opened.text is None else "消息不是 JSON 对象")
        return report
    product_id = name(msg.get("productId", msg.get("pid"))) or name(product)
    operator_id = name(msg.get("deviceId")) or name(msg.get("dev_id")) or name(msg.get("deviceName"))
    imei = name(msg.get("imei")) or name(msg.get("deviceName"))
    profile = profile_of(profiles, SOURCE, product_id)
    given = msg.get("data")
    data: dict[str, Any] = given if isinstance(given, dict) else {}
    at = msg.get("at", msg.get("time", msg.get("timestamp")))
    params = data.get("params")
    if at is None and isinstance(params, dict):
        at = next((p["time"] for p in params.values() if isinstance(p, dict) and p.get("time")), None)
    stamp = stamp_of(at) or opened.ident or stamp_of(data.get("id"))
    report = Report(
        SOURCE, imei or operator_id, operator_id, product_id, _kind(msg), stamp, moment(at, now_ms), content_of(msg)
    )
    report.opened = (opened.text or b"") if opened.sealed else b""
    if not report.device_key:
        report.notes.append("报文没有设备号")
    if report.kind == "online":
        words = [text_of(v) for v in (msg.get("status"), data.get("status"), data.get("action"), data.get("type"),
                                      msg.get("notifyType")) if v is not None]  # fmt: skip
        down = any(w is not None and (w == "0" or "off" in w) for w in words)
        report.add(profile, "offline" if down else "online")
        report.vitals["online"] = not down
    elif report.kind == "response":
        report.add(profile, "reply")
    elif "ds_id" in msg:
        walk(report, profile, {str(msg["ds_id"]): {"value": msg.get("value"), "time": msg.get("at")}}, now_ms)
        walk(report, profile, _inside(msg.get("value")), now_ms)
    else:
        walk(report, profile, msg.get("data", msg), now_ms)
    walk_twice(report, profile, msg, now_ms)
    if not report.lines and not report.vitals:
        walk(report, profile, msg, now_ms)
    return finish(report, profile)


def _inside(value: Any) -> Any:
    """A data point whose value is JSON as text."""
    return json_in.read_inner(value) if isinstance(value, str) else value


def _kind(msg: dict[str, Any]) -> str:
    kind = str(msg.get("messageType", "")).lower()
    if kind in {"lifecycle", "reply", "notify"}:
        event = str(msg.get("notifyType", "")).lower() == "event"
        return {"lifecycle": "online", "reply": "response"}.get(kind, "event" if event else "report")
    older = text_of(msg.get("type"))
    return {"2": "online", "7": "response"}.get(older or "", "report")
