"""The front door: RSGI, one coroutine a request. Authenticate → decode the envelope → make it safe → answer.

Only 200 counts for the operators' platforms, and they stop pushing when too much fails. So 4xx is for what is not theirs
(wrong secret), too large, or no envelope at all; what can't be understood is kept raw, counted and answered 200.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.record import REFUSED, Record, Ticket, Uids, tail_of
from anju.portals.device_gateway.settings import GatewaySettings, Secret
from anju.portals.device_gateway.store import Store
from anju.signals.decoders import ctwing, generic, onenet
from anju.signals.decoders.base import BadEnvelope, Profiles, Report

JSON = [("content-type", "application/json; charset=utf-8")]
TEXT = [("content-type", "text/plain; charset=utf-8")]
OK = b'{"code":0,"msg":"ok"}'
SHORT = 512  # characters of an address that is looked at
logger = logging.getLogger("anju.gateway")


class Refused(Exception):
    """An answer other than 200. `reason` is counted; `text` is for the person who reads the sender's log."""

    def __init__(self, status: int, reason: str, text: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(reason)
        self.status, self.reason, self.text, self.headers = status, reason, text, headers


Decode = Callable[[bytes, Profiles, int], list[Report]]


def decode_or_keep(decode: Decode, body: bytes, profiles: Profiles, source: str = "generic") -> list[Report]:
    """The messages of a body. If a decoder falls over – it must not, but a night is long – the common properties are tried
    without any profile, and at last the body is kept raw: a fault of ours never refuses what a device said.
    """
    now_ms = time.time_ns() // 1_000_000
    try:
        return decode(body, profiles, now_ms)
    except (BadEnvelope, onenet.BadSignature):
        raise
    except Exception:
        logger.exception("a decoder fell over")
    try:
        return decode(body, {}, now_ms)
    except Exception:
        logger.exception("a decoder fell over, also without a profile")
    report = Report(source, "", "", "", "other", "", None, body)
    report.notes.append("解码器出错，原文保留")
    return [report]


class Scope(Protocol):
    """RSGI's description of a request."""

    proto: str
    method: str
    path: str
    query_string: str
    client: str
    headers: Any


NOT_FOUND = Refused(404, "not_found", "没有这个地址。请核对推送地址。")
NO_SECRET = Refused(401, "unauthenticated", "密钥不对或没有密钥。请核对推送地址中的密钥或请求头 X-Anju-Secret。")
BAD_SIGN = Refused(401, "bad_signature", "签名不符。请核对平台上填写的 Token。")
NOT_ALLOWED = Refused(403, "source_address", "来源地址不在允许范围内。请联系平台管理员。")
BAD_METHOD = Refused(405, "bad_method", "此地址只接受 POST。", (("allow", "POST"),))
TOO_LARGE = Refused(413, "too_large", "报文过大。请分批上报。", (("connection", "close"),))
NO_BODY = Refused(400, "empty", "没有收到报文内容。请检查推送配置。")
TOO_SLOW = Refused(408, "too_slow", "报文接收超时。请检查网络后重发。", (("connection", "close"),))
ENCODED = Refused(415, "encoded", "不接受压缩的报文。请关闭压缩后重发。")
BUSY = Refused(503, "busy", "网关繁忙。请稍后重发。", (("retry-after", "5"),))
NO_SPACE = Refused(
    503, "no_space", "数据库不可用且本地暂存空间不足。请稍后重发，并通知平台管理员。", (("retry-after", "5"),)
)


class Door:
    """The RSGI application."""

    def __init__(self, settings: GatewaySettings, store: Store, counters: Counters, profiles: Profiles) -> None:
        self.settings = settings
        self.store = store
        self.counters = counters
        self.profiles = profiles  # exchanged as a whole when the catalogue changes
        self.uids = Uids()
        self.open = True
        self.gauges: dict[str, float] = {}
        self._secrets = tuple(s.encode() for s in settings.ctwing_secrets)
        self._reading: dict[int, tuple[float, asyncio.Task[Any] | None]] = {}
        self._reads = 0
        self._loop = asyncio.get_running_loop()

    async def __rsgi__(self, scope: Scope, proto: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            proto.close(404)
            return
        try:
            decode = self._route(scope)
            if not callable(decode):
                proto.response_bytes(
                    200,
                    JSON if isinstance(decode, bytes) else TEXT,
                    decode if isinstance(decode, bytes) else decode.encode(),
                )
                return
            self._may_read(scope)
            self._reads = mine = self._reads + 1
            self._reading[mine] = (self._loop.time() + self.settings.body_limit, asyncio.current_task())
            try:
                body: bytes = await (proto() if scope.headers.get("content-length") else self._pieces(proto))
            except asyncio.CancelledError:
                raise TOO_SLOW from None
            finally:
                del self._reading[mine]
            reports = self._decoded(decode, body)
            if self.settings.durable:
                future: asyncio.Future[int] = self._loop.create_future()
                self.accept(reports, body, Ticket(future, len(reports)))
                if await future == REFUSED:
                    raise NO_SPACE  # noqa: TRY301 - answered below, as every refusal
                self.counters.acked += len(reports)
            proto.response_bytes(200, JSON, OK)
        except Refused as no:
            self.counters.rejected[no.reason] += 1
            answer = json.dumps({"error": no.text}, ensure_ascii=False).encode()
            proto.response_bytes(no.status, [*JSON, *no.headers], answer)
        except Exception:
            logger.exception("a request failed")
            self.counters.rejected["internal"] += 1
            proto.response_bytes(503, [*JSON, ("retry-after", "5")], json.dumps({"error": BUSY.text}).encode())

    def _route(self, scope: Scope) -> Decode | bytes | str:
        """Who may speak here, and how their bodies are read; or an answer at once."""
        path = scope.path
        if path.startswith("/ctwing"):
            self._admit(scope)
            self._secret(scope, path[7:])
            return ctwing.decode
        if path.startswith("/onenet"):
            self._admit(scope)
            product = path[7:].strip("/")[:SHORT]
            secret = self.settings.onenet_products.get(product, self.settings.onenet)
            if scope.method == "GET":
                try:
                    return onenet.check_url(scope.query_string, secret.token)
                except onenet.BadSignature:
                    raise BAD_SIGN from None
            return partial(self._onenet, secret, product)
        if path.startswith("/generic"):
            self._admit(scope)
            self._secret(scope, path[8:])
            return generic.decode
        if path == "/healthz":
            return self._health()
        if path == "/metrics":
            self._metrics_secret(scope)
            return self.counters.text(self._gauges(), {lane.label: len(lane.queue) for lane in self.store.lanes})
        raise NOT_FOUND

    @staticmethod
    def _onenet(secret: Secret, product: str, body: bytes, profiles: Profiles, now_ms: int) -> list[Report]:
        opened = onenet.open_push(body, secret.token, secret.aes_key)
        return onenet.decode(opened, product, profiles, now_ms)

    def _decoded(self, decode: Decode, body: bytes) -> list[Report]:
        if not body:
            raise NO_BODY
        if len(body) > self.settings.max_body:
            raise TOO_LARGE
        try:
            return decode_or_keep(decode, body, self.profiles)
        except onenet.BadSignature:
            raise BAD_SIGN from None
        except BadEnvelope as bad:
            raise Refused(400, bad.code, str(bad)) from None

    # --- who ---

    def _admit(self, scope: Scope) -> None:
        if not self.open:
            raise BUSY
        if self.settings.sources:
            host = scope.client.rpartition(":")[0].strip("[]")
            try:
                address = ipaddress.ip_address(host)
            except ValueError:
                raise NOT_ALLOWED from None
            if not any(address in net for net in self.settings.sources):
                raise NOT_ALLOWED

    def _secret(self, scope: Scope, rest: str) -> None:
        if scope.method != "POST":
            raise BAD_METHOD
        given = (rest.strip("/")[:SHORT] or scope.headers.get("x-anju-secret") or "").encode(errors="replace")
        for secret in self._secrets:
            if hmac.compare_digest(given, secret):
                return
        raise NO_SECRET

    def _metrics_secret(self, scope: Scope) -> None:
        host = scope.client.rpartition(":")[0].strip("[]")
        if host in {"127.0.0.1", "::1", ""}:
            return
        given = (scope.headers.get("authorization") or "").removeprefix("Bearer ").encode(errors="replace")
        if not self.settings.metrics_secret or not hmac.compare_digest(given, self.settings.metrics_secret.encode()):
            raise NO_SECRET

    # --- what ---

    def _may_read(self, scope: Scope) -> None:
        if scope.method != "POST":
            raise BAD_METHOD
        headers = scope.headers
        length = headers.get("content-length")
        if length is not None and (not length.isdigit() or int(length) > self.settings.max_body):
            raise TOO_LARGE
        if headers.get("content-encoding", "identity") not in {"", "identity"}:
            raise ENCODED
        store, most = self.store, self.settings.max_pending
        if store.pending_bytes > self.settings.max_pending_bytes or any(len(lane.queue) > most for lane in store.lanes):
            raise BUSY

    async def _pieces(self, proto: Any) -> bytes:
        parts, size = [], 0
        async for part in proto:
            size += len(part)
            if size > self.settings.max_body:
                raise TOO_LARGE
            parts.append(bytes(part))
        return b"".join(parts)

    def sweep(self) -> None:
        """End the requests whose bodies take too long; called each second."""
        now = self._loop.time()
        for until, task in list(self._reading.values()):
            if now > until and task is not None:
                task.cancel()

    def accept(self, reports: list[Report], body: bytes, ticket: Ticket) -> None:
        """Hand decoded messages to the store; the ticket is told when all are safe."""
        counters, store = self.counters, self.store
        for report in reports:
            at = store.clock.now()
            counters.received[report.source] += 1
            counters.last_heard[report.source] = at / 1e6
            if not report.lines:
                counters.undecodable[report.source] += 1
            urgent = report.urgent
            if urgent:
                counters.urgent += 1
            record = Record(tail_of(report, body, at, self.uids.next()), at, urgent, ticket)
            store.hear(record, report.device_key)

    # --- how it is ---

    def health(self) -> dict[str, Any]:
        """How the gateway is. `status`: ok · degraded (the spool is used, everything is still safe) · down."""
        store = self.store
        files, size = self.spool_size()
        sos = store.fallback.waiting
        down = store.disk_full and not store.database
        degraded = not store.database or files > 0 or sos > 0 or store.disk_full
        return {
            "status": "down" if down else "degraded" if degraded else "ok",
            "database": store.database,
            "spool": {"files": files, "bytes": size, "sos_waiting": sos, "disk_full": store.disk_full},
            "fallback": {
                "configured": bool(self.settings.fallback_url),
                "sent": store.fallback.sent,
                "failed": store.fallback.failed,
            },
            "pending": store.pending,
            "lanes": {
                lane.label: {"ready": lane.ready, "lane": lane.lane, "pending": len(lane.queue)} for lane in store.lanes
            },
            "mqtt": self.gauges.get("mqtt_connected", -1) > 0 if self.settings.mqtt_url else None,
        }

    def _health(self) -> bytes:
        health = self.health()
        if health["status"] == "down":
            raise NO_SPACE
        return json.dumps(health).encode()

    def spool_size(self) -> tuple[int, int]:
        """Files and bytes that wait."""
        from anju.portals.device_gateway import spool

        return spool.waiting(self.settings.spool)

    def _gauges(self) -> dict[str, float]:
        files, size = self.spool_size()
        store = self.store
        now = self._loop.time()
        oldest = max((now - lane.flight_at for lane in store.lanes if lane.flight), default=0.0)
        return {
            "pending": store.pending, "lanes": len(store.lanes), "lanes_ready": sum(lane.ready for lane in store.lanes),
            "database_up": store.database, "spool_files": files, "spool_bytes": size, "sos_waiting": store.fallback.waiting,
            "disk_full": store.disk_full, "commit_age_seconds": oldest, "fallback_pages_sent": store.fallback.sent,
            "fallback_pages_failed": store.fallback.failed, **self.gauges,
        }  # fmt: skip
