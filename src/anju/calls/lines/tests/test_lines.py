"""The tables of the telephone: who may change them, what others are told, what the operations page says of them."""

from __future__ import annotations

import json
import shutil
from typing import Any

import httpx
import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.calls.lines import actions, applying, doors, health, jobs, queries, sound
from anju.calls.lines.admin import NumberForm, TrunkForm
from anju.calls.lines.config import checking
from anju.calls.lines.config.plan import Lines, Number
from anju.calls.lines.config.plan import Trunk as WantedTrunk
from anju.calls.lines.models import OneKeyPhone, Prompt, SeatPhone, Trunk
from anju.calls.lines.tests.test_sound import tone, wav
from anju.calls.scripts import queries as scripts
from anju.devices.models import Device, Product
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.ops import asterisk

pytestmark = pytest.mark.django_db
NOBODY = Actor("路人", frozenset())
TRUNK = WantedTrunk("city", user="city", secret="x" * 20)


@pytest.fixture(autouse=True)
def everywhere():
    with seen_by(EVERYWHERE):
        yield


@pytest.fixture
def agent() -> User:
    return User.objects.create(username="a1", name="周晓岚", seat_number="1017", is_demo=True)


@pytest.fixture
def real(settings):
    """As if ./run had found an engine."""
    settings.ANJU_ARI_URL, settings.ANJU_EXCHANGE = "http://127.0.0.1:9", "asterisk"
    settings.ANJU_SIP_WS_PORT, settings.ANJU_SIP_WSS_PORT = 8004, 0
    return settings


@pytest.fixture
def phone() -> Device:
    product = Product.objects.create(
        code="p1", name="一键电话", maker="甲", kind="phone", source="mqtt", product_id="p1"
    )
    return Device.objects.create(imei="004409990000017", product=product, operator_id="op1")


@pytest.mark.req("CALL-05", "CALL-13")
def test_a_seat_has_a_telephone_as_soon_as_its_agent_has_a_number_and_its_secret_is_nobody_elses(agent, real) -> None:
    other = User.objects.create(username="b1", name="高敏")
    assert actions.ensure_seats() == 1
    assert actions.ensure_seats() == 0
    seat = queries.softphone_of(agent)
    assert seat is not None
    assert (seat.extension, seat.account, seat.realm) == ("1017", "web1017", "anju")
    assert len(seat.secret) >= 20
    assert seat.websocket == "ws://127.0.0.1:8004/ws"
    assert queries.softphone_of(other) is None
    stored = SeatPhone.objects.extra(select={"raw": "secret"}).get().raw
    assert seat.secret not in stored
    real.ANJU_SIP_WSS_PORT = 8005
    assert queries.websocket("anju.example.org") == "wss://anju.example.org:8005/ws"
    real.ANJU_ARI_URL = ""
    assert queries.websocket() == "", "the simulator has no socket to open"
    SeatPhone.objects.update(active=False)
    assert queries.softphone_of(agent) is None


@pytest.mark.req("CALL-13")
def test_who_gets_a_seat_number_gets_her_telephone_without_a_restart_and_an_odd_name_stops_nobody(
    real, monkeypatch
) -> None:
    taken_over: list[int] = []
    monkeypatch.setattr(applying, "apply", lambda: taken_over.append(SeatPhone.objects.count()))
    User.objects.create(username="b1", name="高敏<夜班>;[x]", seat_number="1018")
    jobs.apply()
    assert taken_over == [1]
    (seat,) = queries.lines().seats
    assert (seat.extension, seat.name) == ("1018", "高敏夜班x")
    assert not checking.rows(Lines(seats=(seat,), numbers=(Number("96120", emergency=True),), trunks=(TRUNK,)))


@pytest.mark.req("CALL-01", "CALL-02")
def test_numbers_and_phones_are_found_however_the_network_writes_them(phone) -> None:
    actions.put_number(number="05710096120", label="紧急", emergency=True, by=THE_PLATFORM)
    actions.put_number(number="96219", label="热线", by=THE_PLATFORM)
    for dialled in ("05710096120", "8605710096120", "+8605710096120"):
        found = queries.access(dialled)
        assert found is not None
        assert found.emergency, dialled
    hotline = queries.access("057196219")
    assert hotline is not None
    assert not hotline.emergency
    assert queries.access("12345") is None
    assert queries.access("") is None
    actions.put_phone(name="onekey-1", device_id=phone.pk, number="14400000001", by=THE_PLATFORM)
    for sender in ("14400000001", "+8614400000001", "008614400000001", "014400000001"):
        known = queries.phone_of(number=sender)
        assert known is not None
        assert known.device_id == phone.pk, sender
    assert queries.phone_of(line="onekey-1") == queries.phone_of(number="14400000001")
    assert queries.phone_of(number="14400000002") is None
    assert queries.phone_of() is None


