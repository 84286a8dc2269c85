"""`manage.py web`: pages, pushes and the open interface, in one process."""

from __future__ import annotations

import os
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """One process without children: killed at any moment, it leaves nobody behind who holds the port."""

    help = "the web process (started by ./run)"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Serve until SIGTERM; open push streams get two seconds to end."""
        certificate = os.environ.get("ANJU_TLS_CERT") if os.environ.get("ANJU_HTTPS") == "1" else None
        uvicorn.run(
            "anju.config.asgi:application",
            host=os.environ.get("ANJU_HOST", "127.0.0.1"),
            port=int(os.environ.get("ANJU_PORT", "8000")),
            ssl_certfile=certificate,
            ssl_keyfile=os.environ.get("ANJU_TLS_KEY") if certificate else None,
            lifespan="off",
            access_log=False,
            server_header=False,
            proxy_headers=bool(os.environ.get("ANJU_TRUSTED_PROXIES")),
            forwarded_allow_ips=os.environ.get("ANJU_TRUSTED_PROXIES") or None,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
            log_level="info",
        )
