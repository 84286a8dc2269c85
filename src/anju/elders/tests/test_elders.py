"""The file of an elder: both forms, drafts and approval, contacts, consents, freezing. REG-01, 02, 03, 06, 10, 13."""

import json
from datetime import date, timedelta

import pytest

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.elders import actions, queries
from anju.elders.models import Elder
from anju.elders.tests.factories import ElderFactory, complete, invented_id
from anju.elders.tests.stage import DAY, NIGHT, bureau, community, register
from anju.kernel import clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("district")]


@pytest.mark.req("REG-02")
def test_all_seventeen_items_are_kept_and_sensitive_ones_are_encrypted():
    elder = register()
    actions.add_contact(
        elder_id=elder.pk, kind="guardian", name="周建国", phone="14400005678", relation="儿子", by=community()
    )
    actions.add_contact(elder_id=elder.pk, kind="committee", name="居委", phone="0571-10001234", by=community())
    view = queries.masked(queries.elder(elder.pk), {Role.ELDER})
    said = (
        view.name,
        view.sex,
        str(elder.birth_date),
        view.id_number,
        view.address,
        view.phone,
        view.self_rescue,
        view.entrance,
        view.illnesses,
        view.chronic,
        view.allergies,
        view.hobbies,
        view.habits,
        view.other,
    )
    assert said == (
        "周玉珍",
        "女",
        "1943-05-12",
        invented_id(date(1943, 5, 12), "女"),
        "荷汀苑 3 幢 502 室",
        "14400001234",
        "按床头拉绳",
        "东门",
        "无",
        "高血压",
        "青霉素",
        "越剧",
        "早睡",
        "养猫",
    )
    contacts = [(c.kind, c.name, c.phone) for c in queries.contacts_of(elder.pk)]
    assert contacts == [("guardian", "周建国", "14400005678"), ("committee", "居委", "057110001234")]
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("elders_elder", "elders_home", "elders_contact", "kernel_auditline"):
            cursor.execute(f"SELECT t::text FROM {table} t")  # noqa: S608
            stored = str(cursor.fetchall())
            for secret in ("周玉珍", "19430512", "荷汀苑", "14400001234", "青霉素", "周建国", "14400005678"):
                assert secret not in stored, (table, secret)


@pytest.mark.req("REG-02")
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"id_number": "33019919430512"}, "少 4 位，应为 18 位"),
        ({"id_number": "330199194302301024"}, "不存在"),
        ({"sex": "男"}, "身份证号里是女"),
        ({"birth_date": date(1944, 5, 12)}, "身份证号里是 1943-05-12"),
        ({"phone": "1440000123"}, "少 1 位"),
        ({"kind": "rich"}, "从列表里选"),
        ({"zodiac": "羊"}, "没有这些项目"),
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
        "兴趣爱好",
        "燃气户号",
        "监护人（至少 1 位）",
        "网格员（还差 2 位）",
        "社工",
        "物业管家联系电话",
        "夜间值班联系电话",
        "居委联系方式",
        "签好的告知及确认书",
    ]
    assert "请补齐" in str(gaps.value)
    assert queries.elder(elder.pk).status == "draft"
    by = community()
    actions.change_elder(elder_id=elder.pk, gas_no="G1", hobbies="听戏", by=by)
    actions.add_contact(elder_id=elder.pk, kind="guardian", name="周建国", phone="14400005678", relation="儿子", by=by)
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
        actions.remove_contact(contact_id=guardian.pk, by=by, reason="搬走了")
    assert queries.elder(elder.pk).electricity_no == "E1"
    assert len(queries.contacts_of(elder.pk)) == 7


@pytest.mark.req("REG-03")
def test_at_most_three_guardians_in_the_order_they_are_called():
    elder = ElderFactory()
    by = community()
    made = [
        actions.add_contact(elder_id=elder.pk, kind="guardian", name=n, phone=f"1440000000{i}", by=by)
        for i, n in enumerate("甲乙丙")
    ]
    with pytest.raises(actions.NotAccepted, match="最多 3 位"):
        actions.add_contact(elder_id=elder.pk, kind="guardian", name="丁", phone="14400000009", by=by)
    actions.order_contacts(
        elder_id=elder.pk, contact_ids=[made[2].pk, made[0].pk, made[1].pk], by=by, reason="女儿住得近"
    )
    assert [c.name for c in queries.contacts_of(elder.pk)] == ["丙", "甲", "乙"]
    with pytest.raises(actions.NotAccepted, match="一个不能少"):
        actions.order_contacts(elder_id=elder.pk, contact_ids=[made[0].pk], by=by, reason="x")


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
    actions.change_contact(contact_id=contact.pk, phone="14400007777", by=community())
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
        "consent_id": consent.pk,
        "document_id": "TZ-7",
        "until": consent.expires_on.isoformat(),
        "covers": [110, 120, 119],
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
        ({"scope": []}, "勾选"),
        ({"scope": ["everything"]}, "勾选"),
        ({"document": " "}, "文书编号"),
        ({"signed_by": ""}, "签字人"),
        ({"signed_on": date(2027, 1, 1)}, "还没到"),
        ({"expires_on": date(2028, 1, 1)}, "最长一年"),
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
    actions.record_consent(
        elder_id=elder.pk, kind="waiver", scope=["monitor"], signed_by="周玉珍", document="FQ-1", by=community()
    )
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
    assert (unknown["home"], unknown["elder"], unknown["contacts"], unknown["services"]) == (
        None,
        None,
        [],
        ["emergency"],
    )
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
