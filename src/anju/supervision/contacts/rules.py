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
    """A text that somebody sent to the official account. `sender` is her openid there, `us` the account's own id."""

    sender: str
    us: str
    text: str
    outer_id: str


class NoFrame(ValueError):
    """What came is no frame that we understand."""


_FIELD = r"<{0}>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</{0}>"
KINDS = {
    "image": "（图片）",
    "voice": "（语音）",
    "video": "（视频）",
    "shortvideo": "（视频）",
    "location": "（位置）",
    "link": "（链接）",
}


def frame(body: str) -> Frame | None:
    """The message in WeChat's XML; None for what is no message (a new follower). Fields are flat, so no XML parser is let near it.

    A picture or a voice is kept as such: somebody must look into the account's own page.
    """
    kind, sender, us = (_field(body, n) for n in ("MsgType", "FromUserName", "ToUserName"))
    if not body.lstrip().startswith("<xml>") or not sender or not kind:
        raise NoFrame("no WeChat frame")
    if kind == "event":
        return None
    text = _field(body, "Content") if kind == "text" else _field(body, "Recognition") or KINDS.get(kind, f"（{kind}）")
    return Frame(sender[:64], us[:64], text[:LONGEST], _field(body, "MsgId")[:40])


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
