"""The person's rights: a copy, deletion, and contacts that leave with a reason. SYS-04, REG-13."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import PermissionDenied

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.elders import actions, queries, rights
from anju.elders.checks import NotAccepted
from anju.elders.models import Contact, Elder, Home
from anju.elders.tests.factories import ElderFactory, HomeFactory, complete
from anju.elders.tests.stage import bureau, community
from anju.kernel.models import AuditLine
from anju.kernel.scope import OutOfScope, Scope, seen_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("district")]


def ended():
    """A whole file whose service has ended."""
    elder = complete(ElderFactory(name="沈玉芬"))
    by = bureau()
    actions.append_history(elder_id=elder.pk, text="沈玉芬夜里摔过一次")
    actions.end(elder_id=elder.pk, reason="迁往外省", by=by)
    return Elder.objects.select_related("home").get(pk=elder.pk), by


@pytest.mark.req("SYS-04")
def test_a_copy_holds_everything_and_needs_a_reason_and_a_post():
    """All that the file says of her, in clear; without a reason or a post there is none; she sees who took it."""
    elder = complete(ElderFactory(name="沈玉芬", allergies="青霉素"))
    street = accounts.actor_of(make_user(Role.STREET, place="330199001000"))
    with pytest.raises(NotAccepted, match="原因"):
        rights.copy_of(elder_id=elder.pk, reason=" ", by=street)
    with pytest.raises(PermissionDenied, match="街道"):
        rights.copy_of(elder_id=elder.pk, reason="看看", by=community())
    found = rights.copy_of(elder_id=elder.pk, reason="本人要一份", by=street)
    text = json.dumps(found, ensure_ascii=False)
    for value in ("沈玉芬", "青霉素", elder.id_number, elder.phone, elder.home.address, elder.home.access_note):
        assert value in text
    assert len(found["联系人"]) == len(queries.contacts_of(elder.pk)) == 8
    assert (found["同意书"][0]["文书编号"], found["本人"]["能力状态"]) != ("", "")
    looker = queries.lookers(elder.pk)[0]
    assert (looker.field, looker.reason) == ("整份档案（导出）", "本人要一份")


@pytest.mark.req("SYS-04")
def test_deletion_takes_what_names_her_and_leaves_what_is_counted():
    """Names, numbers, places, illnesses, contacts and lines are gone; number, dates, papers and the audit stay."""
    elder, by = ended()
    number, phone, address = elder.id_number, elder.phone, elder.home.address
    before = AuditLine.objects.filter(subject="elder", subject_id=str(elder.pk)).count()
    rights.erase(elder_id=elder.pk, reason="本人要求删除", by=by)
    left = Elder.objects.select_related("home").get(pk=elder.pk)
    assert (left.name, left.number, left.status) == (rights.ERASED, elder.number, "ended")
    stored = json.dumps([_all(left), _all(left.home), *map(_all, left.consents.all())], ensure_ascii=False)
    for gone in ("沈玉芬", number, phone, address, elder.allergies, elder.home.access_note, elder.home.key_note):
        assert gone not in stored
    assert left.home.place == elder.home.place
    assert (left.home.lon, left.tokens, left.id_blind) == (None, [], "")
    assert queries.contacts_of(elder.pk) == []
    assert queries.history_of(elder.pk) == []
    assert queries.search("沈玉芬", 5, roles={Role.LEAD}) == []
    lines = AuditLine.objects.filter(subject="elder", subject_id=str(elder.pk))
    assert lines.count() == before + 1
    assert lines.get(action="elder.erase").reason == "本人要求删除"
    assert [c.document for c in queries.consents_of(elder.pk)]
    with pytest.raises(NotAccepted, match="已经删除"):
        rights.erase(elder_id=elder.pk, reason="再来", by=by)


def _all(row):
    return {f.name: str(getattr(row, f.attname)) for f in row._meta.concrete_fields}


@pytest.mark.req("SYS-04")
def test_who_is_in_service_or_lives_elsewhere_is_not_deleted():
    """Service first ends; only the bureau deletes, in its own district, with a reason; who lives with her keeps the home."""
    elder = complete(ElderFactory())
    by = bureau()
    with pytest.raises(NotAccepted, match="先停止服务"):
        rights.erase(elder_id=elder.pk, reason="要求", by=by)
    actions.end(elder_id=elder.pk, reason="迁出", by=by)
    with pytest.raises(NotAccepted, match="原因"):
        rights.erase(elder_id=elder.pk, reason="", by=by)
    with pytest.raises(PermissionDenied):
        rights.erase(elder_id=elder.pk, reason="要求", by=community())
    with seen_by(Scope(places=("330198",))), pytest.raises((Elder.DoesNotExist, OutOfScope)):
        rights.erase(elder_id=elder.pk, reason="要求", by=by)
    ElderFactory(home=elder.home, main=True)
    rights.erase(elder_id=elder.pk, reason="要求", by=by)
    assert Home.objects.get(pk=elder.home_id).address == elder.home.address


@pytest.mark.req("REG-13", "REG-03")
def test_a_contact_leaves_and_the_order_changes_with_a_reason_that_the_file_keeps():
    """Who it was and why is a line of the file; without a reason nothing happens."""
    elder = complete(ElderFactory(status="draft"))
    by, rows = community(), queries.contacts_of(elder.pk)
    sons = [c.pk for c in rows if c.kind == "guardian"]
    with pytest.raises(NotAccepted, match="原因"):
        actions.remove_contact(contact_id=sons[0], by=by, reason="")
    assert Contact.objects.filter(pk=sons[0]).exists()
    actions.order_contacts(
        elder_id=elder.pk, contact_ids=[sons[1], sons[0], *[c.pk for c in rows[2:]]], by=by, reason="小儿子住得近"
    )
    assert [c.pk for c in queries.contacts_of(elder.pk)][:2] == [sons[1], sons[0]]
    name = rows[0].name
    actions.remove_contact(contact_id=sons[0], by=by, reason="去了外地")
    first, second = queries.history_of(elder.pk)
    assert "联系次序改为" in first.text
    assert "小儿子住得近" in first.text
    assert second.text == f"移除联系人：监护人 {name}（儿子）。去了外地"
    assert AuditLine.objects.get(action="contact.remove").reason == "去了外地"
    assert name not in AuditLine.objects.get(action="contact.remove").reason


@pytest.mark.req("REG-02")
def test_a_home_is_changed_with_its_place_on_the_map():
    """Address, entrance, access, lift and the point; a wrong point is refused and nothing is kept of it."""
    elder = ElderFactory(home=HomeFactory())
    by = community()
    with pytest.raises(NotAccepted, match="经度和纬度要一起填"):
        actions.change_home(home_id=elder.home_id, by=by, lon=120.2, lat=None, address="荷汀苑 9 幢 101 室")
    actions.change_home(
        home_id=elder.home_id,
        by=by,
        address="荷汀苑 9 幢 101 室",
        entrance="北门",
        lift=True,
        floor=1,
        lon=120.22,
        lat=30.22,
    )
    home = Home.objects.get(pk=elder.home_id)
    assert (home.address, home.entrance, home.lift, home.floor, home.lon) == (
        "荷汀苑 9 幢 101 室",
        "北门",
        True,
        1,
        120.22,
    )
    assert [f.elder_id for f in queries.search("9 幢 101", 3, roles={Role.LEAD})] == [elder.pk]
