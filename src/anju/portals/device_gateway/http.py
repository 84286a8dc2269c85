"""The front door: who may speak, and what becomes of a body. Authenticate → decode the envelope → make it safe → answer.

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
from email.utils import formatdate
from functools import partial
from typing import Any

from anju.portals.device_gateway.connection import Connection, Head
from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.record import Record, Uids, Waiting, head_of, tail_of
from anju.portals.device_gateway.refusals import (
    BAD_METHOD,
    BAD_SIGN,
    ENCODED,
    NO_SECRET,
    NO_SPACE,
    NOT_ALLOWED,
    NOT_FOUND,
    TOO_LARGE,
    Refused,
)
from anju.portals.device_gateway.settings import GatewaySettings, Secret
from anju.portals.device_gateway.siblings import Siblings
from anju.portals.device_gateway.store import Store
from anju.signals.decoders import ctwing, generic, onenet, pictures
from anju.signals.decoders.base import BadEnvelope, Profiles, Report

JSON, TEXT = "application/json; charset=utf-8", "text/plain; charset=utf-8"
MOST_HEADS = 1_000  # different heads that are remembered
OK = b'{"code":0,"msg":"ok"}'
SHORT = 512  # characters of an address that is looked at
logger = logging.getLogger("anju.gateway")


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


class Door:
    """What all connections share."""

    def __init__(self, settings: GatewaySettings, store: Store, counters: Counters, profiles: Profiles) -> None:
        self.settings = settings
        self.store = store
        self.counters = counters
        self.profiles = profiles  # exchanged as a whole when the catalogue changes
        self.uids = Uids()
        self.siblings = Siblings(settings, counters)
        self.open = True
        self.leaving = False  # senders are asked to come again by another connection
        self.durable = settings.durable
        self.pending = self.pending_bytes = 0  # messages of HTTP that wait for their commit, and their bodies
        self.most, self.most_bytes = settings.max_pending, settings.max_pending_bytes
        self.gauges: dict[str, float] = {}
        self.heads: dict[bytes, Head] = {}  # heads that were read and admitted, as they came
        self.connections: dict[Connection, None] = {}  # in the order in which they came
        self.date = ""
        self.second = 0  # counted by `sweep`: who was silent longest
        self.ok = self.ok_last = b""
        self._secrets = tuple(s.encode() for s in settings.ctwing_secrets)
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self.soon = self._loop.call_soon
        self._new_date()

    def _new_date(self) -> None:
        self.date = f"date: {formatdate(usegmt=True)}\r\n"
        head = f"HTTP/1.1 200 OK\r\n{self.date}content-type: {JSON}\r\ncontent-length: {len(OK)}\r\n".encode()
        self.ok_last = head + b"connection: close\r\n\r\n" + OK
        self.ok = self.ok_last if self.leaving else head + b"\r\n" + OK

    # --- connections ---

    def enter(self, connection: Connection) -> None:
        """Somebody came. When all places are taken, the one that was silent longest leaves."""
        if self.settings.sources and not self._from_there(connection.client):
            connection.refusal = NOT_ALLOWED
        connection.heard = self.second
        if len(self.connections) >= self.settings.connections:
            silent = min((c for c in self.connections if c.dispensable), key=lambda c: c.heard, default=connection)
            self.connections.pop(silent, None)
            silent.give_place()
            if silent is connection:
                return
        self.connections[connection] = None

    def leave(self, connection: Connection) -> None:
        """It went."""
        self.connections.pop(connection, None)

    def deadline(self) -> float:
        """When a request that begins now must be there."""
        return self.now() + self.settings.body_limit

    def sweep(self) -> None:
        """End the requests that take too long; called each second."""
        self._new_date()
        self.second += 1
        now = self.now()
        for connection in [c for c in self.connections if 0 < c.until < now]:
            try:
                connection.overdue()
            except Exception:
                logger.exception("a connection that is overdue could not be told")
                connection.give_place()

    # --- who ---

    def judge(self, head: Head, connection: Connection, text: bytes) -> None:
        """Who may speak here, and how their bodies are read. What is admitted is remembered by its bytes."""
        try:
            head.decode = self._route(head, connection)
            if head.length > self.settings.max_body:
                raise TOO_LARGE
        except Refused as no:
            if no.last:
                raise
            head.refusal = no
            if head.length > self.settings.max_body:
                raise TOO_LARGE from None
        if head.decode is not None and head.keep and not head.header("expect"):
            if len(self.heads) >= MOST_HEADS:
                self.heads.clear()
            self.heads[text] = head
            head.headers = None

    def _route(self, head: Head, connection: Connection) -> Decode | None:
        path = head.path
        if path.startswith("/ctwing"):
            self._admit(connection)
            self._secret(head, path[7:])
            return self._plain(head, ctwing.decode)
        if path.startswith("/onenet"):
            self._admit(connection)
            if head.method == "GET":
                return None
            product = path[7:].strip("/")[:SHORT]
            secret = self.settings.onenet_products.get(product, self.settings.onenet)
            return self._plain(head, partial(self._onenet, secret, product))
        if path.startswith("/generic"):
            self._admit(connection)
            self._secret(head, path[8:])
            return self._plain(head, generic.decode)
        if path in {"/healthz", "/metrics"}:
            return None
        raise NOT_FOUND

    @staticmethod
    def _plain(head: Head, decode: Decode) -> Decode:
        if head.method != "POST":
            raise BAD_METHOD
        if head.header("content-encoding") not in {"", "identity"}:
            raise ENCODED
        return decode

    @staticmethod
    def _admit(connection: Connection) -> None:
        if connection.refusal is not None:
            raise connection.refusal

    def answer(self, head: Head, client: str) -> tuple[str, bytes]:
        """What a question (GET) hears: the kind of text, and the text."""
        if head.path == "/healthz":
            return JSON, self._health()
        if head.path == "/metrics":
            self._metrics_secret(head, client)
            files, size = self.spool_size()
            shared = {"spool_files": files, "spool_bytes": size, "sos_waiting": self.store.fallback.waiting}
            return TEXT, self.siblings.metrics(self.health(), self.gauges_now() | shared).encode()
        secret = self.settings.onenet_products.get(head.path[7:].strip("/")[:SHORT], self.settings.onenet)
        try:
            return TEXT, onenet.check_url(head.query, secret.token).encode()
        except onenet.BadSignature:
            raise BAD_SIGN from None

    @staticmethod
    def _onenet(secret: Secret, product: str, body: bytes, profiles: Profiles, now_ms: int) -> list[Report]:
        opened = onenet.open_push(body, secret.token, secret.aes_key)
        return onenet.decode(opened, product, profiles, now_ms)

    def decoded(self, decode: Decode, body: bytes) -> list[Report]:
        """The messages of a body. Raises Refused."""
        try:
            return decode_or_keep(decode, body, self.profiles)
        except onenet.BadSignature:
            raise BAD_SIGN from None
        except BadEnvelope as bad:
            raise Refused(400, bad.code, str(bad)) from None

    def _from_there(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address  # at "::" who speaks IPv4 comes as ::ffff:1.2.3.4
        return any(address in net for net in self.settings.sources)

    def _secret(self, head: Head, rest: str) -> None:
        if head.method != "POST":
            raise BAD_METHOD
        given = (rest.strip("/")[:SHORT] or head.header("x-anju-secret")).encode(errors="replace")
        for secret in self._secrets:
            if hmac.compare_digest(given, secret):
                return
        raise NO_SECRET

    def _metrics_secret(self, head: Head, client: str) -> None:
        if client in {"127.0.0.1", "::1", ""}:
            return
        given = head.header("authorization").removeprefix("Bearer ").encode(errors="replace")
        if not self.settings.metrics_secret or not hmac.compare_digest(given, self.settings.metrics_secret.encode()):
            raise NO_SECRET

    # --- what ---

    def accept(self, reports: list[Report], body: bytes, ticket: Waiting) -> None:
        """Hand decoded messages to the store; the ticket is told when all are safe."""
        store, counters = self.store, self.counters
        at = store.clock.now()
        if len(reports) > 1 or reports[0].pictures or reports[0].stranger:
            body = pictures.kept(reports, body)
        if len(reports) == 1:
            (report,) = reports
            records = [Record(tail_of(report, body, at, self.uids.next()), at, report.urgent, ticket)]
        else:
            records = self._records(reports, body, at, ticket)
        for record in records:
            store.hear(record)
            if record.urgent:
                counters.urgent += record.count
        for report in reports:
            counters.received[report.source] += 1
            if not report.lines:
                counters.undecodable[report.source] += 1
        counters.last_heard[reports[0].source] = at / 1e6

    def _records(self, reports: list[Report], body: bytes, at: int, ticket: Waiting) -> list[Record]:
        """Messages of one body: those that call for help, and the others. All are written before the first is heard: one that
        can't be written leaves none half accepted.
        """
        made = []
        for urgent in (True, False):
            if share := [report for report in reports if report.urgent == urgent]:
                more = tuple(head_of(other, at, self.uids.next()) for other in share[1:])
                made.append(Record(tail_of(share[0], body, at, self.uids.next()), at, urgent, ticket, more=more))
        return made

    # --- how it is ---

    def health(self) -> dict[str, Any]:
        """How this process is. `status`: ok · degraded (the spool is used, everything is still safe) · down."""
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
        try:
            health = self.siblings.health(health)
        except Exception:  # what a sibling wrote must never make this one look deaf
            logger.exception("what the other processes said can't be understood")
        return json.dumps(health).encode()

    def spool_size(self) -> tuple[int, int]:
        """Files and bytes that wait."""
        from anju.portals.device_gateway import spool

        return spool.waiting(self.settings.spool)

    def ask_to_leave(self) -> None:
        """Every sender is answered, and told to come again by another connection: another process takes it."""
        self.leaving = True
        self._new_date()

    def gauges_now(self) -> dict[str, float]:
        """Figures of this process that go up and down."""
        store = self.store
        oldest = max((lane.waited for lane in store.lanes), default=0.0)
        return {
            "pending": store.pending, "lanes": len(store.lanes), "lanes_ready": sum(lane.ready for lane in store.lanes),
            "database_up": store.database, "disk_full": store.disk_full, "commit_age_seconds": oldest, "fallback_pages_sent": store.fallback.sent,
            "fallback_pages_failed": store.fallback.failed, **self.gauges,
        }  # fmt: skip
