"""Messages without what a camera saw: the platform keeps no pictures of homes, only what the device concluded. Pure.

Of a product that is known to be a camera everything long goes (`without`). A sender of an unknown product may be one too: of it
only what is a picture goes (`strangers`), for the rest is needed once somebody registers it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Final

from anju.signals.decoders import json_in
from anju.signals.decoders.base import BadEnvelope, Report

CUT: Final = "[画面已去除]"
LONGEST: Final = 200
"""A longer text is no word of a device; pictures in text form are thousands of characters."""
ADDRESSES: Final = ("http://", "https://", "rtsp://", "rtmp://", "ftp://", "data:")
"""A link to a picture or a stream is a picture."""
SMALL: Final = 512
"""A shorter message has no room for a picture, only for a link to one."""
LARGEST_FRAME: Final = 32 * 1024
"""More bytes than that no sensor says at once: what nobody recognises is then taken for a picture (also a sealed one)."""
DEEPEST: Final = 5
"""So many messages in messages are looked into."""

_BEGINS: Final = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"\x1aE\xdf\xa3",
    b"FLV\x01",
    b"DHAV",
    b"IMKH",
)
"""First bytes of JPEG, PNG, GIF, Matroska, FLV and two makers' recordings."""
_LONG_BEGINS: Final = (b"II*\0", b"MM\0*", b"\0\0\0\x01", b"\0\0\x01\xba", b"\0\0\x01\xb3")
"""Those of TIFF, H.264 and H.265, MPEG: a sensor's frame may begin so too, but is not `_LONG`."""
_LONG: Final = 2048
_INSIDE: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_HEADER: Final = 64
"""A picture may stand behind so many bytes of a maker's own."""
_SHOWN: Final = re.compile(
    r"\s*(data:((image|video|audio)/|[^,]*;base64,)|(rtsps?|rtmps?)://|(https?|ftp)://\S+\.(jpe?g|png|gif|webp|bmp|heic|mp4|m3u8|flv|ts|avi|mkv)\b)",
    re.IGNORECASE,
)
"""A picture in a link, a stream, a link to a file of pictures."""
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|\[\s*\d{1,3}(?:\s*,\s*\d{1,3}){200,}\s*\]', re.DOTALL)
"""Of a text that is valid JSON: each string, and each long list of small numbers outside of them."""
_NAMED: Final = re.compile(
    r"ima?ge?|(?<!to)pic(?!k)|photo|snap|jpe?g|png|capture|video|thumb|图|照片|画面|抓拍", re.IGNORECASE
)
"""Names of a property that holds a picture: then any bytes are one, also sealed ones and those of an unknown kind."""
_NAMES: Final = re.compile(r"\s*:[\s\[]*")
_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2})+")
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def kept(reports: Iterable[Report], body: bytes) -> bytes:
    """What of a body is stored and spooled, by what its messages turned out to be. Never raises."""
    reports = list(reports)
    if any(report.pictures for report in reports):
        return without(body)
    strange = [report for report in reports if report.stranger]
    if not strange:
        return body
    try:
        found = strangers(body)
        if found is body:  # a sealed push shows nothing from outside: then what was in it is kept, in the open and cut
            for opened in {report.opened for report in strange}:
                if opened and (inside := strangers(opened)) is not opened:
                    return inside
    except (ValueError, RecursionError):  # a fault of ours never refuses what a device said
        return body
    return found


# ---- a product that is known to be a camera


