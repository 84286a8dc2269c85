"""JSON as senders really write it. The fast path is strict; what it refuses, or what may hold a key twice, is read again
patiently: byte order mark, GBK, NaN, a byte that is no text, a line break within a text, the zeros that end a text in C,
several objects one after the other. What remains unreadable is a `BadEnvelope`.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from anju.signals.decoders.base import BadEnvelope

_fast = msgspec.json.Decoder().decode
DEEPEST = 60


class Twice(dict[str, Any]):
    """An object in which some key stood twice; `first` has the earlier values of those keys."""

    first: dict[str, Any]


_SPACES = (b" :", b"\t", b"\n", b"\r")


def has_spaces(body: bytes) -> bool:
    """Whether a colon may be hidden from a count of `":`."""
    return any(space in body for space in _SPACES)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    twice = Twice(made)
    twice.first = dict(reversed(pairs))
    return twice


def _keys(value: Any, depth: int = 0) -> int:
    if depth > DEEPEST:
        raise BadEnvelope("too_deep", "报文嵌套过深。请检查上报格式。")
    count = 0
    inner = value
    if isinstance(value, dict):
        count, inner = len(value), value.values()
    for v in inner:
        if isinstance(v, (dict, list)):
            count += _keys(v, depth + 1)
    return count


_decoder = json.JSONDecoder(object_pairs_hook=_pairs, strict=False)
_BLANK = " \t\r\n\x00"
_BLANKS = frozenset(_BLANK)


def _text(body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("utf-8", "replace")  # one bad byte in a name costs the name, not the SOS beside it


def _patient(body: bytes) -> Any:
    text = _text(body).strip(_BLANK)
    values: list[Any] = []
    at = 0
    try:
        while not values or text.startswith("{", at):
            value, at = _decoder.raw_decode(text, at)
            values.append(value)
            while text[at : at + 1] in _BLANKS:
                at += 1
    except (ValueError, RecursionError):
        at = -1
    if at != len(text):
        if not values and "\ufffd" in text:
            raise BadEnvelope("bad_text", "报文不是 UTF-8 或 GBK 文本。请检查上报格式。")
        raise BadEnvelope("bad_json", "报文不是有效的 JSON。请检查上报格式。")
    _keys(values)
    return values[0] if len(values) == 1 else values


def read(body: bytes) -> Any:
    """The value of a JSON text. Objects with a repeated key come as `Twice`."""
    try:
        value = _fast(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _patient(body)
    if isinstance(value, (dict, list)) and (_keys(value) != body.count(b'":') or has_spaces(body)):
        return _patient(body)  # spaces before a colon, a colon in a text, or a key twice
    return value


def read_inner(text: str | bytes) -> Any:
    """JSON inside a message; None when it is no JSON object or list."""
    body = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if body.lstrip()[:1] not in {b"{", b"["}:
        return None
    try:
        return read(body)
    except BadEnvelope:
        return None
