"""4G devices by MQTT, QoS 1. The broker gets our acknowledgement after the message is safe, so what we did not keep it
sends again. A fixed client id and a lasting session: what devices say while we are away waits in the broker.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from anju.portals.device_gateway.http import Door, decode_or_keep
from anju.portals.device_gateway.record import REFUSED, Ticket
from anju.signals.decoders import generic

AGAIN = 2.0  # seconds until a message that nobody could keep is tried again
logger = logging.getLogger("anju.gateway")


class Broker:
    """One connection to a broker (`MQTT_URL` = mqtt://user:password@host:port/client-id, mqtts for TLS)."""

    def __init__(self, url: str, topic: str, door: Door, *, name: str) -> None:
        parts = urlsplit(url)
        self._door = door
        self._topic = topic
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Task[None]] = set()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=parts.path.strip("/") or name, clean_session=False, manual_ack=True
        )
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.max_inflight_messages_set(200)
        self._client.reconnect_delay_set(1, 30)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._heard
        self._client.on_subscribe = self._subscribed
        self._address = (parts.hostname or "127.0.0.1", parts.port or (8883 if parts.scheme == "mqtts" else 1883))

    def start(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        self._client.connect_async(*self._address, keepalive=30)
        self._client.loop_start()

    def stop(self) -> None:
        """What is not acknowledged by now the broker keeps, for whichever process leads next."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            logger.warning("mqtt: the broker refused us: %s", reason)
            return
        client.subscribe(self._topic, qos=1)  # only its answer says that we hear

    def _subscribed(self, _client: paho.Client, _data: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            logger.critical("mqtt: the broker does not let us hear %s: %s", self._topic, "; ".join(refused))
        self._loop.call_soon_threadsafe(self._door.gauges.__setitem__, "mqtt_connected", 0.0 if refused else 1.0)

    def _disconnected(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        logger.warning("mqtt: connection lost: %s", reason)
        self._loop.call_soon_threadsafe(self._door.gauges.__setitem__, "mqtt_connected", 0.0)

    def _heard(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._take, message)

    def _take(self, message: paho.MQTTMessage) -> None:
        task = self._loop.create_task(self._keep(message))
        self._waiting.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._waiting.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._door.counters.rejected["internal"] += 1
            logger.error("mqtt: a message failed and was not acknowledged", exc_info=error)

    async def _keep(self, message: paho.MQTTMessage) -> None:
        if len(message.payload) > self._door.settings.max_body:
            self._door.counters.rejected["too_large"] += (
                1  # no sender waits for an answer; the broker must not send it for ever
            )
            self._client.ack(message.mid, message.qos)
            return
        decode = partial(generic.decode_mqtt, message.topic)
        reports = decode_or_keep(decode, bytes(message.payload), self._door.profiles, "mqtt")
        while True:
            future: asyncio.Future[int] = self._loop.create_future()
            self._door.accept(reports, bytes(message.payload), Ticket(future, len(reports)))
            if await future != REFUSED:
                break
            # A broker sends again only after a new connection, and sends nothing more while some twenty are open: so it is
            # we who try again.
            await asyncio.sleep(AGAIN)
        self._door.counters.acked += len(reports)
        self._client.ack(message.mid, message.qos)
