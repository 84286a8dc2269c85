"""The way to the lead when the database is away and somebody calls for help: nothing of the platform can open an incident
then, so a page goes out at once, by an address that does not need the platform, and a flag stands until the spool is empty.

Several processes of the gateway may spool at once: the flag is theirs together, changed under a lock, and it remembers when
a page was begun and when one got through, so that they page as one, also after one of them died.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FLAG = "SOS-WAITING.json"
AGAIN = 60.0  # seconds between pages while it lasts
LOCK_LIMIT = 0.05  # seconds; a sibling holds the flag for a fraction of one, and one that is frozen must not freeze us
logger = logging.getLogger("anju.gateway")


class Fallback:
    """The flag file and the page. `sent` and `failed` count pages of this process."""

    def __init__(self, folder: Path, url: str) -> None:
        self._path = folder / FLAG
        self._url = url
        self._last = self._got = 0.0  # when a page was begun, when one got through
        self._said = 0  # how many SOS messages that one told of
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.failed = 0

    def _flag(self) -> dict[str, Any]:
        try:
            flag = json.loads(self._path.read_text())
            self._last = max(self._last, float(flag.get("paged", 0.0)))
            if float(flag.get("got", 0.0)) > self._got:
                self._got, self._said = float(flag["got"]), int(flag["said"])
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            return {}
        return flag if isinstance(flag, dict) else {}

    @property
    def waiting(self) -> int:
        """SOS messages that wait in the spool, by the flag."""
        try:
            return int(self._flag()["waiting"])
        except (ValueError, KeyError, TypeError):
            return 0

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No sibling changes the flag meanwhile (or it takes too long over it)."""
        handle = -1
        try:
            with contextlib.suppress(OSError):
                handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                end = time.monotonic() + LOCK_LIMIT
                while not _locked(handle) and time.monotonic() < end:
                    os.sched_yield()
            yield
        finally:
            if handle >= 0:
                os.close(handle)

    def _write(self, total: int) -> None:
        # one of its own: a sibling that waited for the lock in vain may write, too
        draft = self._path.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(
            json.dumps(
                {
                    "waiting": total, "since": time.time(), "paged": self._last, "got": self._got, "said": self._said,
                    "note": "数据库不可用，呼救在本地暂存，须人工处理",
                }
            )
        )  # fmt: skip
        draft.replace(self._path)

    def sos(self, count: int) -> None:
        """So many more SOS messages are in the spool and nowhere else: raise the flag, page (at most once a minute)."""
        total = count
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._alone():
                total += self.waiting
                page = self._due()
                self._write(total)
        except OSError:
            logger.exception("the flag for a waiting SOS could not be written")
            page = self._due()
        logger.critical("an SOS waits in the spool: %d", total)
        if page:
            self._begin(total)

    def _due(self) -> bool:
        """A page may go out now; then it is this one."""
        now = time.time()
        if now - self._last < AGAIN:
            return False
        self._last = now
        return True

    def remind(self) -> None:
        """Page again, once a minute, while an SOS waits that no page told of: the first was lost, or more have come since."""
        if not self._path.exists():
            return
        with self._alone():
            total = self.waiting
            if not total or (self._got >= self._last and total <= self._said) or not self._due():
                return
            with contextlib.suppress(OSError):
                self._write(total)
        self._begin(total)

    def _begin(self, total: int) -> None:
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
                self._through(total)
                return
        self.failed += 1

    def _through(self, told: int) -> None:
        self._got, self._said = time.time(), told
        with contextlib.suppress(OSError), self._alone():
            if total := self.waiting:
                self._write(total)

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - the operator's own address
            pass

    def clear(self, still: Callable[[], bool]) -> None:
        """Every waiting SOS reached the database, unless `still` finds one that a sibling has just written."""
        if not self._path.exists():
            return
        with self._alone():
            if not still():
                self._path.unlink(missing_ok=True)
                self._said = 0


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
