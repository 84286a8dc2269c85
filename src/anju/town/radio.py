"""The 4G devices of the town: they publish to the broker themselves, QoS 1 (acknowledged after the platform's commit)."""

from __future__ import annotations

import asyncio
import contextlib

import aiomqtt

from anju.town.runfile import Broker
from anju.town.voices import Post


class Radio:
    """One connection to the broker for all devices; opens itself when first needed and again when it was cut."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._client: aiomqtt.Client | None = None
        self._lock = asyncio.Lock()

    async def publish(self, post: Post) -> bool:
        """True when the broker took it."""
        topic = self._broker.topic.replace("{product}", post.device.product).replace("{imei}", post.device.imei)
        try:
            client = await self._connected()
            await asyncio.wait_for(client.publish(topic, post.body, qos=1), 10)
        except (aiomqtt.MqttError, OSError, TimeoutError):
            await self.close()
            return False
        return True

    async def _connected(self) -> aiomqtt.Client:
        async with self._lock:
            if self._client is None:
                client = aiomqtt.Client(
                    self._broker.host, self._broker.port,
                    username=self._broker.user or None, password=self._broker.password or None,
                )  # fmt: skip
                await asyncio.wait_for(client.__aenter__(), 10)
                self._client = client
            return self._client

    async def close(self) -> None:
        """Leave the broker."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(aiomqtt.MqttError, OSError, TimeoutError):
                await client.__aexit__(None, None, None)
