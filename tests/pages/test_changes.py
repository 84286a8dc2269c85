"""Changes of a file in the drawer and as a page: the home, the contacts, the end, the person's rights; cases of a grid."""

from __future__ import annotations

import json
import re

import pytest

from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.elders import queries
from anju.elders.models import Contact, Elder, Home
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.django_db
DRAWER = {"HX-Request": "true"}


def contacts(elder_id):
    """Her contacts in the order of calling."""
    with seen_by(EVERYWHERE):
        return queries.contacts_of(elder_id)


@pytest.mark.req("REG-02")
def test_the_home_is_changed_by_the_same_form_as_page_and_in_the_drawer(as_user, town):
    """What is masked stays when its field is left empty; a wrong point says what to do; in the drawer htmx is led back."""
    street, url = as_user("street1"), f"/district/elders/{town.he_ting}/home"
    page, part = street.get(url).content.decode(), street.get(url, headers=DRAWER).content.decode()
    assert "<!doctype html>" in page
    assert "<!doctype html>" not in part
    with seen_by(EVERYWHERE):
        home = Elder.objects.select_related("home").get(pk=town.he_ting).home
        Home.objects.filter(pk=home.pk).update(access_note="")
        home.access_note, home.key_note = "敲门要重", "钥匙在 302"
        home.save()
    assert "敲门要重" not in street.get(url).content.decode()
    form = {
        "address": "荷汀花园 9 幢 101 室",
        "entrance": "北门",
        "floor": "1",
        "lift": "1",
        "lon": "121.05",
        "lat": "",
    }
    for headers, status in (({}, 400), (DRAWER, 200)):
        answer = street.post(url, form, headers=headers)
        assert answer.status_code == status
        assert "经度和纬度要一起填" in answer.content.decode()
        assert "荷汀花园 9 幢 101 室" in answer.content.decode()
    assert "纬度是 3 到 54" in street.post(url, form | {"lat": "95"}).content.decode()
    answer = street.post(url, form | {"lat": "30.41"}, headers=DRAWER)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/district/elders/{town.he_ting}/")
    with seen_by(EVERYWHERE):
        home.refresh_from_db()
    assert (home.address, home.entrance, home.lift, home.lat) == ("荷汀花园 9 幢 101 室", "北门", True, 30.41)
    assert (home.access_note, home.key_note) == ("敲门要重", "钥匙在 302")
    assert street.get(f"/district/elders/{town.liu_tang}/home").status_code == 404
    assert as_user("bureau1").get(url).status_code == 403


@pytest.mark.req("REG-03", "REG-13")
def test_contacts_are_put_in_order_corrected_and_removed_with_a_reason(as_user, town):
    """A form for each; without a reason nothing happens; the file keeps it."""
    street, base = as_user("street1"), f"/district/elders/{town.he_ting}"
    rows = contacts(town.he_ting)
    tab = street.get(f"{base}/?tab=contacts").content.decode()
    assert f"{base}/order" in tab
    assert f"{base}/contacts/{rows[0].pk}/remove" in tab
    grids = [c for c in rows if c.kind == "grid"]
    assert len(grids) >= 2
    wanted = {f"at.{c.pk}": n for n, c in enumerate(rows, 1)} | {f"at.{grids[1].pk}": 0}
    assert "请填原因" in street.post(f"{base}/order", wanted).content.decode()
    assert contacts(town.he_ting) == rows
    assert street.post(f"{base}/order", wanted | {"reason": "换了片区"}).status_code == 302
    assert [c.pk for c in contacts(town.he_ting) if c.kind == "grid"][:2] == [grids[1].pk, grids[0].pk]
    first = rows[0]
    edit = f"{base}/contacts/{first.pk}"
    assert first.phone not in street.get(edit).content.decode()
    form = {
        "kind": first.kind,
        "name": first.name,
        "relation": "外甥",
        "sex": first.sex,
        "phone": "",
        "address": "",
        "eta_minutes": "9",
    }
    assert street.post(edit, form).status_code == 302
    with seen_by(EVERYWHERE):
        now = Contact.objects.get(pk=first.pk)
    assert (now.relation, now.phone, now.eta_minutes) == ("外甥", first.phone, 9)
    assert "电话" in street.post(edit, form | {"phone": "12"}, headers=DRAWER).content.decode()
    spare = contacts(town.he_ting)[-1]
    answer = street.post(f"{base}/contacts/{spare.pk}/remove", {"reason": "调走了"})
    with seen_by(EVERYWHERE):
        gone = not Contact.objects.filter(pk=spare.pk).exists()
        lines = [line.text for line in queries.history_of(town.he_ting)]
    assert gone == (answer.status_code == 302)  # a file in service may refuse: it would lack somebody
    assert any("联系次序改为" in line for line in lines)
    other = contacts(town.liu_tang)[0]
    assert street.post(f"{base}/contacts/{other.pk}/remove", {"reason": "x"}).status_code == 404


