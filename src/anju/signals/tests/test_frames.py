"""Every frame in tests/frames means what it says beside it. A new product brings its frames; this test finds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anju.devices.profile import Profile, shipped
from anju.signals.decoders import ctwing, generic, onenet
from anju.signals.decoders.base import Report

FRAMES = Path(__file__).resolve().parents[4] / "tests" / "frames"
PROFILES = {(d["source"], d["product_id"]): Profile.of(d) for d in shipped()}
ALL = sorted(FRAMES.glob("*/*.json"))


def decode(vendor: str, frame: dict[str, Any]) -> list[Report]:
    """A frame as the gateway would decode it."""
    body = json.dumps(frame["body"], separators=(",", ":")).encode()
    now = frame["now"]
    if vendor == "onenet":
        return onenet.decode(onenet.Opened(body, ""), "", PROFILES, now)
    if vendor == "mqtt":
        return generic.decode_mqtt(frame["topic"], body, PROFILES, now)
    if vendor == "generic":
        return generic.decode(body, PROFILES, now)
    return ctwing.decode(body, PROFILES, now)


def as_signals(report: Report) -> list[dict[str, Any]]:
    """What the log would hold; `at` as stored: the signal's own time, else the message's, else None."""
    return [
        {
            "kind": k,
            "at": at if at is not None else report.device_ms,
            "dty": dty,
            "stc": stc,
            "count": n,
            "value": v,
            "seq": q,
        }
        for k, at, dty, stc, _lco, n, v, q in report.lines
    ]


@pytest.mark.req("DEV-04")
@pytest.mark.parametrize("path", ALL, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_frame_means_what_it_says(path: Path) -> None:
    frame = json.loads(path.read_text(encoding="utf-8"))
    expect = frame["expect"]
    (report,) = decode(path.parent.name, frame)
    assert report.device_key == expect["device_key"]
    assert report.urgent is expect["urgent"]
    assert report.vitals == expect["vitals"]
    got = as_signals(report)
    assert [g["kind"] for g in got] == [e["kind"] for e in expect["signals"]], report.notes
    for seen, wanted in zip(got, expect["signals"], strict=True):
        assert {k: seen[k] for k in wanted} == wanted
    for name in ("windowed", "kind"):
        if name in expect:
            assert getattr(report, name) == expect[name]
    if "device_at" in expect:
        assert report.device_ms == expect["device_at"]
    if "note" in expect:
        assert expect["note"] in report.note


@pytest.mark.req("DEV-01")
def test_every_shipped_product_can_be_read_and_is_spoken_for_by_a_frame() -> None:
    spoken = set()
    for path in ALL:
        frame = json.loads(path.read_text(encoding="utf-8"))
        spoken |= {r.product_id for r in decode(path.parent.name, frame)}
    missing = {d["code"] for d in shipped() if d["product_id"] not in spoken}
    assert not missing, "a product without a frame: nobody knows whether its profile is right"
