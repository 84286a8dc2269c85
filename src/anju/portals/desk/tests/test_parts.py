"""Small parts of the desk: a press is one act, a lost desk frees its seat, the map, the strip, the words of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client

from anju.incidents import actions as incidents
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.desk import homemap, people, presence, present
from anju.portals.desk.models import Presence, Press
from anju.portals.desk.press import forget_old, key_of, once
from anju.portals.desk.tests.conftest import District, press, session_of
from anju.signals.queries import Activity

NOW = datetime(2026, 11, 20, 1, 46, 38, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.req("INC-04")
def test_a_press_is_carried_out_once_and_a_refused_one_may_be_tried_again() -> None:
    """The key is made of the button, the version and the words; a refusal leaves no trace."""
    done: list[str] = []
    key = key_of("/desk/incident/1/note", {"text": "清醒", "version": "v1", "csrfmiddlewaretoken": "x"})
    assert key == key_of("/desk/incident/1/note", {"version": "v1", "text": "清醒", "csrfmiddlewaretoken": "y"})
    assert key != key_of("/desk/incident/1/note", {"version": "v2", "text": "清醒"})
    assert once(key, lambda: done.append("a"))
    assert not once(key, lambda: done.append("b"))

    def refuse() -> None:
        raise NotAllowed("不行")

    with pytest.raises(NotAllowed):
        once("other", refuse)
    assert once("other", lambda: done.append("c"))
    assert done == ["a", "c"]
    Press.objects.update(at=clock.now() - timedelta(days=2))
    assert forget_old() == 2


@pytest.mark.req("INC-04")
def test_a_desk_that_falls_silent_frees_its_seat_once(district: District) -> None:
    """B's computer dies: A is told and has the whole; a desk that is merely quiet for a moment keeps its seat."""
    incident = press(district.elder)
    with seen_by(EVERYWHERE):
        incidents.move(incident_id=incident.pk, move="accept", by=people.actor(district.agent))
        incidents.take_seat(incident_id=incident.pk, seat="B", by=people.actor(district.second))
    presence.seen([district.agent.pk, district.second.pk])
    assert presence.here() == {district.agent.pk, district.second.pk}
    assert presence.report_lost() == 0
    Presence.objects.filter(user=district.second).update(seen_at=clock.now() - timedelta(seconds=30))
    assert presence.report_lost() == 1
    assert presence.report_lost() == 0
    with seen_by(EVERYWHERE):
        case = Incident.objects.get(pk=incident.pk)
    assert (case.a_seat_id, case.b_seat_id) == (district.agent.pk, None)


@pytest.mark.req("SYS-01", "REG-06")
def test_every_part_is_a_page_and_asks_for_a_log_in(district: District) -> None:
    """Fragments opened by themselves are whole pages; other streets' cases do not exist; odd input is no server error."""
    incident = press(district.elder)
    client = Client()
    assert client.get("/desk/").status_code in {302, 401}
    client.cookies["sessionid"] = session_of(district.agent)
    for path in ("/desk/", "/desk/queue", "/desk/idle", f"/desk/incident/{incident.pk}", f"/desk/incident/{incident.pk}/tab/map",
                 f"/desk/incident/{incident.pk}/sheet", "/desk/help", "/desk/call"):  # fmt: skip
        page, part = client.get(path), client.get(path, headers={"HX-Request": "true"})
        assert page.status_code == part.status_code == 200, path
        assert "<!doctype html>" in page.content.decode()
        assert "演示" in page.content.decode()
        assert path == "/desk/" or "<!doctype html>" not in part.content.decode(), path
    assert client.get("/desk/incident/999999").status_code == 404
    assert client.post("/desk/attempt/999999", {"incident": "x", "result": "coming"}).status_code == 404
    assert (
        client.post(f"/desk/incident/{incident.pk}/move/no_such_move", headers={"HX-Request": "true"}).status_code
        == 200
    )
    client.cookies["sessionid"] = session_of(district.street)
    assert client.get(f"/desk/incident/{incident.pk}").status_code == 403


def test_the_map_shows_the_home_and_where_the_ambulance_enters() -> None:
    """From the vector map; without a position there is no picture."""
    gate = next(
        f for f in homemap._features() if f["properties"].get("kind") == "gate" and f["properties"].get("ambulance")
    )
    lon, lat = gate["geometry"]["coordinates"]
    drawn = homemap.draw({"lon": lon + 0.0003, "lat": lat + 0.0002, "building": "6 幢"})
    assert drawn is not None
    assert {p["label"] for p in drawn["pins"]} >= {"救护车从这里进", "6 幢"}
    assert drawn["areas"]
    assert drawn["route"].startswith("M")
    assert homemap.draw({"lon": None, "lat": None}) is None
    assert homemap.draw({"lon": 10.0, "lat": 50.0}) is None


def test_the_strip_says_only_what_was_heard() -> None:
    """Nothing heard is not "nothing happened"; figures come from the day's own signals."""
    start = clock.local(NOW).replace(hour=0, minute=0, second=0, microsecond=0)
    at = lambda h, m: start + timedelta(hours=h, minutes=m)  # noqa: E731
    events = [Activity(at(6, 10), "motion", "", 1, 1), Activity(at(7, 38), "door_open", "", 1, 2), Activity(at(9, 38), "motion", "", 1, 1),
              Activity(at(9, 42), "sos", "", 1, 3)]  # fmt: skip
    strip = present.strip(events, start, NOW, devices=2)
    assert strip["moves"] == [25.69, 40.14]
    assert strip["sos"][0]["label"] == "09:42 求助"
    assert "首次活动 06:10" in strip["sentence"]
    assert "距今 8 分" in strip["sentence"]
    assert "没有收到不等于没有活动" in present.strip([], start, NOW, devices=2)["sentence"]
    assert "看不到起居" in present.strip([], start, NOW, devices=0)["sentence"]


@pytest.mark.django_db(transaction=True)
def test_a_press_that_lost_a_lock_to_somebody_is_carried_out_once_all_the_same() -> None:
    tried: list[int] = []

    def act() -> None:
        tried.append(1)
        if len(tried) < 3:
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'two waited' USING ERRCODE = '40P01'; END $$")

    assert once("circle", act)
    assert len(tried) == 3
    assert not once("circle", act), "and only once"

    def breaks() -> None:
        tried.append(1)
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$")

    with pytest.raises(OperationalError):
        once("full", breaks)
    assert len(tried) == 4, "what waiting does not help is told at once"
