"""How a message leaves the platform. A driver is chosen by channel; without one the message is held, and that is said."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Protocol

import httpx
from django.conf import settings

from anju.kernel import clock


@dataclass(frozen=True, slots=True)
class Letter:
    """What a driver gets."""

    key: str
    channel: str
    to: str
    number: str
    title: str
    text: str
    urgent: bool
    receipt: str
    """Path to which delivery may be reported."""


class TryAgain(Exception):
    """It did not go out, or nobody knows; the same key may be tried again later."""


class Refused(Exception):
    """The receiver will never take it."""


class Driver(Protocol):
    """One way out."""

    name: str
    dedupes: bool
    """True if the receiver throws away a second letter of the same key; only then may a doubtful one be repeated."""

    def send(self, letter: Letter) -> None:
        """Hand it over; TryAgain or Refused otherwise."""


class Webhook:
    """POST of JSON to a configured address, signed with HMAC-SHA256.

    Headers: `Idempotency-Key` (the receiver must throw away repeats), `X-Anju-Time`, `X-Anju-Signature` =
    hex HMAC of "<time>.<body>". 2xx = taken, 409 = had it already, 408/429/5xx and no answer = again, other 4xx = never.
    """

    name = "webhook"
    dedupes = True
    TIMEOUT = httpx.Timeout(8.0, connect=4.0)

    def __init__(self, url: str, secret: str) -> None:
        self.url, self.secret = url, secret

    def send(self, letter: Letter) -> None:
        """See the class."""
        body = json.dumps(
            {
                "key": letter.key, "channel": letter.channel, "to": letter.to, "number": letter.number,
                "title": letter.title, "text": letter.text, "urgent": letter.urgent, "receipt": letter.receipt,
            },
            ensure_ascii=False,
        ).encode()  # fmt: skip
        at = str(int(clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": letter.key,
            "X-Anju-Time": at,
            "X-Anju-Signature": sign(self.secret, at, body),
        }
        try:
            answer = httpx.post(self.url, content=body, headers=headers, timeout=self.TIMEOUT)
        except httpx.HTTPError as error:
            raise TryAgain(type(error).__name__) from error
        if answer.is_success or answer.status_code == 409:
            return
        if answer.status_code in {408, 425, 429} or answer.status_code >= 500:
            raise TryAgain(f"HTTP {answer.status_code}")
        raise Refused(f"HTTP {answer.status_code}")


def sign(secret: str, at: str, body: bytes) -> str:
    """Signature of a body sent at that second."""
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


_overrides: dict[str, Driver] = {}


def use(channel: str, driver: Driver | None) -> None:
    """Put a driver in by hand (tests, later SMS and WeChat); None takes it away."""
    if driver is None:
        _overrides.pop(channel, None)
    else:
        _overrides[channel] = driver


def driver_for(channel: str) -> Driver | None:
    """The driver of a channel, or None when it is not configured. Every outer channel may go to one webhook."""
    if channel in _overrides:
        return _overrides[channel]
    url, secret = getattr(settings, "ANJU_WEBHOOK_URL", ""), getattr(settings, "ANJU_WEBHOOK_SECRET", "")
    return Webhook(url, secret) if url and secret else None
