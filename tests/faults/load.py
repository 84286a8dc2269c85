"""Senders that behave as an operator's platform does: they repeat a body until it is acknowledged."""

from __future__ import annotations

import http.client
import json
import threading
import time
from random import Random
from typing import Any
from urllib.parse import urlsplit


def body(device: str, at_ms: int, fact: dict[str, Any]) -> bytes:
    """A CTWing `dataReport`."""
    return json.dumps({
        "upPacketSN": -1, "upDataSN": -1, "topic": "v1/up/ad19", "timestamp": at_ms, "tenantId": "10000001",
        "serviceId": "Alarm", "protocol": "lwm2m", "productId": "15000001", "messageType": "dataReport",
        "payload": {"serviceId": "Alarm", "serviceData": fact}, "deviceType": "", "deviceId": device,
        "assocAssetId": "", "IMSI": "undefined", "IMEI": "",
    }).encode()  # fmt: skip


class Sender(threading.Thread):
    """One connection at a time. `acknowledged` holds (device id, milliseconds, is an SOS)."""

    def __init__(self, number: int, door: dict[str, Any], stop: threading.Event, seed: int, pace: float) -> None:
        super().__init__(daemon=True)
        self.number, self.door, self.stopped, self.pace = number, door, stop, pace
        self.chance = Random(seed)
        self.acknowledged: list[tuple[str, int, bool]] = []
        self.answers: dict[int, int] = {}
        self.repeated = 0

    def run(self) -> None:
        """Send until told to stop; the last body is repeated until it is acknowledged, or 30 s."""
        count = 0
        while not self.stopped.wait(self.chance.expovariate(1 / self.pace)):
            count += 1
            sos = self.chance.random() < 0.1
            device, at_ms = f"faults-{self.number}-{count}", int(time.time() * 1000)
            fact = {"Alarm_Status": 1, "Battery_Level": 80} if sos else {"Motion_Status": 1, "Battery_Level": 80}
            if self._until_acknowledged(body(device, at_ms, fact)):
                self.acknowledged.append((device, at_ms, sos))

    def _until_acknowledged(self, content: bytes) -> bool:
        end = time.monotonic() + 30
        quiet = threading.Event()
        while time.monotonic() < end:
            if self._post(content):
                return True
            self.repeated += 1
            quiet.wait(0.2)
        return False

    def _post(self, content: bytes) -> bool:
        address = urlsplit(self.door["url"])
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=8)
        try:
            headers = {"Content-Type": "application/json", **self.door.get("headers", {})}
            connection.request("POST", address.path, content, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        self.answers[status] = self.answers.get(status, 0) + 1
        return status == http.client.OK
