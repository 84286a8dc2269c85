"""The way to the lead when the database is away and somebody calls for help: nothing of the platform can open an incident
then, so a page goes out at once, by an address that does not need the platform, and a flag stands until the spool is empty.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.request
from pathlib import Path

FLAG = "SOS-WAITING.json"
AGAIN = 60.0  # seconds between pages while it lasts
logger = logging.getLogger("anju.gateway")


class Fallback:
    """The flag file and the page. `sent` and `failed` count pages."""

    def __init__(self, folder: Path, url: str) -> None:
        self._path = folder / FLAG
        self._url = url
        self._last = self._got = 0.0  # when a page was begun, when one got through
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.failed = 0

    @property
    def waiting(self) -> int:
        """SOS messages that wait in the spool, by the flag."""
        try:
            return int(json.loads(self._path.read_text())["waiting"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def sos(self, count: int) -> None:
        """So many more SOS messages are in the spool and nowhere else: raise the flag, page (at most once a minute)."""
        now = time.time()
        total = self.waiting + count
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".draft")
            draft.write_text(
                json.dumps({"waiting": total, "since": now, "note": "数据库不可用，呼救在本地暂存，须人工处理"})
            )
            draft.replace(self._path)
        except OSError:
            logger.exception("the flag for a waiting SOS could not be written")
        logger.critical("an SOS waits in the spool: %d", total)
        if now - self._last >= AGAIN:
            self._begin(total)

    def remind(self) -> None:
        """Page again, once a minute, while no page got through and an SOS still waits: the first may have been lost."""
        if time.time() - self._last >= AGAIN and self._got < self._last and (total := self.waiting):
            self._begin(total)

    def _begin(self, total: int) -> None:
        self._last = time.time()
        task = asyncio.get_running_loop().create_task(self._page(total))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _page(self, total: int) -> None:
        if not self._url:
            self.failed += 1
            return
        body = json.dumps(
            {
                "event": "sos_spooled",
                "waiting": total,
                "text": f"平台数据库不可用，{total} 条呼救暂存在网关，请立即人工处理。",
            },
            ensure_ascii=False,
        ).encode()
        for wait in (0, 2, 5):
            await asyncio.sleep(wait)
            try:
                await asyncio.to_thread(self._post, body)
            except OSError as error:
                logger.warning("the fallback page failed: %s", error)
            else:
                self.sent += 1
                self._got = time.time()
                return
        self.failed += 1

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - the operator's own address
            pass

    def clear(self) -> None:
        """Every waiting SOS reached the database."""
        self._path.unlink(missing_ok=True)