@pytest.mark.req("CALL-08")
def test_an_outgoing_call_takes_the_first_trunk_that_carries_its_number() -> None:
    assert queries.trunk_for("13800000000") is None
    actions.put_trunk(
        name="far", label="长途", user="u-far", secret="x" * 20, prefixes="0", priority=1, by=THE_PLATFORM
    )
    actions.put_trunk(
        name="all", label="其余", addresses="10.0.0.1", host="10.0.0.1", caller_number="96219", by=THE_PLATFORM
    )
    assert queries.trunk_for("02112345678") == "u-far"
    assert queries.trunk_for("13800000000") == "all"
    assert queries.caller_number("all") == "96219"
    Trunk.objects.filter(name="all").update(active=False)
    assert queries.trunk_for("13800000000") is None


@pytest.mark.req("CALL-08")
def test_a_demo_knows_that_nobody_is_at_its_trunk_and_a_real_trunk_is_never_asked(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    asked: list[str] = []
    there: dict[str, str] | None = {"demo-trunk": "offline"}

    def states() -> dict[str, str] | None:
        asked.append("asked")
        return there

    monkeypatch.setattr(health, "states", states)
    assert queries.way_out(), "the simulator says for itself what it is"
    settings.ANJU_ARI_URL = "http://127.0.0.1:1"
    assert queries.way_out(), "without any trunk nothing is believed to be a demo's"
    actions.ensure_trunk(name="demo-trunk", label="演示中继", by=THE_PLATFORM)
    assert (queries.way_out(), scripts.no_line()) == (False, True)
    there = {"demo-trunk": "online"}
    assert (queries.way_out(), scripts.no_line()) == (True, False)
    there = None
    assert queries.way_out(), "an engine that does not answer is another trouble"
    there, asked[:] = {"demo-trunk": "offline", "carrier": "offline"}, []
    settings.DEMO = False
    assert not scripts.no_line(), "in production every trunk is dialled, and what came of it is told"
    assert not asked
    settings.DEMO = True
    actions.put_trunk(name="carrier", label="运营商", host="10.0.0.1", addresses="10.0.0.1", by=THE_PLATFORM)
    assert not scripts.no_line(), "a trunk with a host is believed, also in a demo"
    assert not asked


def test_only_those_who_keep_the_dictionaries_change_the_lines(phone) -> None:
    for refused in (
        lambda: actions.put_trunk(name="x", label="x", by=NOBODY),
        lambda: actions.put_number(number="1234", label="x", by=NOBODY),
        lambda: actions.put_phone(name="x", device_id=phone.pk, by=NOBODY),
        lambda: actions.put_rescue_number(label="x", number="1", by=NOBODY),
        lambda: actions.upload_prompt(code="welcome", content=b"", text="", by=NOBODY),
        lambda: actions.restore_prompt(code="welcome", by=NOBODY),
        lambda: actions.ensure_trunk(name="x", label="x", by=NOBODY),
    ):
        with pytest.raises(PermissionDenied):
            refused()
    assert not Trunk.objects.exists()
    assert not OneKeyPhone.objects.exists()


@pytest.mark.req("CALL-13")
def test_a_recording_replaces_a_prompt_and_can_be_taken_back(tmp_path) -> None:
    uploaded = wav(tone(600, 1.2, 16000), 16000)
    row = actions.upload_prompt(code="welcome", content=uploaded, text="真人录音", by=THE_PLATFORM)
    assert row.seconds == pytest.approx(1.2, abs=0.02)
    assert sound.read(bytes(row.sound))[1] == 8000
    files = queries.sounds(tmp_path)
    assert files["welcome"].parent == tmp_path
    assert files["thanks"].parent != tmp_path
    told = {p.code: p for p in queries.prompts()}
    assert (told["welcome"].own, told["welcome"].text) == (True, "真人录音")
    with pytest.raises(sound.UnusableSound, match="没有这个提示音"):
        actions.upload_prompt(code="nothing", content=uploaded, text="", by=THE_PLATFORM)
    with pytest.raises(sound.UnusableSound, match="WAV"):
        actions.upload_prompt(code="welcome", content=b"x", text="", by=THE_PLATFORM)
    actions.restore_prompt(code="welcome", by=THE_PLATFORM)
    assert not Prompt.objects.exists()
    assert queries.sounds(tmp_path)["welcome"].parent != tmp_path
    assert queries.prompt_path("welcome") == "sound:anju/welcome"
    with pytest.raises(KeyError):
        queries.prompt_path("nothing")


@pytest.mark.req("CALL-13")
def test_a_form_refuses_what_the_engine_would_misread() -> None:
    values = {
        "name": "a",
        "label": "甲",
        "user": "u1",
        "secret": "s" * 16,
        "port": 5060,
        "transport": "udp",
        "priority": 1,
    }
    assert TrunkForm(values).is_valid()
    bad = TrunkForm({**values, "secret": "short"})
    assert not bad.is_valid()
    assert "密码" in str(bad.errors)
    assert not TrunkForm({**values, "host": "a;b"}).is_valid()
    unsaid = TrunkForm({**values, "secret": ""})
    assert unsaid.is_valid()
    assert len(unsaid.cleaned_data["secret"]) >= 20, "who forgets a secret gets a good one"
    assert NumberForm({"number": "96219", "label": "热线"}).is_valid()
    assert not NumberForm({"number": "96219,1", "label": "热线"}).is_valid()


def test_a_numbers_queue_prompt_and_place_must_be_there() -> None:
    """What is typed is played and rung by, so a slip of the pen is refused at entry."""
    good = {
        "number": "96219",
        "label": "热线",
        "emergency": "",
        "queue": "",
        "prompt": "please_wait",
        "place": "",
        "active": "on",
    }
    assert NumberForm(good).is_valid()
    for field, value, why in (
        ("queue", "nobody", "没有这个队列"),
        ("prompt", "hello", "没有这个提示音"),
        ("place", "3301", "没有这个区划"),
    ):
        form = NumberForm({**good, field: value})
        assert not form.is_valid()
        assert why in form.errors[field][0]


def test_run_json_tells_a_sip_client_all_it_needs_and_production_tells_no_secret(agent, real) -> None:
    actions.ensure_trunk(name="demo-trunk", label="演示", by=THE_PLATFORM)
    actions.put_number(number="05710096219", label="热线", by=THE_PLATFORM)
    actions.put_number(number="05710096120", label="紧急", emergency=True, by=THE_PLATFORM)
    actions.ensure_seats()
    told = doors.doors()
    assert {"host", "port", "transport", "access_number", "emergency_number", "trunk", "demo_phones", "seats"} <= set(
        told
    )
    assert (told["access_number"], told["emergency_number"]) == ("05710096219", "05710096120")
    assert told["trunk"]["user"] == "demo-trunk"
    assert told["seats"] == [{"user": "a1", "extension": "1017", "secret": SeatPhone.objects.get().secret}]
    actions.put_trunk(
        name="a-carrier", label="运营商", user="acc", secret="c" * 20, host="10.0.0.9", priority=1, by=THE_PLATFORM
    )
    assert doors.doors()["trunk"] == told["trunk"], "a carrier's secret is told to nobody"
    again = actions.ensure_trunk(name="demo-trunk", label="演示", by=THE_PLATFORM)
    assert again.secret == told["trunk"]["secret"], "a secret never changes by itself"
    real.DEMO = False
    assert doors.doors()["trunk"] is None
    assert json.dumps(doors.doors()).count(again.secret) == 0
    assert not doors.doors()["seats"]


@pytest.mark.req("CALL-13")
def test_the_operations_page_says_in_plain_words_what_is_wrong_with_the_lines(agent, real, monkeypatch) -> None:
    states = {"carrier": "offline", "1017": "offline", "web1017": "online"}
    monkeypatch.setattr(health, "_ask", lambda _path: [{"resource": k, "state": v} for k, v in states.items()])
    monkeypatch.setattr(shutil, "which", lambda _program: "/usr/bin/espeak-ng")
    actions.ensure_seats()

    def seen(rss: float = 0) -> dict[str, str]:
        return {line.name: line.state for line in health.look(rss)}

    assert seen()["trunks"] == "deaf"
    actions.put_trunk(name="carrier", label="运营商", addresses="10.0.0.1", host="10.0.0.1", by=THE_PLATFORM)
    assert seen()["trunks"] == "deaf"
    states["carrier"] = "online"
    assert (seen()["trunks"], seen()["seats"]) == ("ok", "ok")
    actions.put_trunk(
        name="ims", label="运营商", user="acc", secret="s!1", host="10.0.0.2", registers=True, by=THE_PLATFORM
    )
    states["ims"] = "online"
    told = " ims/sip:10.0.0.2:5060                ims~out          {}        (exp. 20s)\n"
    for word, state in (("Rejected", "deaf"), ("Unregistered", "deaf"), ("Registered", "ok")):
        monkeypatch.setattr(health, "_said", lambda _words, w=word: told.format(w))
        assert seen()["trunks"] == state, word
    monkeypatch.setattr(health, "_said", lambda _words: None)
    assert seen()["trunks"] == "ok", "who can't be asked accuses nobody"
    states["web1017"] = "offline"
    assert seen()["seats"] == "warn"
    assert seen(900)["engine_memory"] == "warn"

    real.DEMO = False
    assert seen()["sip_host"] == "deaf", "in production somebody else's equipment must reach it"
    real.ANJU_SIP_HOST = "0.0.0.0"  # noqa: S104
    assert "sip_host" not in seen()

    def silent(_path: str) -> None:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(health, "_ask", silent)
    assert seen() == {"lines": "deaf"}
    real.ANJU_EXCHANGE = "simulator"
    (line,) = health.look()
    assert line.state == "warn"
    assert "打不进来" in line.detail


@pytest.mark.req("CALL-13")
def test_a_bad_row_leaves_the_engine_with_what_it_has_and_names_itself(real, monkeypatch, tmp_path, capsys) -> None:
    tree = asterisk.Tree(tmp_path, "22.1.0", tmp_path / "modules", tmp_path / "papers")
    (tmp_path / "papers").mkdir()
    monkeypatch.setattr(asterisk, "find", lambda _home=None: tree)
    monkeypatch.setattr(asterisk, "user", lambda: None)
    real.ANJU_HOME, real.ANJU_ASTERISK_HOME = tmp_path / "home", tmp_path / "home/asterisk"
    real.ANJU_RECORDINGS, real.ANJU_SIP_PORT = tmp_path / "home/recordings", 5061
    actions.put_number(number="96219", label="热线", by=THE_PLATFORM)
    call_command("lines", "--write")
    written = (tmp_path / "home/asterisk/etc/extensions.conf").read_text()
    assert "96219" in written
    loaded: list[str] = []
    monkeypatch.setattr(applying, "reload", lambda _machine: loaded.append("again"))
    monkeypatch.setattr(applying, "not_loaded", lambda _plan: set())
    assert not applying.apply(), "nothing changed, so nothing is loaded"

    def busy(_machine: object) -> None:
        raise httpx.ReadTimeout("busy")

    actions.put_number(number="96220", label="备用", by=THE_PLATFORM)
    with monkeypatch.context() as slow:
        slow.setattr(applying, "reload", busy)
        assert not applying.apply()
    assert applying.apply(), "what was written while the engine was busy is loaded later"
    assert not applying.apply()
    assert loaded.pop() == "again"
    written = (tmp_path / "home/asterisk/etc/extensions.conf").read_text()
    Trunk.objects.create(name="bad", label="坏", user="u", secret="short")
    with pytest.raises(CommandError):
        call_command("lines", "--apply")
    assert "中继 bad" in capsys.readouterr().err
    assert (tmp_path / "home/asterisk/etc/extensions.conf").read_text() == written
    assert loaded == []
    Trunk.objects.update(secret="long-enough-secret")
    call_command("lines", "--apply")
    assert loaded == ["again"]
    monkeypatch.setattr(applying, "not_loaded", lambda _plan: {"bad"})
    Trunk.objects.update(caller_number="96219")
    with pytest.raises(CommandError, match="old configuration is back"):
        call_command("lines", "--apply")
    assert "from_user = 96219" not in (tmp_path / "home/asterisk/etc/pjsip.conf").read_text()
