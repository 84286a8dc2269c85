"""Styles, scripts and pictures, served by the web process itself: no other server is needed.

`whitenoise` finds and describes the files; they are answered here, before Django: its middleware is made for WSGI and
would take a thread for each picture.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from whitenoise.base import WhiteNoise
from whitenoise.storage import CompressedManifestStaticFilesStorage

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_HASHED = re.compile(r"\.[0-9a-f]{12}\.[^/]+$")


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Names that change with the content, so that browsers may keep them for ever; compressed beside."""

    support_js_module_import_aggregation = False
    patterns = tuple(
        (glob, tuple(p for p in patterns if "sourceMappingURL" not in (p if isinstance(p, str) else p[0])))
        for glob, patterns in CompressedManifestStaticFilesStorage.patterns
    )  # the maps of vendored scripts are not shipped

    def stored_name(self, name: str) -> str:
        """The hashed name; an unknown file keeps its own: a missing picture must not take the page down."""
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name


class StaticFiles:
    """Answers what lies under `prefix` from `root`, hands everything else to the application."""

    def __init__(self, application: App, root: Path, prefix: str) -> None:
        self.application = application
        self.prefix = prefix
        known = WhiteNoise(
            None, immutable_file_test=lambda _path, url: bool(_HASHED.search(url)), max_age=60, allow_all_origins=False
        )
        if root.is_dir():
            known.add_files(str(root), prefix)  # type: ignore[no-untyped-call]
        self.files = known.files

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith(self.prefix):
            await self.application(scope, receive, send)
            return
        file = self.files.get(scope["path"])
        if file is None:
            await _answer(send, 404, [], b"no such file")
            return
        asked = {
            f"HTTP_{k.decode('latin-1').upper().replace('-', '_')}": v.decode("latin-1") for k, v in scope["headers"]
        }
        response = file.get_response(scope["method"], asked)
        body = b""
        if response.file is not None:
            with response.file as opened:
                body = opened.read()
        await _answer(send, response.status.value, [*response.headers, ("X-Content-Type-Options", "nosniff")], body)


async def _answer(send: Send, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
