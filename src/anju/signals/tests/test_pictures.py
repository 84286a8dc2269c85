"""What a stranger sends may hold pictures of a home: they are cut out before anything is stored, and only they."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.devices.profile import Profile
from anju.signals.decoders import ctwing, generic, onenet, pictures
from anju.signals.decoders.base import Report

NOW = 1_795_000_000_000
JPEG, PNG = b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
HEADS = (JPEG, PNG, b"GIF89a", b"\0\0\0\x18ftypmp42", b"RIFF\x10\x20\0\0WEBP", b"HEAD\x01\x02" + JPEG)
NOISE = hashlib.sha512(b"what a camera saw").digest() * 12

Wrap = Callable[[bytes], Any]


def data_uri(picture: bytes) -> str:
    """As a page would show it."""
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


WRAPS: tuple[Wrap, ...] = (
    lambda p: base64.b64encode(p).decode(),
    lambda p: base64.urlsafe_b64encode(p).decode().rstrip("="),
    lambda p: base64.encodebytes(p).decode(),
    lambda p: p.hex(),
    list,
    data_uri,
    lambda p: {"t": NOW, "pic": base64.b64encode(p).decode()},
    lambda p: [{"n": 1}, {"img": base64.b64encode(p).decode()}],
    lambda p: json.dumps({"snapshot": base64.b64encode(p).decode()}),
    lambda p: base64.b64encode(json.dumps({"snapshot": base64.b64encode(p).decode()}).encode()).decode(),
)
PICTURES = st.builds(
    lambda head, tail, many: head + tail + NOISE * many, st.sampled_from(HEADS), st.binary(max_size=40), st.integers(1, 6)
)  # fmt: skip
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
WORDS = st.one_of(
    st.integers(-5, 10**6), st.booleans(), st.none(), st.text(max_size=60), ASCII,
    st.binary(max_size=600).map(lambda b: base64.b64encode(b"\x01" + b).decode()),  # a sensor's frame
    st.lists(st.integers(0, 255), max_size=20), st.lists(st.integers(1000, 9999), min_size=300, max_size=300),
)  # fmt: skip
SAID = st.fixed_dictionaries(
    {}, optional={"Alarm_Status": st.sampled_from([0, 1, "1"]), "Battery_Level": st.integers(0, 100), "Motion_Status": st.integers(0, 1),
                  "Fall_Status": st.integers(0, 1), "Seq": st.integers(0, 99)},
)  # fmt: skip


def lines(reports: list[Report]) -> list[Any]:
    """What the decoders made of a body."""
    return [(r.device_key, r.product_id, r.kind, r.lines, r.vitals, r.urgent) for r in reports]


def envelope(said: dict[str, Any], more: dict[str, Any], shape: str) -> dict[str, Any]:
    """A stranger's message in the dress of one of the platforms."""
    data = said | {f"x_{k}": v for k, v in more.items()}
    if shape == "ctwing":
        return {"messageType": "dataReport", "IMEI": "861000000000099", "productId": "nobody", "deviceId": "d1", "timestamp": NOW,
                "payload": data}  # fmt: skip
    return {"device": "861000000000099", "product": "nobody", "t": NOW, "data": data}


@pytest.mark.req("SEN-06", "DEV-01")
@given(
    said=SAID, more=st.dictionaries(ASCII, WORDS, max_size=4), seen=PICTURES, wrap=st.sampled_from(WRAPS),
    shape=st.sampled_from(["ctwing", "generic"]), slashes=st.booleans(), gbk=st.booleans(),
)  # fmt: skip
def test_a_strangers_picture_goes_and_everything_else_stays(
    said: dict[str, Any], more: dict[str, Any], seen: bytes, wrap: Wrap, shape: str, slashes: bool, gbk: bool
) -> None:
    decoder = ctwing if shape == "ctwing" else generic
    env = envelope(said, more, shape)
    text = json.dumps(env | {"zz": wrap(seen)}, ensure_ascii=False)
    text = text.replace("/", "\\/") if slashes else text  # as PHP writes it
    body = text.encode("gb18030" if gbk else "utf-8", "replace")
    before = decoder.decode(body, {}, NOW)
    kept = pictures.kept(before, body)
    for shown in (base64.b64encode(seen), base64.urlsafe_b64encode(seen).rstrip(b"="), seen.hex().encode()):
        assert shown[:120] not in kept.replace(b"\\/", b"/").replace(b"\\n", b"")
    assert len(kept) < len(body)
    assert lines(decoder.decode(kept, {}, NOW)) == lines(before)
    plain = json.dumps(env, ensure_ascii=False).encode("utf-8", "replace")
    assert pictures.kept(decoder.decode(plain, {}, NOW), plain) is plain, "without a picture it is kept as it came"


@pytest.mark.req("SEN-06")
@given(seen=PICTURES, wrap=st.sampled_from(WRAPS[:5]))
def test_its_size_and_digest_stay(seen: bytes, wrap: Wrap) -> None:
    body = json.dumps({"SOS": 1, "img": wrap(seen)}).encode()
    kept = json.loads(pictures.strangers(body))
    assert kept == {"SOS": 1, "img": f"[画面已去除 {len(seen)} 字节 sha256={hashlib.sha256(seen).hexdigest()}]"}


