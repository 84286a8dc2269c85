"""What the gateway is told: by the environment and the installation's secrets."""

from __future__ import annotations

import ipaddress
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_BODY = 256 * 1024


@dataclass(frozen=True, slots=True)
class Secret:
    """What one OneNET product signs and encrypts with."""

    token: str
    aes_key: str


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Times in seconds, sizes in bytes."""

    host: str
    port: int
    home: Path
    conninfo: str
    ctwing_secrets: frozenset[str]  # any of them opens the door, as a path or in X-Anju-Secret
    onenet: Secret
    onenet_products: dict[str, Secret] = field(default_factory=dict)
    metrics_secret: str = ""
    sources: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()  # addresses that may send; empty = all
    mqtt_url: str = ""
    mqtt_topic: str = "anju/+/+/up"
    fallback_url: str = ""  # asked with a POST when an SOS waits in the spool
    tls_cert: str = ""
    tls_key: str = ""
    max_body: int = MAX_BODY
    max_pending: int = 20_000  # messages in memory
    max_pending_bytes: int = 64 * 1024 * 1024
    patience: float = 2.0  # a message that waited so long for the database goes to the spool
    commit_limit: float = 5.0  # a COPY that takes longer has an unknown outcome
    body_limit: float = 10.0  # a sender must have sent its body by then
    connections: int = 2_000
    processes: int = 1  # how many share the port
    number: int = 1  # which of them this is
    own_port: int = 0  # of loopback, where this very process answers: the supervisor asks there; 0 = nowhere
    durable: bool = True  # False only for the benchmark: decode and answer, store nothing

    @classmethod
    def load(cls, number: int = 1) -> GatewaySettings:
        """From Django's settings and the environment (names as in docs/subsystems/ingest.md)."""
        from django.conf import settings

        secrets, env = settings.SECRETS, os.environ
        https = env.get("ANJU_HTTPS", "") == "1"
        more = {
            k: Secret(v["token"], v.get("aes_key", ""))
            for k, v in json.loads(env.get("ANJU_ONENET_PRODUCTS", "{}")).items()
        }
        return cls(
            host=env.get("ANJU_HOST", "127.0.0.1"),
            port=int(env.get("ANJU_GATEWAY_PORT", "8001")),
            home=Path(settings.ANJU_HOME),
            conninfo=conninfo(settings.DATABASES["default"]),
            ctwing_secrets=frozenset({secrets.ctwing, *filter(None, env.get("ANJU_CTWING_SECRETS", "").split(","))}),
            onenet=Secret(secrets.onenet_token, secrets.onenet_aes_key),
            onenet_products=more,
            metrics_secret=secrets.metrics,
            sources=tuple(
                ipaddress.ip_network(n.strip()) for n in env.get("ANJU_GATEWAY_SOURCES", "").split(",") if n.strip()
            ),
            mqtt_url=env.get("MQTT_URL", ""),
            mqtt_topic=env.get("MQTT_TOPIC", "anju/+/+/up"),
            fallback_url=env.get("ANJU_FALLBACK_URL", ""),
            tls_cert=env.get("ANJU_TLS_CERT", "") if https else "",
            tls_key=env.get("ANJU_TLS_KEY", "") if https else "",
            processes=max(1, int(env.get("ANJU_GATEWAY_PROCESSES", "1"))),
            number=number,
            own_port=int(env.get("ANJU_OWN_PORT", "0")),
        )

    @property
    def spool(self) -> Path:
        """Where messages wait while the database is away."""
        return self.home / "spool"


def conninfo(database: dict[str, Any]) -> str:
    """Django's description of a database as libpq's."""
    from psycopg.conninfo import make_conninfo

    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parts = {k: database[v] for k, v in known.items() if database.get(v)}
    options = {
        k: v for k, v in database.get("OPTIONS", {}).items() if isinstance(v, (str, int)) and not isinstance(v, bool)
    }
    return make_conninfo("", **(parts | options | {"connect_timeout": 3}))
