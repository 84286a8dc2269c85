"""From the SOS body at the gateway to an agent's open desk in a real Chromium, while other traffic flows.

Run the platform first (`./run`), then:

    .venv/bin/python benchmarks/desk/sos_to_eyes.py --presses 60 --background 1000

Each press comes from another home. Time runs from the first byte of the POST to the moment when the page's own
`MutationObserver` sees a queue row with the new incident's number, both on the clock of this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Page, async_playwright

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
WATCH = """
() => {
  window.seen = {};
  const look = () => document.querySelectorAll('[data-incident]').forEach(row => {
    window.seen[row.dataset.incident] ??= Date.now() / 1000;
  });
  look();
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, attributes: true});
}
"""


def body(device: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    """A CTWing data report as the operator posts it."""
    return {
        "upPacketSN": -1,
        "upDataSN": -1,
        "topic": "v1/up/ad",
        "timestamp": int(time.time() * 1000),
        "tenantId": "2000000001",
        "serviceId": "Alarm",
        "protocol": "lwm2m",
        "productId": device.get("product_id", "15000001"),
        "messageType": "dataReport",
        "deviceType": "",
        "deviceId": device["device_id"],
        "assocAssetId": "",
        "IMSI": "undefined",
        "IMEI": device["imei"],
        "payload": {
            "serviceId": "Alarm",
            "serviceData": {"Battery_Level": 87, "RSRP": -95, "SNR": 12, "Cell_ID": 123456, **content},
        },
    }


def request(gateway: dict[str, Any], content: dict[str, Any]) -> bytes:
    """One POST as bytes: the generator must cost less than what it measures."""
    where = urlsplit(gateway["url"])
    packed = json.dumps(content).encode()
    head = [
        f"POST {where.path} HTTP/1.1",
        f"Host: {where.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(packed)}",
    ]
    head += [f"{name}: {value}" for name, value in gateway["headers"].items()]
    return "\r\n".join([*head, "", ""]).encode() + packed


async def sender(gateway: dict[str, Any], devices: list[dict[str, Any]], pause: float, stop: asyncio.Event) -> int:
    """Motion messages over one connection, one each `pause` seconds until `stop`; returns how many were acknowledged."""
    where, sent, start = urlsplit(gateway["url"]), 0, time.monotonic()
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    while not stop.is_set():
        await asyncio.sleep(max(0.0, start + sent * pause - time.monotonic()))
        device = devices[sent % len(devices)]
        writer.write(request(gateway, body(device, {"Motion_Status": 1, "Seq": sent})))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        sent += b" 200 " in head.split(b"\r\n")[0]
    writer.close()
    return sent


async def background(gateway: dict[str, Any], devices: list[dict[str, Any]], rate: float, stop: asyncio.Event) -> int:
    """`rate` messages a second over 32 connections."""
    shares = [devices[n::32] for n in range(32)]
    return sum(await asyncio.gather(*(sender(gateway, share, 32 / rate, stop) for share in shares if share)))


async def log_in(page: Page, web: str, login: dict[str, str]) -> None:
    await page.goto(f"{web}/login/")
    await page.fill("input[name=username]", login["user"])
    await page.fill("input[name=password]", login["password"])
    await page.click("form.login__form button")
    await page.wait_for_url("**/desk/**")


def one_each(run: dict[str, Any]) -> list[dict[str, Any]]:
    """One SOS device a home, in homes without an open incident: a press there must open a new one."""
    open_ = httpx.get(
        f"{run['api']['url']}/incidents?open=true&limit=200",
        headers={"Authorization": f"Bearer {run['api']['token']}"},
        verify=False,  # noqa: S501 - the demo's own authority
    )
    busy = {str(incident["home_id"]) for incident in open_.json()["items"] if incident["state"] != "closed"}
    homes = {
        d["home"]: d
        for d in run["demo_devices"]
        if d["kind"] == "sos" and d["source"] == "ctwing" and d["home"] not in busy
    }
    return list(homes.values())


async def take(client: httpx.AsyncClient, run: dict[str, Any], incident: str) -> None:
    """What an agent does: she takes the case and finds that it was pressed by mistake."""
    token = {"Authorization": f"Bearer {run['api']['token']}"}
    for move, data in (("accept", {}), ("false_alarm", {"class": "mis_press"})):
        made = await client.post(
            f"{run['api']['url']}/incidents/{incident}/moves/{move}",
            headers=token,
            json={"reason": "误碰", "data": data},
        )
        made.raise_for_status()


async def measure(run: dict[str, Any], presses: int, rate: float, *, answered: bool) -> list[float]:
    web = run["web"].rstrip("/")
    buttons = one_each(run)
    motions = [d for d in run["demo_devices"] if d["kind"] == "motion" and d["source"] == "ctwing"]
    login = next(entry for entry in run["logins"] if entry["role"] == "agent")
    gateway = run["gateway"]["ctwing"]
    delays: list[float] = []
    async with httpx.AsyncClient(timeout=10, verify=False) as client, async_playwright() as play:  # noqa: S501
        browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = await (
            await browser.new_context(ignore_https_errors=True, viewport={"width": 1440, "height": 900})
        ).new_page()
        await log_in(page, web, login)
        await page.evaluate(WATCH)
        stop, began = asyncio.Event(), time.monotonic()
        traffic = asyncio.create_task(background(gateway, motions, rate, stop)) if rate else None
        await asyncio.sleep(3)
        for n in range(min(presses, len(buttons))):
            before = set(await page.evaluate("Object.keys(window.seen)"))
            start = time.time()
            answer = await client.post(
                gateway["url"], headers=gateway["headers"], json=body(buttons[n], {"Alarm_Status": 1})
            )
            answer.raise_for_status()
            handle = await page.wait_for_function(
                "known => Object.keys(window.seen).some(k => !known.includes(k))", arg=list(before), timeout=15000
            )
            await handle.dispose()
            seen = await page.evaluate("window.seen")
            delays.append(min(at for key, at in seen.items() if key not in before) - start)
            if answered:
                for incident in seen.keys() - before:
                    await take(client, run, incident)
            await asyncio.sleep(0.25)
        stop.set()
        if traffic:
            print(f"background: {await traffic} acknowledged in {time.monotonic() - began:.0f} s")
        await browser.close()
    return delays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--presses", type=int, default=60)
    parser.add_argument("--background", type=float, default=1000, help="other messages a second")
    parser.add_argument("--answer", action="store_true", help="take and close each case, so that the queue stays short")
    options = parser.parse_args()
    home = Path(os.environ.get("ANJU_HOME", "var"))
    run = json.loads((home / "run.json").read_text())
    delays = asyncio.run(measure(run, options.presses, options.background, answered=options.answer))
    print("in order: " + " ".join(f"{delay:.2f}" for delay in delays))
    delays.sort()
    p = {q: delays[min(len(delays) - 1, int(len(delays) * q / 100))] for q in (50, 90, 99)}
    print(f"{len(delays)} presses, {options.background:.0f} other messages/s, mean {statistics.mean(delays):.3f} s")
    print(", ".join(f"p{q} {value:.3f} s" for q, value in p.items()))
    sys.exit(0 if p[50] < 0.5 and p[99] < 1 else 1)


if __name__ == "__main__":
    main()
