"""Decoders on anything: they refuse an envelope or answer; they never fall over, and they never lose an SOS."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.devices.profile import Profile, shipped
from anju.portals.device_gateway.record import tail_of
from anju.signals import log
from anju.signals.decoders import bing, ctwing, generic, json_in, onenet, pictures
from anju.signals.decoders.base import BadEnvelope, Report, moment

NOW = 1_763_683_205_000
PROFILES = {(d["source"], d["product_id"]): Profile.of(d) for d in shipped()}
PRODUCTS = [d["product_id"] for d in shipped()] + ["", "99", None, 5]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
names = st.sampled_from(
    ["Alarm_Status", "Door_Status", "Motion_Status", "Motion_Records", "Tamper_Status", "Battery_Level", "RSRP", "SNR", "Cell_ID", "Seq",
     "Firmware_Version",
     "SOS", "t", "n", "value", "time", "serviceId", "serviceData", "APPdata", "payload", "data", "params", "msg", "x"]
) | st.text(max_size=8)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6), max_leaves=25
)
envelopes = st.fixed_dictionaries(
    {"payload": anything},
    optional={
        "timestamp": scalars | st.just(NOW - 5),
        "messageType": scalars | st.sampled_from(list(ctwing._KINDS)), "productId": st.sampled_from(PRODUCTS),
        "deviceId": scalars, "IMEI": scalars, "IMSI": st.just("undefined"), "eventType": anything, "eventContent": anything,
        "result": anything, "serviceId": anything,
    },
)  # fmt: skip


def storable(reports: list[Report], body: bytes) -> None:
    """Each can be written to the log, and what is written can be read again."""
    for report in reports:
        assert len(report.dedup) == 16
        tail = tail_of(report, body, NOW * 1000, bytes(16))
        assert body in tail
        lines = [(k, NOW if at is None else at, *rest) for k, at, *rest in report.lines]
        signals, vitals = log.read(log.write(lines, report.vitals))
        assert [s.kind for s in signals] == [line[0] for line in report.lines]
        assert vitals.keys() == report.vitals.keys()
        assert bool(report.lines) or report.note


@pytest.mark.req("DEV-04")
@settings(max_examples=300, deadline=None)
@given(envelopes)
def test_ctwing_answers_any_object(envelope: dict[str, Any]) -> None:
    body = json.dumps(envelope).encode()
    storable(ctwing.decode(body, PROFILES, NOW), body)


@pytest.mark.req("DEV-05")
@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("Firmware_Version", "V2.1.7-b3", "V2.1.7-b3"),
        ("software_version", {"value": " 2.1.7 ", "time": NOW}, "2.1.7"),
        ("fw-version", 217, "217"),
        ("Firmware_Version", "a\x00b", "ab"),
        ("Firmware_Version", ["", None, "3"], "3"),
        ("Firmware_Version", "", None),
        ("Firmware_Version", {}, None),
    ],
)
def test_a_device_says_which_firmware_it_runs(key: str, value: Any, read: str | None) -> None:
    """In words, as a number, with its time; by both ways of the decoder. It never costs the SOS beside it."""
    data = {"Alarm_Status": 1, key: value}
    envelope = {"messageType": "dataReport", "timestamp": NOW - 5, "IMEI": "861", "deviceId": "d", "productId": "99"}
    (report,) = ctwing.decode(
        json.dumps({**envelope, "payload": {"serviceId": "Alarm", "serviceData": data}}).encode(), PROFILES, NOW
    )
    assert report.vitals.get("firmware") == read
    assert [line[0] for line in report.lines] == ["sos"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | anything.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_are_refused_or_decoded(body: bytes) -> None:
    for decode in (ctwing.decode, generic.decode):
        try:
            reports = decode(body, PROFILES, NOW)
        except BadEnvelope as refused:
            said_in_chinese = "。" in str(refused)
            assert said_in_chinese
        else:
            storable(reports, body)
    storable(generic.decode_mqtt("anju/phone-4g1/861/up", body, PROFILES, NOW), body)
    storable(onenet.decode(onenet.Opened(body, "7"), "p", PROFILES, NOW), body)
    report = Report("ctwing", "1", "1", "15001005", "report", "1", NOW, body)
    ctwing.read_payload(report, PROFILES["ctwing", "15001005"], {"APPdata": base64.b64encode(body).decode()}, NOW)


whole = st.integers(-(10**6), 10**9)
properties = st.dictionaries(
    names.filter(lambda n: n not in {"APPdata", "serviceData", "value", "time", "t"}),
    whole | st.text(max_size=5),
    min_size=1,
    max_size=8,
)


@settings(max_examples=400, deadline=None)
@given(properties, st.sampled_from(PRODUCTS[:-3]), st.booleans(), st.integers(NOW - 10**9, NOW))
def test_the_quick_way_gives_what_the_patient_way_gives(
    data: dict[str, Any], product: str, service: bool, at: int
) -> None:
    payload = {"serviceId": "A", "serviceData": data} if service else data
    envelope = {
        "timestamp": at,
        "messageType": "dataReport",
        "productId": product,
        "deviceId": "d1",
        "IMEI": "8610",
        "payload": payload,
    }
    quick = ctwing._quick(json.dumps(envelope, separators=(",", ":")).encode(), PROFILES, NOW)
    patient = ctwing._one(envelope, PROFILES, NOW)
    if quick is not None:
        assert (quick.lines, quick.vitals, quick.dedup, quick.kind, quick.device_ms, quick.pictures) == (
            patient.lines, patient.vitals, patient.dedup, patient.kind, patient.device_ms, patient.pictures,
        )  # fmt: skip


on_values = st.sampled_from(
    [1, "1", True, 1.0, "true", "on", 2, "ALARM", [1], {"value": 1}, [{"value": "1"}], "报警", 1e30, math.inf]
)
holes = st.recursive(
    st.just("@"),
    lambda inner: (
        st.dictionaries(st.text("abcXYZ", min_size=1, max_size=3), inner, min_size=1, max_size=2)
        | st.lists(inner, min_size=1, max_size=2)
    ),
    max_leaves=4,
)


def fill(hole: Any, sos: Any) -> Any:
    """Put the SOS where the mark is."""
    if hole == "@":
        return sos
    return {k: fill(v, sos) for k, v in hole.items()} if isinstance(hole, dict) else [fill(v, sos) for v in hole]


def depth(hole: Any) -> int:
    """How deep the mark lies."""
    if hole == "@":
        return 0
    return 1 + max(depth(v) for v in (hole.values() if isinstance(hole, dict) else hole))


@pytest.mark.req("SEN-03")
@settings(max_examples=400, deadline=None)
@given(
    on_values,
    holes.filter(lambda h: depth(h) < 6),
    st.sampled_from(["Alarm_Status", "alarm_status", "SOS", "AlarmStatus"]),
    anything,
    envelopes,
)
def test_an_sos_is_never_lost(value: Any, hole: Any, key: str, clutter: Any, envelope: dict[str, Any]) -> None:
    envelope = {**envelope, "payload": fill(hole, {key: value, "Battery_Level": clutter, "Seq": clutter})}
    if envelope.get("messageType") in {"deviceOnlineOfflineReport", "commandResponse"}:
        envelope["messageType"] = "dataReport"
    (report,) = ctwing.decode(json.dumps(envelope).encode(), PROFILES, NOW)
    assert report.urgent
    assert ("sos" in {line[0] for line in report.lines}) is True
    quiet = {**envelope, "payload": {"Battery_Level": 50}, "eventContent": None, "result": None, "eventType": None}
    (other,) = ctwing.decode(json.dumps(quiet).encode(), PROFILES, NOW)
    assert not other.urgent


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (b'{"payload":{"Alarm_Status":1,"Alarm_Status":0}}', {"sos", "sos_reset"}),
        (b'{"payload":{"Alarm_Status":0,"Alarm_Status":1}}', {"sos", "sos_reset"}),
        (
            b'{"messageType":"dataReport","timestamp":1763683200000,"payload":{"Alarm_Status":1,"Alarm_Status" :0}}',
            {"sos", "sos_reset"},
        ),
        (b'{"payload":{"Alarm_Status":1},"payload":{"Battery_Level":50}}', {"sos", "vitals"}),
        (b'\xef\xbb\xbf{"payload":{"Alarm_Status":1}}', {"sos"}),
        ('{"payload":{"Alarm_Status":1,"备注":"厨房"}}'.encode("gbk"), {"sos"}),
        (b'{"payload":{"Alarm_Status":1,"SNR":NaN,"RSRP":-Infinity}}', {"sos"}),
        (b'{"payload":{"Alarm_Status":1,"Cell_ID":' + b"9" * 400 + b"}}", {"sos"}),
        (b'{"payload":{"Alarm_Status":' + b"9" * 400 + b"}}", {"sos"}),
        (b'{"payload":{"Alarm_Status":1}}\x00\x00', {"sos"}),
        (b'{"payload":{"Alarm_Status":1,"n":"\xff\xfe"}}', {"sos"}),
        (b'{"payload":{"Alarm_Status":1,"n":"a\nb\x01"}}', {"sos"}),
        (b'{"payload":{"APPdata":"' + base64.b64encode(b'{"Alarm_Status":1}\x00') + b'"}}', {"sos"}),
        (
            b'{"payload":{"APPdata":"' + base64.b64encode(b'{"Battery_Level":7}\r\n{"Alarm_Status":1}') + b'"}}',
            {"sos", "battery"},
        ),
    ],
    ids=[
        "twice",
        "twice-turned",
        "twice-with-a-space",
        "payload-twice",
        "byte-order-mark",
        "gbk",
        "nan",
        "huge-number",
        "huge-status",
        "zeros-behind",
        "bad-byte",
        "control-characters",
        "zeros-behind-inside",
        "two-objects-inside",
    ],
)
def test_odd_json_keeps_its_sos(body: bytes, kinds: set[str]) -> None:
    (report,) = ctwing.decode(body, PROFILES, NOW)
    assert "sos" in {line[0] for line in report.lines} <= kinds
    storable([report], body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_json"), (b"{", "bad_json"), (b'{"a":1}}', "bad_json"), (b"[]", "not_an_object"), (b"7", "not_an_object"),
        (b'"x"', "not_an_object"), (b"[1]", "not_an_object"), (b"\xff\xfe\x00{", "bad_text"), (b"\x81", "bad_text"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "too_deep"), (b"[" * 100_000, "bad_json"), (b'{"a":' + b"9" * 100_000 + b"}", "bad_json"),
    ],
    ids=lambda v: repr(v)[:24],
)  # fmt: skip
def test_what_is_no_envelope_is_refused_in_chinese(body: bytes, code: str) -> None:
    with pytest.raises(BadEnvelope) as refused:
        ctwing.decode(body, PROFILES, NOW)
    assert refused.value.code == code
    assert "。请" in str(refused.value)


def test_what_is_no_message_costs_those_beside_it_nothing() -> None:
    for text in (b'[{"payload":{"Alarm_Status":1}},7,null]', b'{"payload":{"Alarm_Status":1}}\n{"a":2}\n{}'):
        reports = ctwing.decode(text, PROFILES, NOW)
        assert [bool(report.lines) for report in reports] == [True, False, False]
        storable(reports, text)
    reports = generic.decode(b'[7,{"device":"d","data":{"Alarm_Status":1}}]', PROFILES, NOW)
    assert [report.urgent for report in reports] == [False, True]


@settings(max_examples=200, deadline=None)
@given(
    st.sets(st.sampled_from(["sos", "sos_reset", "tamper", "tamper_clear", "motion", "test"])), st.integers(0, 65535),
    st.integers(1_577_836_800, NOW // 1000), st.integers(0, 100), st.integers(-140, -40), st.integers(-20, 30), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_the_binary_frame_goes_round(
    kinds: set[str], seq: int, at: int, battery: int, rsrp: int, snr: int, cell: int
) -> None:
    frame = bing.encode(tuple(kinds), seq=seq, at_ms=at * 1000, battery=battery, rsrp=rsrp, snr=snr, cell=cell)
    report = Report("ctwing", "1", "1", "15001005", "report", "", None, frame)
    bing.read(report, PROFILES["ctwing", "15001005"], frame, NOW)
    assert {line[0] for line in report.lines} == kinds
    assert all(line[1] == at * 1000 for line in report.lines)
    assert not report.notes
    known = {"seq": seq, "battery": battery, "rsrp": rsrp, "snr": snr, "cell_id": cell}
    assert {k: v for k, v in report.vitals.items() if k != "tamper"} == known
    broken = bytes([*frame[:-1], frame[-1] ^ 1])
    bing.read(report, PROFILES["ctwing", "15001005"], broken, NOW)
    assert report.notes == ["二进制帧校验不符"]


def test_equal_messages_have_equal_keys_and_others_have_not() -> None:
    def key(**changes: Any) -> bytes:
        envelope = {
            "timestamp": NOW,
            "messageType": "dataReport",
            "deviceId": "d",
            "payload": {"Alarm_Status": 1},
        } | changes
        return ctwing.decode(json.dumps(envelope).encode(), PROFILES, NOW)[0].dedup

    assert key() == key() == key(upPacketSN=-1) == key(upPacketSN=7)
    others = {
        key(timestamp=NOW - 1),
        key(payload={"Alarm_Status": 0}),
        key(deviceId="e"),
        key(messageType="eventReport"),
        key(),
    }
    assert len(others) == 5


def test_onenet_signature_and_cipher() -> None:
    msg = json.dumps({"productId": "yK2mSosOn1", "deviceName": "8610", "messageType": "notify", "notifyType": "property",
                      "data": {"params": {"Alarm_Status": {"value": 1, "time": NOW}}}})  # fmt: skip

    def push(text: str, token: str = "secret") -> bytes:  # noqa: S107
        return json.dumps({"msg": text, "nonce": "n0", "signature": onenet.sign(token, "n0", text)}).encode()

    opened = onenet.open_push(push(msg), "secret", "0123456789abcdef")
    assert onenet.decode(opened, "p", PROFILES, NOW)[0].urgent
    with pytest.raises(onenet.BadSignature):
        onenet.open_push(push(msg, "other"), "secret", "")
    sealed = "9iYyPEf7n1rJY2rkA3dZ1A=="  # not ours: it can't be opened, but it is signed, so it is kept
    opened = onenet.open_push(push(sealed), "secret", "0123456789abcdef")
    (report,) = onenet.decode(opened, "p", PROFILES, NOW)
    assert not report.lines
    assert "无法解密" in report.note
    older = json.dumps(
        {"msg": {"type": 1, "at": NOW, "dev_id": 5, "ds_id": "SOS", "value": 1}, "nonce": "n", "msg_signature": ""},
        separators=(",", ":"),
    )
    raw = json.dumps(json.loads(older)["msg"], separators=(",", ":"))
    signed = older.replace('"msg_signature":""', f'"msg_signature":"{onenet.sign("secret", "n", raw)}"').encode()
    assert onenet.decode(onenet.open_push(signed, "secret", ""), "p", PROFILES, NOW)[0].urgent
    assert onenet.check_url(f"msg=hello&nonce=x&signature={onenet.sign('secret', 'x', 'hello')}", "secret") == "hello"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(NOW, NOW), (str(NOW), NOW), (NOW // 1000, NOW // 1000 * 1000), (float(NOW), NOW), ("2025-11-21T08:00:00", 1763683200000),
     (0, None), (-1, None), (True, None), (None, None), ("", None), ("soon", None), (math.nan, None), (math.inf, None), ([], None),
     (NOW + 4 * 60_000, NOW + 4 * 60_000), (NOW + 6 * 60_000, None), (1_000_000_000_000, None), (10**40, None)],
)  # fmt: skip
def test_a_clock_is_believed_only_when_it_can_be_right(value: Any, expected: int | None) -> None:
    assert moment(value, NOW) == expected


def test_a_repeated_key_is_seen_whatever_the_spaces() -> None:
    assert isinstance(json_in.read(b'{"a":1,"a":2}'), json_in.Twice)
    assert isinstance(json_in.read(b'{"a" : 1, "a" : 2}'), json_in.Twice)
    assert not isinstance(json_in.read(b'{"a":1,"b":"\\":"}'), json_in.Twice)


def _urgent(reports: list[Report]) -> bool:
    return any(report.urgent for report in reports)


@pytest.mark.req("DEV-04")
@pytest.mark.parametrize("half", ['"\\ud800"', '"a\\udc00b"'])
def test_half_a_character_beside_an_sos_costs_nothing(half: str) -> None:
    payload = '{"Alarm_Status": 1, "note": ' + half + ", " + half + ": 1}"
    body = f'{{"messageType": "dataReport", "IMEI": "86", "timestamp": {NOW}, "payload": {payload}}}'.encode()
    plain = f'{{"device": "86", "data": {payload}}}'.encode()
    push = f'{{"imei": "86", "data": {{"params": {payload}}}}}'.encode()
    opened = onenet.Opened(push, "1")
    for reports, raw in (
        (ctwing.decode(body, PROFILES, NOW), body),
        (generic.decode(plain, PROFILES, NOW), plain),
        (onenet.decode(opened, "anju", PROFILES, NOW), push),
    ):
        assert _urgent(reports), raw
        storable(reports, raw)
    answer = f'{{"messageType": "commandResponse", "IMEI": "86", "result": {{"x": {half}}}}}'.encode()
    storable(ctwing.decode(answer, PROFILES, NOW), answer)


@pytest.mark.req("DEV-04")
def test_an_sos_at_the_end_of_a_long_list_is_heard_or_refused_never_left_out() -> None:
    states = json.dumps({"payload": {"Alarm_Status": [0] * 5_000 + [1]}, "IMEI": "86"}).encode()
    assert _urgent(ctwing.decode(states, PROFILES, NOW))
    deep = json.dumps({"payload": {"list": [{"x": 0}] * 5_000 + [{"Alarm_Status": 1}]}, "IMEI": "86"}).encode()
    assert _urgent(ctwing.decode(deep, PROFILES, NOW))
    calm, sos = {"IMEI": "86", "device": "86", "payload": {"Motion_Status": 1}}, {"IMEI": "87", "payload": {"SOS": 1}}
    fits, more = ([calm] * n + [sos] for n in (499, 500))
    for decode in (
        lambda many: ctwing.decode(json.dumps(many).encode(), PROFILES, NOW),
        lambda many: generic.decode(json.dumps(many).encode(), PROFILES, NOW),
        lambda many: onenet.decode(onenet.Opened(json.dumps(many).encode(), ""), "anju", PROFILES, NOW),
    ):
        assert _urgent(decode(fits))
        with pytest.raises(BadEnvelope):  # nothing is acknowledged, so the sender keeps it
            decode(more)


@pytest.mark.req("SEN-06")
@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"t":1,"img":"data:image/png;base64,AAAA"}', '{"t":1,"img":"[画面已去除]"}'),
        (b'{"data":[{"url":" HTTPS://cam.example/1.jpg"},{"n":3}]}', '{"data":[{"url":"[画面已去除]"},{"n":3}]}'),
        (b'{"x":"' + b"A" * 900 + b'"}', '{"x":"[画面已去除]"}'),
        (b'{"x":[' + b",".join([b"255"] * 900) + b"]}", '{"x":"[画面已去除]"}'),
        (b'{"' + b"A" * 900 + b'":1}', '{"[画面已去除]":1}'),
        (b"\xff\xd8\xff\xe0 no json at all", ""),
    ],
)
def test_no_picture_of_a_camera_is_kept(body: bytes, kept: str) -> None:
    assert pictures.without(body).decode() == kept