@pytest.mark.req("SYS-04")
def test_a_copy_is_a_file_for_a_reason_and_the_person_sees_who_took_it(as_user, town):
    """Street and bureau only; the copy holds what is masked on the page."""
    street, url = as_user("street1"), f"/district/elders/{town.he_ting}/export"
    assert "请填原因" in street.post(url, {"reason": ""}).content.decode()
    answer = street.post(url, {"reason": "本人书面要求"})
    assert answer["Content-Disposition"].startswith("attachment")
    with seen_by(EVERYWHERE):
        elder = Elder.objects.get(pk=town.he_ting)
    found = json.loads(answer.content)
    assert found["本人"]["身份证号"] == elder.id_number
    assert found["设备"]
    assert "本人书面要求" in street.get(f"/district/elders/{town.he_ting}/?tab=seen").content.decode()
    assert as_user("agent1").get(url).status_code == 403


@pytest.mark.req("SYS-04", "REG-10")
def test_deletion_waits_for_what_is_open_and_then_takes_the_name_everywhere(as_user, town):
    """An open case, a device on the wall: refused in words. Afterwards the name is in no page and no case."""
    bureau, base = as_user("bureau1"), f"/district/elders/{town.he_ting}"
    with seen_by(EVERYWHERE):
        elder = Elder.objects.select_related("home").get(pk=town.he_ting)
    name = elder.name
    assert "先停止服务" in bureau.post(f"{base}/erase", {"reason": "要求"}).content.decode()
    assert bureau.post(f"{base}/end", {"reason": "迁出"}).status_code == 302
    from anju.devices import actions as devices
    from anju.devices import queries as device_queries
    from anju.incidents import actions as incidents
    from anju.incidents.models import Entry, Incident
    from anju.kernel.flow.actor import Actor

    agent = Actor("周晓岚", frozenset({Role.AGENT.value}), user_id=make_user(Role.AGENT).pk)
    with seen_by(EVERYWHERE):
        case = incidents.open_by_hand(
            by=agent, place=elder.home.place, kind="call", kind_label="来电求助", home_id=elder.home_id, elder_id=elder.pk, what=f"{name}说头晕",
        )  # fmt: skip
    refused = bureau.post(f"{base}/erase", {"reason": "要求"}).content.decode()
    assert "拆回" in refused or case.number in refused
    with seen_by(EVERYWHERE):
        for one in device_queries.of_home(elder.home_id):
            devices.remove(device_id=one.device.id, reason="迁出")
    assert case.number in bureau.post(f"{base}/erase", {"reason": "要求"}).content.decode()
    with seen_by(EVERYWHERE):
        incidents.move(incident_id=case.pk, move="false_alarm", by=agent, note="没事", data={"class": "mis_press"})
        Incident.objects.filter(elder=elder).exclude(state="closed").count()
        from anju.fieldwork import queries as fieldwork

        still = fieldwork.page(home_id=elder.home_id, open_only=True)
    if still:
        assert still[0].number in bureau.post(f"{base}/erase", {"reason": "要求"}).content.decode()
        raise AssertionError("order open")
    answer = bureau.post(f"{base}/erase", {"reason": "要求"})
    assert answer.status_code == 302, re.findall(r"<span>([^<]+)</span>", answer.content.decode())[:5]
    with seen_by(EVERYWHERE):
        for kept in Incident.objects.filter(elder=elder):
            assert name not in json.dumps(kept.plan, ensure_ascii=False)
        assert all(name not in e.text for e in Entry.objects.filter(incident__elder=elder))
        assert Incident.objects.get(pk=case.pk).outcome_class == "mis_press"
    assert AuditLine.objects.filter(action="elder.erase", subject_id=str(elder.pk)).count() == 1
    assert name not in bureau.get(f"{base}/").content.decode()


@pytest.mark.req("REG-01", "SYS-01")
def test_a_grid_worker_sees_the_cases_of_her_grid_masked(as_user, town):
    """Her grid's cases with the surname and without what was said; the next grid's do not exist for her."""
    from anju.incidents.models import Incident

    with seen_by(EVERYWHERE):
        cases = list(Incident.objects.filter(home__isnull=False).select_related("home", "elder"))
        mine = cases[0]
        Home.objects.filter(pk=mine.home_id).update(area=f"{mine.place}01")
        other = next(c for c in cases if c.home_id != mine.home_id)
        Home.objects.filter(pk=other.home_id).update(area=f"{other.place}02")
    worker = make_user(Role.GRID_WORKER, place=f"{mine.place}01")
    client = as_user("street1")
    client.force_login(worker, backend="django.contrib.auth.backends.ModelBackend")
    listed = client.get("/district/incidents/").content.decode()
    assert mine.number in listed
    assert other.number not in listed
    assert mine.elder.name not in listed
    page = client.get(f"/district/incidents/{mine.pk}/").content.decode()
    assert "经过不在这里显示" in page
    with seen_by(EVERYWHERE):
        said = [e.text for e in mine.entries.all()]
    assert not any(text in page for text in said)
    assert client.get(f"/district/incidents/{other.pk}/").status_code == 404
