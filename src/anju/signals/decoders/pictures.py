"""A camera's message without what it saw: the platform keeps no pictures of homes, only what the device concluded. Pure."""

from __future__ import annotations

import json
from typing import Any, Final

from anju.signals.decoders import json_in
from anju.signals.decoders.base import BadEnvelope

CUT: Final = "[画面已去除]"
LONGEST: Final = 200
"""A longer text is no word of a device; pictures in text form are thousands of characters."""
ADDRESSES: Final = ("http://", "https://", "rtsp://", "rtmp://", "ftp://", "data:")
"""A link to a picture or a stream is a picture."""


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
