"""One URL says which PostgreSQL serves: `postgresql://user:password@host:port/name?options`."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


def database_settings(url: str, *, mode: str) -> dict[str, Any]:
    """Django's DATABASES entry for that URL. A `host` in the query (a socket folder) wins."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {k: v for k, v in query.items() if k not in {"host", "port"}}
    if mode != "test":
        options["pool"] = {"min_size": 1, "max_size": int(os.environ.get("ANJU_DB_POOL", "10")), "timeout": 10}
    options.setdefault("application_name", f"anju-{os.environ.get('ANJU_PROCESS', 'command')}")
    options.setdefault("connect_timeout", 5)
    name = unquote(parts.path.lstrip("/")) or "anju"
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or "anju"),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or "127.0.0.1"),
        "PORT": str(query.get("port", parts.port or 5432)),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # a pool must not hand out what died with the last database server
        "OPTIONS": options,
        "TEST": {"NAME": os.environ.get("ANJU_TEST_DB", f"test_{name}")},
    }
