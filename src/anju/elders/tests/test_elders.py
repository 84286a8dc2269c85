"""The file of an elder: both forms, drafts and approval, contacts, consents, freezing. REG-01, 02, 03, 06, 10, 13."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import ProgrammingError, transaction

from anju.accounts import queries as accounts
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.elders import actions, queries
from anju.elders.models import Elder, HistoryLine, Home
from anju.elders.tests.factories import ConsentFactory, ContactFactory, ElderFactory, HomeFactory, complete, invented_id
from anju.kernel import clock
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, OutOfScope, Scope, seen_by
from anju.places.tests.factories import LOTUS, SPRING, TIDE, WILLOW, make_district

pytestmark = pytest.mark.django_db
FORM = {
    "phone": "138-0000-1234", "kind": "alone", "ability": "mild", "health_state": "能走动", "illnesses": "无", "chronic": "高血压",
    "allergies": "青霉素", "self_rescue": "按床头拉绳", "hobbies": "越剧", "habits": "早睡", "other": "养猫", "water_no": "W1",
    "electricity_no": "E1", "gas_no": "无", "appointment": date(2026, 12, 1), "appointment_half": "am",
}
NIGHT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 23:00 in China
DAY = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # noon, a Friday


@pytest.fixture(autouse=True)
def _district(everywhere, let_pass):
    make_district()


def community():
    return accounts.actor_of(make_user(Role.COMMUNITY, place=LOTUS))


def bureau():
    return accounts.actor_of(make_user(Role.BUREAU))


def register(**fields):
    by = community()
    home = actions.register_home(place=LOTUS, address="荷汀苑 3 幢 502 室", entrance="东门", by=by)
    number = invented_id(date(1943, 5, 12), "女")
    return actions.register_elder(home_id=home.pk, name="周玉珍", by=by, **{"id_number": number, **FORM, **fields})


@pytest.mark.req("REG-02")
def test_all_seventeen_items_are_kept_and_sensitive_ones_are_encrypted():
    elder = register()
    actions.add_contact(elder_id=elder.pk, kind="guardian", name="周建国", phone="13800005678", relation="儿子", by=community())
    actions.add_contact(elder_id=elder.pk, kind="committee", name="居委", phone="0571-10001234", by=community())
    view = queries.masked(queries.elder(elder.pk), {Role.ELDER})
    said = (
        view.name, view.sex, str(elder.birth_date), view.id_number, view.address, view.phone, view.self_rescue, view.entrance,
        view.illnesses, view.chronic, view.allergies, view.hobbies, view.habits, view.other,
    )
    assert said == (
        "周玉珍", "女", "1943-05-12", invented_id(date(1943, 5, 12), "女"), "荷汀苑 3 幢 502 室", "13800001234", "按床头拉绳", "东门",
        "无", "高血压", "青霉素", "越剧", "早睡", "养猫",
    )
    contacts = [(c.kind, c.name, c.phone) for c in queries.contacts_of(elder.pk)]
    assert contacts == [("guardian", "周建国", "13800005678"), ("committee", "居委", "057110001234")]
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("elders_elder", "elders_home", "elders_contact", "kernel_auditline"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            stored = str(cursor.fetchall())
            for secret in ("周玉珍", "19430512", "502", "13800001234", "青霉素", "周建国", "13800005678"):
                assert secret not in stored, (table, secret)


@pytest.mark.req("REG-02")
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"id_number": "33019919430512"}, "少 4 位，应为 18 位"), ({"id_number": "330199194302301024"}, "不存在"),
        ({"sex": "男"}, "身份证号里是女"), ({"birth_date": date(1944, 5, 12)}, "身份证号里是 1943-05-12"),
        ({"phone": "1380000123"}, "少 1 位"), ({"kind": "rich"}, "从列表里选"), ({"zodiac": "羊"}, "没有这些项目"),
    ],
)
def test_wrong_items_are_refused_with_what_to_mend(fields, why):
    with pytest.raises(actions.NotAccepted, match=why):
        register(**fields)
    assert not Elder.objects.exists()


@pytest.mark.req("REG-02")
def test_one_person_has_one_file():
    register()
    with pytest.raises(actions.NotAccepted, match="已有档案"):
        register()
    assert Elder.objects.count() == 1


@pytest.mark.req("REG-03")
def test_a_form_with_gaps_is_a_draft_and_is_never_approved():
    elder = register(gas_no="", hobbies="")
    with pytest.raises(actions.Incomplete) as gaps:
        actions.approve(elder_id=elder.pk, by=bureau())
    assert gaps.value.gaps == [
        "兴趣爱好", "燃气户号", "监护人（至少 1 位）", "网格员（还差 2 位）", "社工", "物业管家联系电话", "夜间值班联系电话", "居委联系方式",
        "签好的告知及确认书",
    ]
    assert "请补齐" in str(gaps.value)
    assert queries.elder(elder.pk).status == "draft"
    by = community()
    actions.change_elder(elder_id=elder.pk, gas_no="G1", hobbies="听戏", by=by)
    actions.add_contact(elder_id=elder.pk, kind="guardian", name="周建国", phone="13800005678", relation="儿子", by=by)
    for kind in ("grid", "grid", "social_worker", "property", "night_duty", "committee"):
        actions.add_contact(elder_id=elder.pk, kind=kind, name="某", phone="0571-10001234", by=by)
    actions.record_consent(elder_id=elder.pk, scope=["monitor"], signed_by="周玉珍", document="TZ-1", by=by)
    assert queries.missing(elder.pk) == ["监护人 1 的性别", "监护人 1 的居住地址"]
    guardian = queries.contacts_of(elder.pk)[0]
    actions.change_contact(contact_id=guardian.pk, sex="男", address="听潮里 8 幢", by=by)
    assert actions.approve(elder_id=elder.pk, by=bureau()).status == "approved"
    with pytest.raises(actions.Incomplete, match="电表户号"):
        actions.change_elder(elder_id=elder.pk, electricity_no="", by=by)
    with pytest.raises(actions.Incomplete, match="监护人"):
        actions.remove_contact(contact_id=guardian.pk, by=by)
    assert queries.elder(elder.pk).electricity_no == "E1"
    assert len(queries.contacts_of(elder.pk)) == 7


@pytest.mark.req("REG-03")
def test_at_most_three_guardians_in_the_order_they_are_called():
    elder = ElderFactory()
    by = community()
    made = [
        actions.add_contact(elder_id=elder.pk, kind="guardian", name=n, phone=f"1380000000{i}", by=by) for i, n in enumerate("甲乙丙")
    ]
    with pytest.raises(actions.NotAccepted, match="最多 3 位"):
        actions.add_contact(elder_id=elder.pk, kind="guardian", name="丁", phone="13800000009", by=by)
    actions.order_contacts(elder_id=elder.pk, contact_ids=[made[2].pk, made[0].pk, made[1].pk], by=by)
    assert [c.name for c in queries.contacts_of(elder.pk)] == ["丙", "甲", "乙"]
    with pytest.raises(actions.NotAccepted, match="一个不能少"):
        actions.order_contacts(elder_id=elder.pk, contact_ids=[made[0].pk], by=by)


@pytest.mark.req("REG-13")
def test_who_could_not_be_reached_is_flagged_until_the_number_is_corrected():
    elder = complete(ElderFactory())
    contact = queries.contacts_of(elder.pk)[0]
    actions.flag_contact(contact_id=contact.pk, reason="11-20 连拨两次空号")
    frozen = queries.freeze(elder.home_id, elder.pk, DAY)["contacts"]
    assert frozen[0]["flagged_reason"] == "11-20 连拨两次空号"  # still called in its turn
    view = queries.masked_contacts(elder.pk, {Role.COMMUNITY})[0]
    assert view.flagged_reason
    actions.change_contact(contact_id=contact.pk, relation="女儿", by=community())
    assert queries.contacts_of(elder.pk)[0].flagged_reason
    actions.change_contact(contact_id=contact.pk, phone="13800007777", by=community())
    assert queries.contacts_of(elder.pk)[0].flagged_reason == ""
    with pytest.raises(actions.NotAccepted, match="原因"):
        actions.flag_contact(contact_id=contact.pk, reason=" ")


@pytest.mark.req("REG-06")
def test_a_consent_lasts_a_year_covers_what_it_names_and_can_be_withdrawn(let_pass):
    elder, by = ElderFactory(), community()
    assert not queries.covered(elder.pk, "monitor")
    consent = actions.record_consent(
        elder_id=elder.pk, scope=["monitor", "rescue_110_120_119"], signed_by="周玉珍", document="TZ-7", by=by
    )
    assert consent.expires_on == clock.today() + timedelta(days=364)
    assert queries.covered(elder.pk, "monitor")
    assert not queries.covered(elder.pk, "meters")
    assert queries.covered(elder.pk, "monitor", on=consent.expires_on)
    assert not queries.covered(elder.pk, "monitor", on=consent.expires_on + timedelta(days=1))
    assert queries.freeze(elder.home_id, elder.pk, clock.now())["authority"] == {
        "consent_id": consent.pk, "document_id": "TZ-7", "until": consent.expires_on.isoformat(), "covers": [110, 120, 119],
    }
    let_pass(days=365)
    lapsed = queries.freeze(elder.home_id, elder.pk, clock.now())
    assert lapsed["authority"] is None
    assert [c["valid"] for c in lapsed["consents"]] == [False]
    assert lapsed["elder"]["name"] == elder.name  # an SOS is served all the same
    fresh = actions.record_consent(elder_id=elder.pk, scope=["monitor"], signed_by="周玉珍", document="TZ-8", by=by)
    assert queries.covered(elder.pk, "monitor")
    actions.withdraw_consent(consent_id=fresh.pk, reason="家属来电", by=by)
    assert not queries.covered(elder.pk, "monitor")


@pytest.mark.req("REG-06")
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"scope": []}, "勾选"), ({"scope": ["everything"]}, "勾选"), ({"document": " "}, "文书编号"), ({"signed_by": ""}, "签字人"),
        ({"signed_on": date(2027, 1, 1)}, "还没到"), ({"expires_on": date(2028, 1, 1)}, "最长一年"),
    ],
)
def test_a_paper_that_is_not_whole_is_no_consent(fields, why):
    elder = ElderFactory()
    paper = {"scope": ["monitor"], "signed_by": "周玉珍", "document": "TZ-9"} | fields
    with pytest.raises(actions.NotAccepted, match=why):
        actions.record_consent(elder_id=elder.pk, by=community(), **paper)
    assert queries.consents_of(elder.pk) == []


@pytest.mark.req("REG-06")
def test_a_waiver_covers_nothing():
    elder = ElderFactory()
    actions.record_consent(elder_id=elder.pk, kind="waiver", scope=["monitor"], signed_by="周玉珍", document="FQ-1", by=community())
    assert not queries.covered(elder.pk, "monitor")


@pytest.mark.req("REG-10")
def test_strangers_and_suspended_clients_get_emergency_service():
    elder = complete(ElderFactory())
    assert queries.services_for(elder.pk) == {"emergency", "monitor", "care", "orders"}
    lead = accounts.actor_of(make_user(Role.LEAD))
    actions.suspend(elder_id=elder.pk, reason="住院", by=lead)
    assert queries.services_for(elder.pk) == {"emergency"}
    assert queries.services_for(None) == {"emergency"}
    frozen = queries.freeze(elder.home_id, None, DAY)
    assert (frozen["elder"]["status"], frozen["services"]) == ("suspended", ["emergency"])
    unknown = queries.freeze(None, None, DAY)
    assert (unknown["home"], unknown["elder"], unknown["contacts"], unknown["services"]) == (None, None, [], ["emergency"])
    actions.approve(elder_id=elder.pk, by=bureau())
    actions.end(elder_id=elder.pk, reason="迁出", by=bureau())
    assert queries.services_for(elder.pk) == {"emergency"}
    assert queries.main_elder(elder.home_id) is None


@pytest.mark.req("INC-02", "REG-13")
def test_by_night_the_duty_phone_takes_the_place_of_the_property_office():
    elder = complete(ElderFactory())
    busy = queries.contacts_of(elder.pk)[1]
    actions.change_contact(
        contact_id=busy.pk, availability={"week": {"sat": [["00:00", "24:00"]]}, "away": []}, by=community()
    )
    by_day, by_night = (queries.freeze(elder.home_id, elder.pk, t)["contacts"] for t in (DAY, NIGHT))
    kinds = ["guardian", "guardian", "grid", "grid", "social_worker"]
    assert [c["kind"] for c in by_day] == [*kinds, "property", "committee"]
    assert [c["kind"] for c in by_night] == [*kinds, "night_duty", "committee"]
    assert [c["available_now"] for c in by_day][:2] == [True, False]  # she stays in the ladder, and it is said


@pytest.mark.req("INC-02")
def test_what_is_frozen_does_not_follow_the_file():
    elder = complete(ElderFactory())
    frozen = json.loads(json.dumps(queries.freeze(elder.home_id, elder.pk, DAY), ensure_ascii=False))
    for contact in queries.contacts_of(elder.pk)[1:]:
        contact.delete()
    assert len(frozen["contacts"]) == 7
    assert frozen["home"]["place_name"] == "春浦街道荷汀社区"
    assert frozen["home"]["entrance"] == "荷汀苑东门，由潮音路进"
    assert frozen["elder"]["allergies"] == "青霉素"
    assert frozen["elder"]["age"] == frozen["elder"]["age"] // 1


@pytest.mark.req("REG-01", "SYS-01")
def test_nobody_writes_outside_her_places(let_pass):
    street = accounts.actor_of(make_user(Role.STREET, place=SPRING))
    elder = complete(ElderFactory(home=HomeFactory(place=WILLOW)))
    here = actions.register_home(place=LOTUS, address="荷汀苑", by=THE_PLATFORM)
    with seen_by(Scope(("330199001",))):
        with pytest.raises(OutOfScope):
            actions.register_home(place=TIDE, by=street)
        with pytest.raises(Home.DoesNotExist):
            actions.register_elder(home_id=elder.home_id, name="某", by=street)
        for act in (
            lambda: actions.change_elder(elder_id=elder.pk, hobbies="x", by=street),
            lambda: actions.add_contact(elder_id=elder.pk, kind="grid", name="x", phone="057110001234", by=street),
            lambda: actions.record_consent(elder_id=elder.pk, scope=["monitor"], signed_by="x", document="x", by=street),
            lambda: actions.append_history(elder_id=elder.pk, text="x", by=street),
            lambda: actions.reveal(elder_id=elder.pk, field="phone", reason="x", by=street),
        ):
            with pytest.raises(Elder.DoesNotExist):
                act()
        with pytest.raises(OutOfScope):
            ContactFactory(elder=elder)  # also with the object in the hand
        elder.hobbies = "x"
        with pytest.raises(OutOfScope):
            elder.save()
        assert queries.elder(elder.pk) is None
        assert actions.register_elder(home_id=here.pk, name="某", by=street).home_id == here.pk


@pytest.mark.req("REG-01")
def test_a_grid_worker_sees_the_homes_of_her_grid_and_the_community_all():
    near = ElderFactory(home=HomeFactory(place=LOTUS, area=LOTUS + "01"))
    far = ElderFactory(home=HomeFactory(place=LOTUS, area=LOTUS + "02"))
    with seen_by(accounts.scope_of(make_user(Role.GRID_WORKER, place=LOTUS + "01"))):
        assert queries.elder(near.pk) is not None
        assert queries.elder(far.pk) is None
    with seen_by(accounts.scope_of(make_user(Role.COMMUNITY, place=LOTUS))):
        assert queries.elder(near.pk) and queries.elder(far.pk)
    with seen_by(accounts.scope_of(make_user(Role.FAMILY, place=LOTUS, elder_id=near.pk))):
        assert queries.elder(near.pk).home.address
        assert queries.elder(far.pk) is None


@pytest.mark.req("INC-08")
def test_history_is_only_added_to():
    elder = ElderFactory()
    actions.append_history(elder_id=elder.pk, text="11-20 摔倒，送医，左腕骨折")
    actions.append_history(elder_id=elder.pk, text="11-23 回访，恢复好", by=accounts.actor_of(make_user(Role.AGENT)))
    assert [line.text for line in queries.history_of(elder.pk)] == ["11-20 摔倒，送医，左腕骨折", "11-23 回访，恢复好"]
    line = HistoryLine.objects.first()
    line.text = "没事"
    for undo in (line.save, line.delete):
        with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
            undo()


def test_coordinates_from_chinese_maps_are_kept_as_wgs84():
    home = actions.register_home(place=LOTUS, lon=120.2147, lat=30.2076, datum="gcj02", by=THE_PLATFORM)
    assert home.datum == "gcj02"
    assert abs(home.lon - 120.2101) < 0.0015
    assert abs(home.lat - 30.2101) < 0.0015
    with pytest.raises(actions.NotAccepted, match="填反"):
        actions.register_home(place=LOTUS, lon=30.2, lat=120.2, by=THE_PLATFORM)
    with pytest.raises(actions.NotAccepted, match="一起填"):
        actions.register_home(place=LOTUS, lon=120.2, by=THE_PLATFORM)


def test_every_change_leaves_a_line_without_personal_data():
    elder = register()
    actions.change_elder(elder_id=elder.pk, hobbies="种花", by=community())
    lines = AuditLine.objects.filter(subject="elder", subject_id=str(elder.pk))
    assert list(lines.order_by("id").values_list("action", "place")) == [("elder.register", LOTUS), ("elder.change", LOTUS)]
    assert lines.latest("id").detail == {"fields": ["hobbies"]}


def test_a_couple_shares_a_home_and_one_is_the_main_person():
    by = THE_PLATFORM
    home = actions.register_home(place=LOTUS, by=by)
    wife = actions.register_elder(home_id=home.pk, name="王桂兰", by=by)
    husband = actions.register_elder(home_id=home.pk, name="李福根", by=by)
    assert queries.main_elder(home.pk) == wife
    frozen = queries.freeze(home.pk, husband.pk, DAY)
    assert (frozen["elder"]["name"], [o["name"] for o in frozen["others"]]) == ("李福根", ["王桂兰"])
    with pytest.raises(actions.NotAccepted, match="已有主要服务对象"):
        actions.change_elder(elder_id=husband.pk, main=True, by=by)
    actions.end(elder_id=wife.pk, reason="去世", by=by)
    assert queries.main_elder(home.pk) == husband


def test_the_consent_factory_is_valid():
    with seen_by(EVERYWHERE):
        assert queries.covered(ConsentFactory().elder_id, "monitor")