@given(body=st.one_of(st.binary(max_size=900), st.text(max_size=400).map(str.encode), PICTURES))
def test_whatever_comes_it_never_raises(body: bytes) -> None:
    report = Report("mqtt", "", "", "", "report", "", None, body)
    for padded in (body, body + b" " * 600, b'{"a":"' + body + b'"}'):
        kept = pictures.kept([report], padded)
        assert kept is padded or b"sha256=" in kept


def test_a_raw_picture_without_any_envelope_is_not_kept() -> None:
    seen = JPEG + NOISE
    assert pictures.strangers(seen).decode() == pictures.mark(seen)
    (report,) = generic.decode_mqtt("anju/nobody/861000000000099/up", seen, {}, NOW)
    assert pictures.kept([report], seen).decode() == pictures.mark(seen)


def test_keys_that_stand_twice_stay_twice() -> None:
    seen = base64.b64encode(JPEG + NOISE).decode()
    body = f'{{"device":"861000000000099","SOS":1,"SOS":0,"img":"{seen}"}}'.encode()
    kept = pictures.strangers(body)
    assert kept.startswith(b'{"device":"861000000000099","SOS":1,"SOS":0,"img":"[')
    assert lines(generic.decode(kept, {}, NOW)) == lines(generic.decode(body, {}, NOW))


@pytest.mark.parametrize(
    ("value", "goes"),
    [
        ("rtsp://admin:1234@10.0.0.9/live", True),
        ("https://cam.example/2026/1.JPG?x=1", True),
        ("data:image/png;base64,iVBORw0KGgo=", True),
        ("https://maker.example/firmware/2.1.bin", False),
        ("data: 5 of 7", False),
        ("好" * 900, False),
        (base64.b64encode(bytes(range(256)) * 8).decode(), False),  # a long frame of a sensor
        (base64.b64encode(NOISE * 60).decode(), True),  # larger than any frame: a picture that nobody recognises
    ],
    ids=["stream", "link", "inline", "firmware", "counted", "text", "frame", "large"],
)
def test_links_streams_and_long_words(value: str, goes: bool) -> None:
    body = json.dumps({"SOS": 1, "x": value}, ensure_ascii=False).encode()
    kept = pictures.strangers(body)
    assert (kept is not body) is goes
    assert (value in kept.decode()) is not goes


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        ("Snapshot", True),
        ("facePic", True),
        ("抓拍图", True),
        ("imgs", True),
        ("topic", False),
        ("APPdata", False),
        ("ecg", False),
    ],
)
def test_bytes_of_an_unknown_kind_are_a_picture_when_their_name_says_so(name: str, goes: bool) -> None:
    sealed = bytes(range(256)) * 20
    for value in (base64.b64encode(sealed).decode(), [base64.b64encode(sealed).decode()], list(sealed)):
        body = json.dumps({"SOS": 1, name: value, "after": 1}, indent=1, ensure_ascii=False).encode()
        kept = pictures.strangers(body)
        assert (kept is not body) is goes
        assert (hashlib.sha256(sealed).hexdigest() in kept.decode()) is goes
        assert json.loads(kept)["SOS"] == json.loads(kept)["after"] == 1


def test_what_is_known_is_kept_as_it_was_or_cut_as_a_camera() -> None:
    seen = base64.b64encode(JPEG + NOISE).decode()
    body = json.dumps({"device": "1", "product": "p", "SOS": 1, "img": seen}).encode()
    phone = {("generic", "p"): Profile.of({"code": "p", "kind": "phone"})}
    camera = {("generic", "p"): Profile.of({"code": "p", "kind": "camera"})}
    assert pictures.kept(generic.decode(body, phone, NOW), body) is body
    assert b"sha256" not in pictures.kept(generic.decode(body, camera, NOW), body)
    assert seen.encode() not in pictures.kept(generic.decode(body, camera, NOW), body)


def test_a_sealed_push_of_a_stranger_is_kept_open_when_there_is_a_picture_in_it() -> None:
    inside = json.dumps(
        {
            "deviceName": "861000000000099",
            "data": {"params": {"SOS": {"value": 1}, "img": base64.b64encode(JPEG + NOISE).decode()}},
        }
    )
    body = json.dumps({"msg": base64.b64encode(b"\x02" + NOISE).decode(), "nonce": "n", "signature": "s"}).encode()
    reports = onenet.decode(onenet.Opened(inside.encode(), "7", sealed=True), "nobody", {}, NOW)
    kept = pictures.kept(reports, body)
    assert json.loads(kept)["data"]["params"]["img"].startswith("[画面已去除 ")
    assert lines(onenet.decode(onenet.Opened(kept, "7"), "nobody", {}, NOW)) == lines(reports)
    assert reports[0].urgent
    plain = onenet.decode(
        onenet.Opened(b'{"deviceName":"861000000000099","data":{"SOS":1}}', "7", sealed=True), "nobody", {}, NOW
    )
    assert pictures.kept(plain, body) is body


def test_a_picture_is_cut_out_of_a_text_with_a_bad_byte_too() -> None:
    shown = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20)
    text = b'{"deviceId":"d","payload":{"n":"\xff\xfe","picture":"' + shown + b'"}}'
    kept = pictures.strangers(text)
    assert shown not in kept
    assert b"sha256=" in kept
    assert b"\xff\xfe" in kept
