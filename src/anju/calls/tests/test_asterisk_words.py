"""Asterisk's events become the port's: one last word for each leg, whatever the order; its API as typed models is fresh."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as some

from anju.calls.asterisk import generate, words
from anju.calls.asterisk.engine import AsteriskEngine
from anju.calls.asterisk.hearing import HEARD, Hearing
from anju.calls.exchange import Cause, Kind, Number, Phone, Seat, legible
from anju.ops import asterisk


def channel(leg_id="1.1", name="PJSIP/trunk-00000001", state="Up", app="Stasis", data="anju,trunk,trunk,96219"):
    return {
        "id": leg_id, "protocol_id": "", "name": name, "state": state, "caller": {"name": "", "number": "138"},
        "connected": {"name": "", "number": ""}, "accountcode": "", "language": "zh",
        "dialplan": {"context": "trunk", "exten": "96219", "priority": 1, "app_name": app, "app_data": data},
        "creationtime": "2026-11-22T00:12:34.567+0000", "channelvars": {"ANJU_EMERGENCY": "1", "ANJU_DEVICE": ""},
    }  # fmt: skip


def event(kind, **more):
    return {"type": kind, "application": "anju", "timestamp": "", **more}


class Ear:
    def __init__(self):
        self.told, self.asked = [], []
        self.hearing = Hearing(self.told.append, self.asked.append)

    def hears(self, kind, **more):
        self.hearing.hear(event(kind, **more))

    def kinds(self, leg_id="1.1"):
        return [str(e.kind) for e in self.told if e.leg_id == leg_id]


@pytest.mark.req("CALL-01")
def test_a_caller_who_hangs_up_has_ended_and_one_who_is_taken_away_is_asked_after():
    ear = Ear()
    ear.hears("StasisStart", args=["trunk", "trunk", "96219"], channel=channel(state="Ring"))
    leg = ear.told[0].leg
    assert (leg.number, leg.called, leg.line, leg.up, dict(leg.variables)) == (
        "138", "96219", "trunk", False, {"ANJU_EMERGENCY": "1"},
    )  # fmt: skip
    ear.hears("ChannelHangupRequest", channel=channel(), cause=16)
    ear.hears("StasisEnd", channel=channel())
    ear.hears("ChannelDestroyed", channel=channel(), cause=19, cause_txt="")
    ear.hears("ChannelDtmfReceived", channel=channel(), digit="1", duration_ms=100)
    assert ear.kinds() == ["entered", "ended"]
    other = channel("1.2")
    ear.hears("StasisStart", args=["trunk", "trunk", "96219"], channel=other)
    ear.hears("StasisEnd", channel=other)
    assert (ear.kinds("1.2"), ear.asked) == (["entered"], ["1.2"])


@pytest.mark.req("CALL-01")
@given(
    some.lists(
        some.sampled_from(
            ["ChannelHangupRequest", "StasisEnd", "ChannelDestroyed", "ChannelDtmfReceived", "StasisStart"]
        ),
        max_size=12,
    )
)
def test_a_dialled_leg_has_one_last_word_whatever_comes_in_which_order(kinds):
    ear = Ear()
    ear.hearing.dialled("1.1")
    more = {
        "ChannelHangupRequest": {"cause": 17}, "ChannelDestroyed": {"cause": 17, "cause_txt": ""},
        "ChannelDtmfReceived": {"digit": "1", "duration_ms": 1}, "StasisStart": {"args": ["out", "offer"]},
    }  # fmt: skip
    for kind in kinds:
        ear.hears(kind, channel=channel(name="PJSIP/8001-00000002", data="anju,out,offer"), **more.get(kind, {}))
    told = ear.kinds()
    assert told.count("ended") <= 1
    assert "ended" not in told[:-1]


def test_announcers_recorders_and_snoopers_are_no_parties():
    ear = Ear()
    for name in ("Announcer/ARI-00000001;1", "Recorder/ARI-00000001;2", "Snoop/1.1-0000"):
        ear.hears("StasisStart", args=["trunk"], channel=channel("9.9", name=name))
        ear.hears("StasisEnd", channel=channel("9.9", name=name))
    assert ear.told == []


def test_numbers_are_written_as_a_person_would_dial_them():
    assert [legible(n) for n in ("+8613800000001", "008613800000001", "13800000001", "anonymous", "02112345678", "")] == [
        "13800000001", "13800000001", "13800000001", "", "02112345678", "",
    ]  # fmt: skip
    assert legible("+86120") == "+86120", "too short to be a number of the country"


def test_causes_places_and_prompts():
    assert (words.cause(None), words.cause(17), words.cause(19), words.cause(999)) == (
        Cause.NORMAL, Cause.BUSY, Cause.NO_ANSWER, Cause.FAILED,
    )  # fmt: skip
    assert [words.address(to) for to in (Seat("8001"), Phone("phone1"), Number("120", "city"))] == [
        "PJSIP/8001", "PJSIP/phone1", "PJSIP/120@city",
    ]  # fmt: skip
    assert (words.media("welcome"), words.media("/tmp/x"), words.media("digits:12")) == (  # noqa: S108
        "sound:anju/welcome", "sound:/tmp/x", "digits:12",
    )  # fmt: skip
    assert words.reason(Cause.BUSY) == "busy"
    assert Kind.LEFT == "left"


@pytest.mark.telephony
def test_asterisk_api_is_fresh():
    tree = asterisk.find()
    assert tree is not None, "these tests need Asterisk: ./run --telephony installs it"
    folder = tree.documentation.parent / "rest-api"
    mine = (generate.Path(generate.__file__).with_name("api.py")).read_text()
    assert generate.text(folder, "22") == mine
    assert set(HEARD) == set(generate.EVENTS)


@pytest.mark.req("CALL-13")
def test_who_was_given_back_is_not_found_again_in_a_list_of_that_moment_and_is_when_she_comes_back():
    """Asterisk says that a leg has left before the leg has left its list."""
    engine = AsteriskEngine(url="http://127.0.0.1:1", user="anju", secret="", app="anju")
    hearing = engine._hearing

    async def listed(_method, path, **_query):
        app = {"channel_ids": ["1.1"], "bridge_ids": []}
        return app if path.startswith("applications") else [channel()] if path == "channels" else []

    engine._ask = listed

    def found():
        return [leg.leg_id for leg in asyncio.run(engine.snapshot()).legs]

    hearing.hear(event("StasisStart", args=["trunk", "trunk", "96219"], channel=channel()))
    assert found() == ["1.1"]
    hearing.given.add("1.1")
    hearing.hear(event("StasisEnd", channel=channel()))
    assert found() == []
    hearing.hear(event("StasisStart", args=["trunk", "trunk", "96219"], channel=channel()))
    assert found() == ["1.1"], "the dialplan sent her back to us"
    hearing.given.add("1.1")
    hearing.hear(event("StasisEnd", channel=channel()))
    hearing.gone.clear()  # as after each reconnection
    assert found() == ["1.1"], "who came back while nobody listened is found"
