"""If she fell now: the column of the list, the ranking of repairs, the map, and the call list of a storm."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from random import Random

import pytest
from django.test import Client

from anju.alarms import actions as alarms
from anju.alarms import storms
from anju.alarms.models import HomeWorst, Storm, StormHome
from anju.alarms.rules import RULES
from anju.devices.models import Device, Product
from anju.devices.tests.factories import build
from anju.elders import queries as elders
from anju.elders.models import Elder, Home
from anju.fieldwork.models import RepairOrder
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from tests import database
from tests.pages.conftest import SmallTown

pytestmark = pytest.mark.django_db
Cost = Callable[[Callable[[], object]], tuple[int, int]]
As = Callable[[str], Client]


def text(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]


def put(home_id: int, hours: float, cause: str = "rhythm", **more: object) -> HomeWorst:
    with seen_by(EVERYWHERE):
        place = Home.objects.get(pk=home_id).place
        return HomeWorst.objects.update_or_create(
            home_id=home_id,
            defaults={
                "place": place,
                "hours": hours,
                "cause": cause,
                "words": "说明",
                "computed_at": clock.now(),
                **more,
            },
        )[0]


def home_of(elder_id: int) -> int:
    with seen_by(EVERYWHERE):
        elder = elders.elder(elder_id)
    assert elder is not None
    return elder.home_id


@pytest.mark.req("SEN-08")
def test_the_list_shows_the_worst_case_and_sorts_by_it(town: SmallTown, as_user: As) -> None:
    lead = as_user("lead1")
    with seen_by(EVERYWHERE):
        everyone = list(Elder.objects.filter(main=True).order_by("pk"))
    for n, elder in enumerate(everyone):
        put(elder.home_id, 5.0 + n)
    put(everyone[2].home_id, math.inf, "deaf", words="过道传感器自 11-20 08:00 起听不到")
    page = text(lead.get("/district/elders/?sort=worst"))
    names = re.findall(r"/district/elders/(\d+)/\"><b>", page)
    assert names[0] == str(everyone[2].pk)
    assert "不会知道" in page
    assert "自 11-20 08:00 起听不到" in page
    assert 'href="#i-deaf"' in page
    with seen_by(EVERYWHERE):
        HomeWorst.objects.filter(home_id=everyone[3].home_id).delete()
    page = text(lead.get("/district/elders/?sort=worst"))
    assert re.findall(r"/district/elders/(\d+)/\"><b>", page)[0] == str(everyone[3].pk), "never computed is never last"
    assert "未核算" in page


@pytest.mark.req("SEN-08", "DEV-05")
def test_repairs_are_ranked_by_hours_won_and_one_click_makes_the_order(town: SmallTown, as_user: As) -> None:
    lead = as_user("lead1")
    assert "没有能让人更早知道的活" in text(lead.get("/district/watch/"))
    first, second = home_of(town.he_ting), home_of(town.liu_tang)
    with seen_by(EVERYWHERE):
        sensor = Device.objects.filter(home_id=second, product__kind="motion").first()
    assert sensor is not None
    put(first, 9.0, "battery", won=6.5, measure="battery", measure_words="更换门磁电池（剩 9%）")
    put(
        second, math.inf, "deaf", won=28.0, measure="repair", measure_words="修复过道红外（11-20 08:00 起听不到）", device=sensor,
        others=[["period", "上报周期由 60 分钟改为 30 分钟", 1.5, None]],
    )  # fmt: skip
    page = text(lead.get("/district/watch/"))
    assert page.index("修复过道红外") < page.index("更换门磁电池")
    assert "约早 28 小时" in page
    assert "上报周期由 60 分钟改为 30 分钟" in page
    assert "更换门磁电池" not in text(lead.get("/district/watch/?cause=deaf"))
    made = lead.post(f"/district/watch/{second}/repair", follow=True)
    assert "已建" in text(made)
    again = lead.post(f"/district/watch/{second}/repair", follow=True)
    assert "已在处理" in text(again)
    with seen_by(EVERYWHERE):
        order = RepairOrder.objects.filter(home_id=second, cause="silent", closed_at=None).get()
    assert order.device_id == sensor.pk
    assert "修复过道红外" in order.detail
    assert order.number in text(lead.get("/district/watch/"))
    other = as_user("street1")  # 春浦街道: the second home is not hers
    assert "修复过道红外" not in text(other.get("/district/watch/"))
    assert other.post(f"/district/watch/{second}/repair").status_code == 404
    assert as_user("sysadmin1").get("/district/watch/").status_code == 403
    put(first, math.inf, "off", won=36.0, measure="consent", measure_words="请她或家属补签监测同意")
    assert f"/district/elders/{town.he_ting}/?tab=consents" in text(lead.get("/district/watch/?cause=off"))
    assert f"/district/elders/{town.he_ting}/?tab=consents" not in text(lead.get("/district/watch/")), "no repair"
    assert "没有要派的工单" in text(lead.post(f"/district/watch/{first}/repair", follow=True))


@pytest.mark.req("SEN-08")
def test_the_map_has_a_dot_for_each_home_of_the_own_subtree(town: SmallTown, as_user: As) -> None:
    assert "图上还没有住户" in text(as_user("lead1").get("/district/map/"))
    with seen_by(EVERYWHERE):
        homes = list(Home.objects.order_by("pk"))
    for n, home in enumerate(homes):
        put(home.pk, (3.0, 15.0, 30.0, math.inf)[n % 4], "deaf" if n % 4 == 3 else "rhythm")

    def dots(name: str) -> int:
        page = text(as_user(name).get("/district/map/"))
        return sum(len(re.findall(r"h\.1", d)) for d in re.findall(r'class="map__home"[^>]* d="([^"]*)"', page))

    placed = [h for h in homes if h.lon is not None]
    assert dots("lead1") == len(placed)
    with seen_by(EVERYWHERE):
        Home.objects.filter(pk=placed[0].pk).update(lon=None)
    page = text(as_user("lead1").get("/district/map/"))
    assert "1 户没有坐标" in page
    assert dots("lead1") == len(placed) - 1
    assert 0 < dots("street1") < len(placed)
    one = next(h.place for h in homes if h.lon is not None)
    assert as_user("lead1").get(f"/district/map/?place={one}").status_code == 200


@pytest.mark.req("SEN-09")
def test_the_call_list_is_worked_through_from_the_page(town: SmallTown, as_user: As) -> None:
    with seen_by(EVERYWHERE):
        now = clock.now()
        home = Home.objects.get(pk=home_of(town.he_ting))
        storm = Storm.objects.create(place=home.place, kind="cell", key="123456", since=now, opened_at=now)
        row = StormHome.objects.create(storm=storm, home=home, place=home.place, since=now, rank=-60)
    agent = as_user("agent1")
    page = text(agent.get("/district/storms/", follow=True))
    assert "123456" in page
    assert f"/district/storms/{row.pk}/dial" in page
    refused = text(agent.post(f"/district/storms/{row.pk}/dial", follow=True))
    assert any(word in refused for word in ("席位", "坐席", "话机", "正在呼叫", "上线"))
    text(agent.post(f"/district/storms/{row.pk}/called", {"result": "again"}, follow=True))
    page = text(agent.get(f"/district/storms/{storm.pk}/"))
    assert "没人接，稍后再打" in page
    assert f"/district/storms/{row.pk}/dial" in page, "she is still to be called"
    page = text(agent.post(f"/district/storms/{row.pk}/called", {"result": "well"}, follow=True))
    assert "本人接听，平安" in page
    with seen_by(EVERYWHERE):
        kept = StormHome.objects.get(pk=row.pk)
    assert kept.called_by
    assert as_user("street2").get(f"/district/storms/{storm.pk}/").status_code == 404
    assert as_user("street2").post(f"/district/storms/{row.pk}/dial").status_code in {403, 404}


@pytest.mark.req("SEN-09", "INC-02")
def test_the_case_of_a_storm_leads_to_its_call_list_and_asks_nobody_who_it_is(town: SmallTown, as_user: As) -> None:
    with seen_by(EVERYWHERE):
        now, home = clock.now(), Home.objects.get(pk=home_of(town.he_ting))
        model = Product.objects.get(code="pir-on1")
        storm = Storm.objects.create(place=home.place, kind="model", key=model.code, since=now, opened_at=now)
        StormHome.objects.create(storm=storm, home=home, place=home.place, since=now, rank=-60)
        storm.alarm = alarms.raise_or_join(
            rule=RULES["storm"], at=now, received_at=now, source="platform", place=home.place,
            where=storms.label(storm.kind, storm.key), note="区域失联 1：9 户听不到",
        )  # fmt: skip
        storm.save(update_fields=["alarm"])
        case = storm.alarm.case_id
    agent = as_user("agent1")
    page = text(agent.get(f"/desk/incident/{case}", headers={"HX-Request": "true"}))
    for said in ("多户失联", model.name, "沈玉芬", f'href="/district/storms/{storm.pk}/"'):
        assert said in page, said
    for foreign in ("未知住户", "查明是谁", "呼老人", "念给 120", model.code):
        assert foreign not in page, foreign
    read = text(agent.get(f"/district/incidents/{case}/"))
    assert f'href="/district/storms/{storm.pk}/"' in read
    assert 'data-kind="emergency"' not in read, "an outage is no person in danger"
    assert model.name in text(agent.get("/district/storms/", follow=True))


@pytest.mark.timeout(300)
@pytest.mark.req("SEN-08", "SYS-02")
def test_a_page_of_twenty_thousand_homes_costs_what_one_of_two_hundred_does(as_user: As, cost_of: Cost) -> None:
    """The value is stored: the pages sort and page in SQL, and fetch no more rows."""
    lead = as_user("lead1")
    paths = ["/district/watch/", "/district/watch/?page=3", "/district/elders/?sort=worst", "/district/storms/"]

    def open_it(path: str) -> None:
        assert lead.get(path).status_code == 200, path

    def fill(many: int, seed: int) -> None:
        dice = Random(seed)
        with seen_by(EVERYWHERE), database.quietly():
            homes = build(many, dice, places=["330199001001", "330199001002", "330199001003"])
            HomeWorst.objects.bulk_create(
                HomeWorst(
                    home=h, place=h.place, hours=dice.choice([5.0, 14.0, 30.0, math.inf]), cause="deaf", words="说明", won=dice.uniform(0, 30),
                    measure="repair", measure_words="修复", computed_at=clock.now(),
                )
                for h in homes
            )  # fmt: skip

    fill(200, 1)
    few = {path: cost_of(lambda path=path: open_it(path)) for path in paths}
    fill(10_000, 2)
    for path, (asked, rows) in {path: cost_of(lambda path=path: open_it(path)) for path in paths}.items():
        assert asked <= few[path][0], path
        assert rows <= few[path][1] + 60, path
