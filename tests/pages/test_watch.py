"""The watch over a home and an outage, as street and desk see them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from anju.alarms import sensing
from anju.alarms.models import HomeState, HomeWatch
from anju.elders import queries as elders
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from tests.pages.conftest import SmallTown

pytestmark = pytest.mark.django_db
As = Callable[[str], Client]


def text(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]


@pytest.mark.req("SEN-01", "SEN-08")
def test_a_deaf_home_is_shown_as_deaf_with_the_worst_case_and_what_would_shorten_it(
    town: SmallTown, as_user: As
) -> None:
    page = f"/district/elders/{town.he_ting}/?tab=watch"
    assert "还没有看护这一户" in text(as_user("street1").get(page))
    with seen_by(EVERYWHERE):
        elder = elders.elder(town.he_ting)
        assert elder is not None
        assert sensing.enrol(home_id=elder.home_id)
        now = clock.now()
        watch = HomeWatch.objects.get(home_id=elder.home_id)
        watch.ears = {"1": {"at": now.timestamp(), "to": now.timestamp()}}
        watch.last_life_at = watch.heard_until = watch.covered_until = now - timedelta(minutes=40)
        watch.first_at, watch.last_life_what = now - timedelta(days=20), "卫生间活动"
        watch.soft_at, watch.hard_at = now + timedelta(hours=3), now + timedelta(hours=6)
        watch.save()
    shown = text(as_user("street1").get(page))
    assert "安静" in shown
    assert "最迟约" in shown
    assert "若固定 12 小时报警" in shown
    with seen_by(EVERYWHERE):
        HomeWatch.objects.filter(pk=watch.pk).update(heard_until=now - timedelta(hours=9))
    deaf = text(as_user("street1").get(page))
    assert "听不到" in deaf
    assert "不能说她平安" in deaf
    with seen_by(EVERYWHERE):
        HomeWatch.objects.filter(pk=watch.pk).update(heard_until=clock.now())
    client = as_user("street1")
    until = clock.local(clock.now()) + timedelta(days=2)
    for never in ("", "0001-01-01T00:00", "9999-12-31T23:59"):
        said = {"kind": "hospital", "until": never}
        wrong = client.post(f"/district/elders/{town.he_ting}/state", said, follow=True)
        assert wrong.status_code == 200, never
        assert not HomeState.unscoped.exists(), never
    assert "请选结束的日期" in text(client.post(f"/district/elders/{town.he_ting}/state", {"until": ""}, follow=True))
    client.post(
        f"/district/elders/{town.he_ting}/state",
        {"kind": "hospital", "until": f"{until:%Y-%m-%dT%H:%M}", "note": "区医院"},
    )
    assert "住院" in text(client.get(page))
    with seen_by(EVERYWHERE):
        state = HomeState.objects.get()
    client.post(f"/district/elders/{town.he_ting}/state", {"end": state.pk})
    with seen_by(EVERYWHERE):
        assert HomeState.objects.get().ended_at is not None
    assert as_user("sysadmin1").post(f"/district/elders/{town.he_ting}/state", {"end": state.pk}).status_code == 403


@pytest.mark.req("SEN-08", "SEN-05", "SEN-07", "SEN-04")
def test_staff_correct_the_rhythm_as_told_by_family_and_set_the_fence(town: SmallTown, as_user: As) -> None:
    with seen_by(EVERYWHERE):
        elder = elders.elder(town.he_ting)
        assert elder is not None
        assert sensing.enrol(home_id=elder.home_id)
    client, form = as_user("street1"), f"/district/elders/{town.he_ting}/rhythm"
    nap = {
        "what": "quiet",
        "day": ["0", "1", "2", "3", "4", "5", "6"],
        "start": "13:00",
        "end": "15:00",
        "how": "family",
        "note": "女儿说她午睡",
    }
    shown = text(client.post(form, nap, follow=True))
    assert "每天 13:00–15:00 常没动静" in shown
    assert "家属告知" in shown
    assert "女儿说她午睡" in shown
    assert "还没有读数" in shown
    refusals = [
        ({**nap, "start": ""}, "请把时间和数字填完整"),
        ({**nap, "day": []}, "至少选一个"),
        ({"what": "fence", "radius": "3", "minutes": "5"}, "须在 50"),
        ({"what": "ignore", "on": "2020-01-01"}, "60 天"),
        ({"what": "limit", "measure": "pulse", "low": "40"}, "您的岗位不能"),
        ({"what": "x"}, "请选"),
    ]
    for wrong, said in refusals:
        assert said in text(client.post(form, wrong, follow=True)), wrong
    with seen_by(EVERYWHERE):
        habit = HomeWatch.objects.get(home_id=elder.home_id).habits
        assert habit == [["quiet", 127, 13.0, 15.0]]
    day = clock.today() - timedelta(days=1)
    assert f"{day:%Y-%m-%d} 不作数" in text(client.post(form, {"what": "ignore", "on": day.isoformat()}, follow=True))
    assert "500 米" in text(
        client.post(form, {"what": "fence", "radius": "500", "minutes": "30", "edge": "1"}, follow=True)
    )
    assert client.post("/district/elders/999999/rhythm", nap).status_code == 404
    assert as_user("sysadmin1").post(form, nap).status_code == 403
    assert "设本人阈值" not in shown, "limits are a doctor's"
    lead, limit = as_user("lead1"), {"what": "limit", "measure": "systolic", "high": "185", "note": "心内科医嘱"}
    assert "设本人阈值" in text(lead.get(f"/district/elders/{town.he_ting}/?tab=watch"))
    hers = text(lead.post(form, limit, follow=True))
    assert "本人阈值" in hers
    assert "–185" in hers
    usual = text(lead.post(form, {"what": "no_limit", "measure": "systolic"}, follow=True))
    assert "已改回常用阈值" in usual
    assert "改回常用</button>" not in usual
