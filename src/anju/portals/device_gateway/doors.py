"""What a client needs to send to us, for `var/run.json`."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from anju.portals.device_gateway.settings import GatewaySettings


def doors(base_url: str) -> dict[str, Any]:
    """Addresses and secrets of the HTTP doors."""
    settings = GatewaySettings.load()
    from django.conf import settings as django

    base, secret = base_url.rstrip("/"), django.SECRETS.ctwing
    return {
        "ctwing": {"url": f"{base}/ctwing", "headers": {"X-Anju-Secret": secret}},
        "onenet": {"url": f"{base}/onenet/anju", "token": settings.onenet.token, "aes_key": settings.onenet.aes_key},
        "generic": {"url": f"{base}/generic", "headers": {"X-Anju-Secret": secret}},
        "health": f"{base}/healthz",
        "metrics": f"{base}/metrics",
    }


def mqtt() -> dict[str, Any] | None:
    """The broker that devices publish to; None when none is configured."""
    settings = GatewaySettings.load()
    if not settings.mqtt_url:
        return None
    parts = urlsplit(settings.mqtt_url)
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 1883,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "topic": settings.mqtt_topic.replace("+", "{product}", 1).replace("+", "{imei}", 1),
    }
