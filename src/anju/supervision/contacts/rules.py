"""Pure decisions about messages: is it urgent, which numbers does it name, is the signature right, what does a frame say. No Django."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from anju.elders import identity

CHANNELS = {"web": "网上留言", "wechat": "微信", "sms": "短信", "letter": "来信", "visit": "来访"}
AT_THE_DESK = ("letter", "visit", "sms", "wechat")
"""What agents write down by hand; messages from the web come by themselves."""
LONGEST = 1000
"""Characters of a message."""
LATE = 300
"""Seconds by which the hour of a signed frame may be off."""


def load_words(path: Path) -> tuple[str, ...]:
    """The words of the file, without comments."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


WORDS = load_words(Path(__file__).parent / "data" / "urgent_words.txt")


def urgent(text: str, words: Iterable[str] = WORDS) -> str:
    """The first word of distress in the text, "" when there is none. Spaces and punctuation between the characters do not hide it.

    A number counts only by itself: a telephone that contains 120 is none.
    """
    plain = re.sub(r"[\W_]+", "", text)
    for word in words:
        if word.isdigit():
            if re.search(rf"(?<!\d){word}(?!\d)", text):
                return word
        elif word in plain:
            return word
    return ""


_NUMBER = re.compile(
    r"(?<![\d+])(?:(?:\+|00)?86[- ]?)?(?:1\d{2}[- ]?\d{4}[- ]?\d{4}|\(?0\d{2,3}\)?[- ]?\d{4}[- ]?\d{3,4}|400[- ]?\d{3}[- ]?\d{4})(?!\d)"
)
MOST_NUMBERS = 3
"""So many numbers of one message are looked up; a list of fifty belongs to nobody."""


def numbers(*texts: str) -> list[str]:
    """The telephone numbers that texts name, in one spelling, each once, in their order. Figures of an ID number are none."""
    found: dict[str, None] = {}
    for text in texts:
        for hit in _NUMBER.finditer(unicodedata.normalize("NFKC", text)):
            with suppress(identity.BadNumber):
                found.setdefault(identity.phone_of(hit[0]))
    return list(found)[:MOST_NUMBERS]


def signed(token: str, timestamp: str, nonce: str, signature: str, now: float, sealed: str = "") -> bool:
    """WeChat's signature: sha1 of token, timestamp, nonce (and the encrypted part, for `msg_signature`), sorted and joined.

    Without a token nothing is signed; old ones neither.
    """
    if not token or not timestamp.isascii() or not timestamp.isdigit() or abs(int(timestamp) - now) > LATE:
        return False
    wanted = signature_of(token, timestamp, nonce, sealed)
    return hmac.compare_digest(wanted, signature.lower().encode("ascii", "replace").decode())


def signature_of(*parts: str) -> str:
    """WeChat's way of signing; "" is no part."""
    return hashlib.sha1("".join(sorted(p for p in parts if p)).encode()).hexdigest()  # noqa: S324  WeChat's own


@dataclass(frozen=True, slots=True)
class Frame:
    """What somebody sent to the official account. `sender` is her openid there, `us` the account's own id."""

    sender: str
    us: str
    text: str
    """What the agent reads: her words, or what it is and where."""
    outer_id: str
    kind: str = "text"
    said: str = ""
    """Her own words in it, in which words of distress count; the name of a place holds none of hers."""
    media: tuple[tuple[str, str], ...] = ()
    """What belongs to it and is fetched from WeChat: (what it is, its number there)."""


class NoFrame(ValueError):
    """What came is no frame that we understand."""


_FIELD = r"<{0}>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</{0}>"
KINDS = {
    "text": "文字", "image": "图片", "voice": "语音", "video": "视频", "location": "位置", "link": "链接", "other": "其他",
}  # fmt: skip
_OTHER_NAMES = {"shortvideo": "video"}
MEDIA = {"image": (("image", "MediaId"),), "voice": (("voice", "MediaId"),), "video": (("still", "ThumbMediaId"),)}
"""What is fetched of a kind: of a video its still; WeChat answers for the video itself with an address that anybody could have
written, and nothing that comes from outside is gone after."""
_NAMED = re.compile(r"[\w-]{1,200}", re.ASCII)


def frame(body: str) -> Frame | None:
    """The message in WeChat's XML; None for what is no message (a new follower). Fields are flat, so no XML parser is let near it."""
    named, sender, us = (_field(body, n) for n in ("MsgType", "FromUserName", "ToUserName"))
    if not body.lstrip().startswith("<xml>") or not sender or not named:
        raise NoFrame("no WeChat frame")
    if named == "event":
        return None
    kind = _OTHER_NAMES.get(named, named)
    said = _field(body, {"text": "Content", "voice": "Recognition"}.get(kind, "")) if kind in {"text", "voice"} else ""
    text = said if kind == "text" else f"（{KINDS.get(kind) or named[:20]}）{_more(kind, body) or said}"
    media = ((what, _field(body, name)) for what, name in MEDIA.get(kind, ()))
    return Frame(
        sender[:64], us[:64], text[:LONGEST], _field(body, "MsgId")[:40], kind if kind in KINDS else "other", said[:LONGEST],
        tuple((what, number) for what, number in media if _NAMED.fullmatch(number)),
    )  # fmt: skip


def _more(kind: str, body: str) -> str:
    if kind == "link":
        return _field(body, "Title")[:100]
    return place(*(_field(body, n) for n in ("Label", "Location_X", "Location_Y"))) if kind == "location" else ""


def place(label: str, latitude: str, longitude: str) -> str:
    """Where it is, in words: the address that WeChat names, and the degrees (of its own map) when they can be on earth."""
    label = " ".join(label.split())[:200]
    north, east = _degrees(latitude, 90), _degrees(longitude, 180)
    if north is None or east is None:
        return label or "没有写明在哪里"
    where = f"{'南纬' if north < 0 else '北纬'} {abs(north):.6f}，{'西经' if east < 0 else '东经'} {abs(east):.6f}（微信地图）"
    return f"{label}，{where}" if label else where


def _degrees(said: str, most: float) -> float | None:
    if not re.fullmatch(r"-?\d{1,3}(\.\d{1,12})?", said, re.ASCII):
        return None
    return float(said) if abs(float(said)) <= most else None


def sealed_part(body: str) -> str:
    """The encrypted part of a frame (安全模式, 兼容模式); "" when it has none."""
    return _field(body, "Encrypt") if body.lstrip().startswith("<xml>") else ""


def _field(body: str, name: str) -> str:
    found = re.search(_FIELD.format(name), body, re.DOTALL)
    return (found[1] if found[1] is not None else found[2] or "").strip() if found else ""


def reply(to: Frame, text: str, at: int) -> str:
    """The passive answer that WeChat shows at once."""
    safe = text.replace("]]>", "")
    return (
        f"<xml><ToUserName><![CDATA[{to.sender}]]></ToUserName><FromUserName><![CDATA[{to.us}]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{safe}]]></Content></xml>"
    )