def without(body: bytes) -> bytes:
    """The same message with its pictures cut out; nothing at all when nobody can tell what is in it."""
    try:
        value = json_in.read(body)
    except BadEnvelope:
        return b""
    return json.dumps(_cut(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(k): _cut(v) for k, v in value.items()}
    if isinstance(value, list):
        bytes_ = len(value) > LONGEST and all(isinstance(v, int) for v in value)  # a picture as a list of numbers
        return CUT if bytes_ else [_cut(v) for v in value]
    if isinstance(value, str) and (len(value) > LONGEST or value.lstrip().lower().startswith(ADDRESSES)):
        return CUT
    return value


def _name(key: str) -> str:
    return key if len(key) <= LONGEST else CUT


# ---- a product that nobody registered


def strangers(body: bytes) -> bytes:
    """What may be kept of a message of an unknown product: every byte but those of pictures, links to them and streams.

    In the place of each stands how many bytes it had and their SHA-256. The very same object when there is none. It never
    raises; what it cuts out no decoder reads, so nothing that a device said of itself is lost.
    """
    if len(body) < SMALL and b"//" not in body and b"\\" not in body and b"data:" not in body:
        return body
    text, encoding = _text(body)
    if text is None:
        return mark(body).encode() if _is_picture(body) else body
    kept = _text_without(text, 0)
    return body if kept is text else kept.encode(encoding, "replace")


def mark(picture: bytes) -> str:
    """What stands in the place of a picture."""
    return f"[画面已去除 {len(picture)} 字节 sha256={hashlib.sha256(picture).hexdigest()}]"


def _text(body: bytes) -> tuple[str | None, str]:
    """The body as text with its encoding when it is JSON, which is as the decoders read it; else nothing."""
    try:
        json_in.read(body)
    except BadEnvelope:
        return None, ""
    for encoding in ("utf-8", "gb18030"):
        try:
            return body.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1"), "latin-1"  # a byte that is no text stays what it was


def _text_without(text: str, depth: int) -> str:
    """A text of JSON without its pictures, otherwise as it was written, also keys that stand twice; itself if it has none."""
    pieces: list[str] = []
    done = end = 0
    before = ""
    for found in _TOKEN.finditer(text):
        token = found.group()
        named = bool(_NAMED.search(before)) and _NAMES.fullmatch(text, end, found.start()) is not None
        kept = _token_without(token, depth, named=named)
        if kept is not token:
            pieces += [text[done : found.start()], kept]
            done = found.end()
        before, end = token[:LONGEST], found.end()
    return "".join([*pieces, text[done:]]) if pieces else text


def _token_without(token: str, depth: int, *, named: bool) -> str:
    if token[0] == "[":
        numbers = [int(n) for n in re.findall(r"\d+", token)]
        listed = bytes(numbers) if max(numbers) < 256 else b""
        return json.dumps(mark(listed), ensure_ascii=False) if listed and (named or _is_picture(listed)) else token
    if len(token) < 10:
        return token
    value = json.loads(token, strict=False)
    kept = _value_without(value, depth, named=named)
    return token if kept is value else json.dumps(kept, ensure_ascii=False)


def _value_without(value: str, depth: int, *, named: bool) -> str:
    if _SHOWN.match(value):
        return mark(value.encode("utf-8", "replace"))
    if len(value) <= LONGEST or depth >= DEEPEST:
        return value
    if json_in.read_inner(value) is not None:
        return _text_without(value, depth + 1)
    for data in _packed(value):
        if json_in.read_inner(data) is not None:
            inner, encoding = _text(data)
            kept = None if inner is None else _text_without(inner, depth + 1)
            return (
                value if kept is None or kept is inner else base64.b64encode(kept.encode(encoding, "replace")).decode()
            )
        if named or _is_picture(data):
            return mark(data)
    return value


def _packed(value: str) -> list[bytes]:
    """The bytes that a text may stand for: hex, base64 in either alphabet, in lines, with or without its padding."""
    try:
        word = value.encode("ascii").translate(None, b"\r\n\t")
    except UnicodeEncodeError:
        return []
    found = [bytes.fromhex(word.decode())] if _HEX.fullmatch(word) else []
    try:
        bare = word.rstrip(b"=").translate(_TO_STANDARD)
        found.append(base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        pass
    return found


def _is_picture(data: bytes) -> bool:
    head = data[:_HEADER]
    return (
        data.startswith(_BEGINS)
        or (len(data) >= _LONG and data.startswith(_LONG_BEGINS))
        or any(begin in head for begin in _INSIDE)
        or (data[:4] == b"RIFF" and data[8:12] in {b"WEBP", b"AVI ", b"WAVE"})
        or data[4:8] == b"ftyp"
        or (data[:2] == b"BM" and int.from_bytes(data[2:6], "little") == len(data))
        or len(data) > LARGEST_FRAME
    )
