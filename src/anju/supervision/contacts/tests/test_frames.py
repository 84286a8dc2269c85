"""What a picture, a voice, a place in WeChat's XML means; which files are taken. Pure."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.supervision.contacts import enclosures, rules, wechat
from anju.supervision.contacts.tests.fake_wechat import AMR, JPEG, SECRET, FakeWechat

pytestmark = pytest.mark.req("CALL-12")
APP = "wx0123456789abcdef"


def sent(kind: str, **fields: str) -> str:
    """A frame as WeChat posts it."""
    own = "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in fields.items())
    return (
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oAbc]]></FromUserName>"
        f"<CreateTime>1395658920</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{own}<MsgId>77{zlib.crc32(own.encode())}</MsgId></xml>"
    )


def read(kind: str, **fields: str) -> rules.Frame:
    found = rules.frame(sent(kind, **fields))
    assert found is not None
    return found


def test_each_kind_says_what_it_is_and_what_is_to_be_fetched() -> None:
    picture = read("image", PicUrl="http://elsewhere.example/p", MediaId="m-1")
    assert (picture.kind, picture.text, picture.said, picture.media) == ("image", "（图片）", "", (("image", "m-1"),))
    voice = read("voice", MediaId="m_2", Format="amr", Recognition="我摔倒了")
    assert (voice.text, voice.said, voice.media) == ("（语音）我摔倒了", "我摔倒了", (("voice", "m_2"),))
    assert read("voice", MediaId="m_2").text == "（语音）"
    film = read("shortvideo", MediaId="m3", ThumbMediaId="m4")
    assert (film.kind, film.text, film.media) == ("video", "（视频）", (("still", "m4"),))
    assert (read("sticker").kind, read("sticker").text) == ("other", "（sticker）")
    assert read("link", Title="助浴须知", Url="http://x.example").text == "（链接）助浴须知"
    assert read("image", MediaId="m&access_token=x").media == (), "a number of WeChat's and nothing else"


def test_a_place_is_its_address_and_degrees_that_can_be_on_earth_and_its_name_is_no_cry() -> None:
    here = read("location", Location_X="23.134521", Location_Y="113.358803", Scale="20", Label="海珠区急救中心\n120")
    assert here.text == "（位置）海珠区急救中心 120，北纬 23.134521，东经 113.358803（微信地图）"
    assert rules.urgent(here.text)
    assert rules.urgent(here.said) == ""
    assert rules.place("", "-33.8", "-151.2") == "南纬 33.800000，西经 151.200000（微信地图）"
    for north, east in (("91", "1"), ("1", "181"), ("nan", "1"), ("", ""), ("1e5", "1"), ("٣", "1")):
        assert rules.place("家里", north, east) == "家里"
    assert rules.place("", "", "") == "没有写明在哪里"


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_whatever_stands_in_a_place_it_is_one_line_and_no_error(label: str, north: str, east: str) -> None:
    said = rules.place(label, north, east)
    assert said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("kind", "body", "form"),
    [("image", JPEG, "jpeg"), ("still", b"\x89PNG\r\n\x1a\n..IEND", "png"), ("image", b"GIF89a;", "gif"), ("voice", AMR, "amr"),
     ("voice", b"ID3x", "mp3")],
)  # fmt: skip
def test_a_file_is_what_it_holds(kind: str, body: bytes, form: str) -> None:
    assert enclosures.form_of(kind, body) == form


@pytest.mark.parametrize(
    ("kind", "body"), [("image", b"<svg onload='x'>"), ("image", b"<html>"), ("voice", JPEG), ("image", AMR), ("image", b"")]
)  # fmt: skip
def test_nothing_else_is_taken_whatever_it_is_called(kind: str, body: bytes) -> None:
    with pytest.raises(wechat.Never):
        enclosures.form_of(kind, body)


def test_what_broke_off_on_the_way_is_asked_for_again() -> None:
    with pytest.raises(wechat.Later):
        enclosures.form_of("image", JPEG[:100])


def test_the_platform_is_asked_as_it_is_documented_and_its_refusals_are_told_apart() -> None:
    there = FakeWechat(APP)
    ours = wechat.Wechat(APP, SECRET, transport=there)
    there.files = {
        "m1": JPEG,
        "gone": 40007,
        "busy": -1,
        "big": b"\xff" * (wechat.LARGEST + 1),
        "film": b'{"video_url": "x"}',
    }
    assert ours.media("m1") == JPEG
    assert there.asked == ["/cgi-bin/stable_token", "/cgi-bin/media/get"]
    for number, what, words in (
        ("gone", wechat.Never, "三天"),
        ("busy", wechat.Later, "-1"),
        ("big", wechat.Never, "10 MB"),
    ):
        with pytest.raises(what, match=words):
            ours.media(number)
    with pytest.raises(wechat.Never):
        enclosures.form_of("image", ours.media("film"))
    with pytest.raises(wechat.Later, match="AppSecret 不对"):
        wechat.Wechat(APP, "f" * 32, transport=there).media("m1")
    with pytest.raises(wechat.Later, match="AppID"):
        wechat.Wechat("wx", SECRET, transport=there).media("m1")
    there.down = True
    with pytest.raises(wechat.Later) as told:
        ours.media("m1")
    assert SECRET not in str(told.value)
