"""Words of distress, signatures and frames: pure."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.supervision.contacts import rules

CAPTURED = (
    "<xml><ToUserName><![CDATA[gh_7f083739789a]]></ToUserName>\n<FromUserName><![CDATA[oia2TjuEGTNoeX76QEjQNrcURxG8]]></FromUserName>\n"
    "<CreateTime>1395658920</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[妈妈摔倒了 <急>]]></Content>\n"
    "<MsgId>5832509444155992350</MsgId></xml>"
)


@pytest.mark.req("CALL-12")
@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我妈摔 倒了", "摔倒"), ("胸，痛得厉害", "胸痛"), ("帮我打120", "120"), ("我的电话是 13812034120", ""), ("想问助浴怎么约", ""),
        ("救…命", "救命"), ("", ""),
    ],
)  # fmt: skip
def test_words_of_distress_are_found_through_gaps_and_not_in_telephone_numbers(text: str, word: str) -> None:
    assert rules.urgent(text) == word


@given(st.sampled_from(rules.WORDS), st.text(max_size=20), st.text(max_size=20))
def test_no_word_of_the_list_is_ever_missed_among_others(word: str, before: str, after: str) -> None:
    glue = "。" if word.isdigit() else ""
    assert rules.urgent(before + glue + word + glue + after)


def test_a_signature_holds_for_its_token_and_hour_only() -> None:
    good = hashlib.sha1("".join(sorted(["tok", "1395658920", "n1"])).encode()).hexdigest()  # noqa: S324  WeChat's own
    assert rules.signed("tok", "1395658920", "n1", good, 1395658925)
    assert not rules.signed("", "1395658920", "n1", good, 1395658925)
    assert not rules.signed("other", "1395658920", "n1", good, 1395658925)
    assert not rules.signed("tok", "1395658920", "n2", good, 1395658925)
    assert not rules.signed("tok", "1395658920", "n1", good, 1395658920 + 301)
    assert not rules.signed("tok", "soon", "n1", good, 1395658925)


@pytest.mark.req("CALL-12")
def test_a_captured_frame_is_read_and_answered_in_kind() -> None:
    frame = rules.frame(CAPTURED)
    assert frame is not None
    assert (frame.sender, frame.text, frame.outer_id) == (
        "oia2TjuEGTNoeX76QEjQNrcURxG8",
        "妈妈摔倒了 <急>",
        "5832509444155992350",
    )
    assert "<ToUserName><![CDATA[oia2TjuEGTNoeX76QEjQNrcURxG8]]>" in rules.reply(frame, "好", 1)
    assert rules.reply(frame, "a]]>b", 1).count("]]>") == 4
    picture = rules.frame(CAPTURED.replace("[text]", "[image]"))
    assert picture is not None
    assert picture.text == "（图片）"
    assert rules.frame(CAPTURED.replace("[text]", "[event]")) is None
    for wrong in ("", "<xml></xml>", '<!DOCTYPE x [<!ENTITY a "b">]><xml></xml>', "{}"):
        with pytest.raises(rules.NoFrame):
            rules.frame(wrong)


@pytest.mark.req("CALL-12")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("打 138 1203-4120 找我", ["13812034120"]), ("电话１３８１２０３４１２０。", ["13812034120"]), ("+86-13812034120", ["13812034120"]),
        ("（0571）87654321，或 0571 8765 4321", ["057187654321"]), ("身份证 330102194901011234", []), ("编号 1381203412012", []),
        ("14400000001和14400000002、14400000003、14400000004", ["14400000001", "14400000002", "14400000003"]), ("2026-11-22 12:00", []),
        ("", []),
    ],
)  # fmt: skip
def test_telephone_numbers_are_found_in_what_people_write(text: str, found: list[str]) -> None:
    assert rules.numbers(text) == found
