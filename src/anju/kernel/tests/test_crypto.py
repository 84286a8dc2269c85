"""Personal data at rest: what comes back, what does not decrypt, what can be found."""

from __future__ import annotations

import dataclasses

import pytest
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from anju.kernel import crypto
from anju.kernel.tests.samples import CITY, House, Lamp

pytestmark = pytest.mark.req("SYS-04")
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


@given(texts)
def test_what_is_encrypted_comes_back_and_only_for_its_own_column(text):
    stored = crypto.encrypt(text, "a.b.c")
    assert crypto.decrypt(stored, "a.b.c") == text
    with pytest.raises(crypto.Undecipherable):
        crypto.decrypt(stored, "a.b.d")
    assert crypto.encrypt(text, "a.b.c") != stored, "the same text never looks the same twice"


@given(texts, st.data())
def test_a_changed_byte_is_noticed(text, data):
    name, _, body = crypto.encrypt(text, "x").partition(".")
    n = data.draw(st.integers(0, len(body) - 5))  # the last letters hold bits that mean nothing
    other = "A" if body[n] != "A" else "B"
    with pytest.raises(crypto.Undecipherable):
        crypto.decrypt(f"{name}.{body[:n]}{other}{body[n + 1 :]}", "x")


@pytest.mark.parametrize("broken", ["", "1.", "1.@@@", "no dot", "1.QUJD"])
def test_rubbish_is_named_as_such(broken):
    with pytest.raises(crypto.Undecipherable):
        crypto.decrypt(broken, "x")


def test_keys_rotate(monkeypatch):
    old = crypto.encrypt("秘密", "x")
    both = dataclasses.replace(settings.SECRETS, field=f"2:{'33' * 32},1:{settings.SECRETS.field}")
    monkeypatch.setattr(settings, "SECRETS", both)
    new = crypto.encrypt("秘密", "x")
    assert (old[:2], new[:2]) == ("1.", "2.")
    assert crypto.decrypt(old, "x") == crypto.decrypt(new, "x") == "秘密"
    monkeypatch.setattr(settings, "SECRETS", dataclasses.replace(both, field=f"2:{'33' * 32}"))
    with pytest.raises(crypto.Undecipherable, match="no key '1'"):
        crypto.decrypt(old, "x")


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_fields_hide_their_content_in_the_database_and_show_it_to_the_model():
    house = House.objects.create(place=CITY)
    papers = {"姓名": "张三", "n": [1, None, True]}
    lamp = Lamp.objects.create(house=house, secret="浙江省", papers=papers)
    empty = Lamp.objects.create(house=house, secret=None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, other, papers FROM kernel_samples_lamp ORDER BY id")
        (secret, other, raw), (none, nothing, no_papers) = cursor.fetchall()
    assert secret.startswith("1.")
    assert "浙" not in secret
    assert "张" not in raw
    assert (other, none, nothing, no_papers) == ("", None, "", None)
    lamp.refresh_from_db()
    empty.refresh_from_db()
    assert (lamp.secret, lamp.other, lamp.papers) == ("浙江省", "", papers)
    assert (empty.secret, empty.other, empty.papers) == (None, "", None)
    assert Lamp.objects.filter(secret__isnull=True).get() == empty
    for wrong in ({"secret": "浙江省"}, {"secret__contains": "浙"}, {"papers": papers}):
        with pytest.raises(FieldError, match="blind index"):
            Lamp.objects.filter(**wrong)


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_a_value_copied_into_another_column_does_not_open():
    lamp = Lamp.objects.create(house=House.objects.create(place=CITY), secret="浙江省")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_samples_lamp SET other = secret")
    with pytest.raises(crypto.Undecipherable):
        lamp.refresh_from_db()


@given(texts, texts)
def test_a_blind_index_is_equal_exactly_for_what_people_call_the_same(a, b):
    same = crypto.normalised(a) == crypto.normalised(b)
    assert (crypto.blind(a, "phone") == crypto.blind(b, "phone")) == same
    if crypto.normalised(a):
        assert crypto.blind(a, "phone") != crypto.blind(a, "id_number")
        assert len(crypto.blind(a, "phone")) == 32


def test_spellings_that_mean_the_same_are_found():
    assert crypto.blind("138 0013-8000", "p") == crypto.blind("13800138000", "p")
    assert crypto.blind("33019919400101002x", "p") == crypto.blind("33019919400101002X", "p")
    assert crypto.blind(" ", "p") == ""


@given(texts, st.data())
def test_every_part_of_a_text_finds_it(text, data):
    plain = crypto.normalised(text)
    tokens = set(crypto.blind_tokens(text, "name"))
    start = data.draw(st.integers(0, len(plain)))
    part = plain[start : data.draw(st.integers(start, len(plain)))]
    assert set(crypto.blind_query(part, "name")) <= tokens


def test_what_is_not_in_a_text_does_not_find_it():
    tokens = set(crypto.blind_tokens("周晓岚", "name"))
    assert set(crypto.blind_query("晓岚", "name")) <= tokens
    assert not set(crypto.blind_query("岚晓", "name")) <= tokens
    assert not set(crypto.blind_query("晓岚", "other")) <= tokens
    assert crypto.blind_query("", "name") == []
