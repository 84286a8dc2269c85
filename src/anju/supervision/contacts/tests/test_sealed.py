"""WeChat's 安全模式 against what WeChat itself published: its documentation's example, and a frame that it once sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.supervision.contacts import rules, sealed

HER = {
    "token": "AAAAA", "key": "A" * 43, "app_id": "wxba5fad812f8e6fb9", "timestamp": "1714112445", "nonce": "415670741",
    "signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    "part": "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZU"
    "XQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb"
    "6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=",
}  # fmt: skip
"""developers.weixin.qq.com, 消息加解密说明, 安全模式."""
MINE = {
    "token": "weixin", "key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "app_id": "wxbad0b45542aa0b5e", "timestamp": "1414243737",
    "nonce": "1792106704", "signature": "6147984331daf7a1a9eed6e0ec3ba69055256154",
    "part": "MNn4+jJ/VsFh2gUyKAaOJArwEVYCvVmyN0iXzNarP3O6vXzK62ft1/KG2/XPZ4y5bPWU/jfIfQxODRQ7sLkUsrDRqsWimuhIT8Eq+w4E/28m+XDAQKEOjWTQIOp1p6kN"
    "sIV1DdC3B+AtcKcKSNAeJDr7x7GHLx5DZYK09qQsYDOjP6R5NqebFjKt/NpEl/GU3gWFwG8LCtRNuIYdK5axbFSfmXbh5CZ6Bk5wSwj5fu5aS90cMAgUhGsxrxZTY562QR6c"
    "+3ydXxb+GHI5w+qA+eqJjrQqR7u5hS+1x5sEsA7vS+bZ5LYAR3+PZ243avQkGllQ+rg7a6TeSGDxxhvLw+mxxinyk88BNHkJnyK//hM1k9PuvuLAASdaud4vzRQlAmnYOslZ"
    "l8CN7gjCjV41skUTZv3wwGPxvEqtm/nf5fQ=",
}  # fmt: skip
"""A text that WeChat sent to a test account in 2014, published with its key."""
BOTH = pytest.mark.parametrize("frame", [HER, MINE], ids=["documentation", "captured"])


@pytest.mark.req("CALL-12")
@BOTH
def test_the_signature_of_a_published_frame_holds_for_its_encrypted_part_only(frame: dict[str, str]) -> None:
    said = (frame["token"], frame["timestamp"], frame["nonce"], frame["signature"], float(frame["timestamp"]) + 3)
    assert rules.signed(*said, frame["part"])
    assert not rules.signed(*said, frame["part"][:-4] + "AAA=")
    assert not rules.signed(*said), "the plain signature is another one"


@pytest.mark.req("CALL-12")
def test_published_frames_are_read_and_the_published_answer_is_made() -> None:
    hello = sealed.opened(HER["part"], sealed.key_of(HER["key"]), HER["app_id"])
    assert '"debug_str":"hello world"' in hello
    body = sealed.opened(MINE["part"], sealed.key_of(MINE["key"]), MINE["app_id"])
    frame = rules.frame(body)
    assert frame is not None
    assert frame.us == "gh_680bdefc8c5d"
    assert frame.text
    answer = sealed.shut('{"demo_resp":"good luck"}', sealed.key_of(HER["key"]), HER["app_id"], b"707722b803182950")
    assert answer == "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="


@BOTH
def test_another_key_another_account_and_rubbish_are_unreadable(frame: dict[str, str]) -> None:
    key = sealed.key_of(frame["key"])
    for part, with_key, app_id in (
        (frame["part"], sealed.key_of("b" * 43), frame["app_id"]),
        (frame["part"], key, "wx0000000000000000"),
        (frame["part"][:-4], key, frame["app_id"]),
        ("", key, frame["app_id"]),
        ("汉字", key, frame["app_id"]),
        ("AAAA", key, frame["app_id"]),
        ("A" * 64, key, frame["app_id"]),
    ):
        with pytest.raises(sealed.Unreadable):
            sealed.opened(part, with_key, app_id)


@pytest.mark.parametrize("wrong", ["", "short", "A" * 42, "A" * 44, "A" * 42 + "!"])
def test_a_key_is_43_letters_and_digits(wrong: str) -> None:
    with pytest.raises(ValueError, match="43 位"):
        sealed.key_of(wrong)


@given(st.text(max_size=200), st.binary(min_size=16, max_size=16))
def test_what_is_shut_is_opened_again(text: str, luck: bytes) -> None:
    key = sealed.key_of(MINE["key"])
    assert sealed.opened(sealed.shut(text, key, "wx1", luck), key, "wx1") == text
