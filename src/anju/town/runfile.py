"""Where the running platform listens: `var/run.json`, written by `./run`, read by the simulator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anju.town.voices import Keys
from anju.town.wire import Door


class NotRunning(Exception):
    """There is no platform to talk to; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Broker:
    """The MQTT broker of the 4G devices; `topic` may hold {imei}."""

    host: str
    port: int
    user: str
    password: str
    topic: str


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything the town needs to speak."""

    http: dict[str, Door]
    keys: Keys
    broker: Broker | None


def read(path: str) -> Doors:
    """The doors of the platform that is running; raises NotRunning."""
    try:
        run: dict[str, Any] = json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise NotRunning(f"没有找到 {path}。请先用 ./run 启动平台，或用 --run-file 指明它的位置。") from None
    except (OSError, ValueError) as reason:
        raise NotRunning(f"读不了 {path}：{reason}。请重新启动平台。") from None
    gateway = run.get("gateway") or {}
    http = {
        name: Door(gateway[name]["url"], gateway[name].get("headers") or {})
        for name in ("ctwing", "onenet")
        if (gateway.get(name) or {}).get("url")
    }
    if not http:
        raise NotRunning(f"{path} 里没有网关地址。请等 ready 变成 true，再试。")
    onenet, mqtt = gateway.get("onenet") or {}, run.get("mqtt")
    keys = Keys(str(onenet.get("token") or ""), str(onenet.get("aes_key") or ""))
    broker = (
        Broker(mqtt["host"], int(mqtt["port"]), mqtt.get("user", ""), mqtt.get("password", ""), mqtt.get("topic", ""))
        if mqtt
        else None
    )
    return Doors(http, keys, broker)
