"""The auditor finds open work that nobody watches, pages, and keeps quiet towards the outside."""

from __future__ import annotations

import http.server
import threading
from datetime import timedelta

import pytest
from django.test import Client

from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.alarms import actions as alarms
from anju.alarms.rules import RULES
from anju.config import auditor, health, worker
from anju.elders.tests.factories import ElderFactory, complete
from anju.incidents.models import Incident
from anju.kernel import clock, hooks
from anju.kernel.models import Due
from anju.notices import actions as notices
from anju.notices.actions import To
from anju.notices.models import Notice
from anju.places.tests.factories import LOTUS, make_district


@pytest.fixture
def stage(db, everywhere, let_pass, settings, tmp_path):
    settings.ANJU_HOME = tmp_path
    make_district()
    make_user(Role.LEAD)
    now = clock.now()
    home = complete(ElderFactory()).home
    alarms.raise_or_join(
        rule=RULES["sos"], at=now, received_at=now, source="manual", place=LOTUS, home_id=home.pk, lco="011"
    )
    return let_pass


@pytest.fixture
def guard(settings):
    """An outside service that counts heartbeats."""
    heard = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.ANJU_DEADMAN_URL = f"http://127.0.0.1:{server.server_port}/beat"
    yield heard
    server.shutdown()
    server.server_close()


@pytest.mark.req("SYS-12", "INC-02")
def test_all_is_well_so_the_heartbeat_goes_out_and_when_a_deadline_is_lost_it_stops_and_leads_are_paged(stage, guard):
    verdict = auditor.round_()
    assert verdict.faults == ()
    assert verdict.open >= 1
    assert guard == ["/beat"]
    assert auditor.deadman()["last_ok"]
    Due.objects.filter(flow="incident").delete()  # what must never happen
    verdict = auditor.round_()
    assert verdict.without_deadline == 1
    assert any("没有时限在走" in fault for fault in verdict.faults)
    assert guard == ["/beat"]
    assert Notice.objects.filter(template="page_trouble", channel="platform").count() == 1
    auditor.round_()
    assert Notice.objects.filter(template="page_trouble", channel="platform").count() == 1  # once an hour
    states = {c.name: c.state for c in health.checks()}
    assert states["auditor"] == "warn"


@pytest.mark.req("SYS-12")
def test_a_deadline_that_is_a_minute_late_is_a_fault_and_one_that_is_young_is_none(stage, guard):
    past = clock.now() - timedelta(seconds=59)
    Due.objects.filter(flow="incident").update(at=past, fire_at=past)
    assert auditor.audit_once().faults == ()
    Due.objects.filter(flow="incident").update(at=past - timedelta(seconds=2), fire_at=past - timedelta(seconds=2))
    verdict = auditor.audit_once()
    assert verdict.overdue == 1
    assert "过了 1 分钟" in verdict.faults[0]


@pytest.mark.req("SYS-12")
def test_an_alarm_without_a_case_is_a_fault(stage):
    from anju.alarms.models import Alarm

    Alarm.objects.update(case_id=None, raised_at=clock.now() - timedelta(minutes=2))
    assert any("没有人受理" in fault for fault in auditor.audit_once().faults)


@pytest.mark.req("SYS-12")
def test_the_health_page_says_what_is_not_configured_and_what_to_do(stage, settings):
    settings.ANJU_DEADMAN_URL = ""
    found = {c.name: c for c in health.checks()}
    for name in (
        "database",
        "router",
        "ticker",
        "worker",
        "deadlines",
        "spool",
        "deadman",
        "disk",
        "telephone",
        "sms",
        "leads",
    ):
        assert name in found, name
    assert found["database"].state == "ok"
    assert found["ticker"].state == "deaf"  # nobody beats in a test, and that is not called healthy
    assert found["deadman"].state == "warn"
    assert "ANJU_DEADMAN_URL" in found["deadman"].what_to_do
    assert all(c.what_to_do for c in found.values() if c.state != "ok")
    answer = hooks.ask("health")
    assert answer["deadman"]["configured"] is False
    assert {"checks", "processes", "lag", "auditor", "sources"} <= set(answer)
    assert answer["spool"] == {"files": 0}


def test_a_heartbeat_that_does_not_get_through_is_told(stage, settings):
    settings.ANJU_DEADMAN_URL = "http://127.0.0.1:9/none"
    assert auditor.beat() is False
    assert "没有送到" in auditor.deadman()["error"]
    assert {c.name: c.state for c in health.checks()}["deadman"] == "warn"


def test_housekeeping_sends_what_is_due_and_revives_jobs_of_dead_workers(stage):
    from django.db import connection

    from anju.notices import jobs

    jobs.deliver.defer(notice_id=0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'notices.deliver'")
    assert worker.revive() >= 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs WHERE task_name = 'notices.deliver'")
        assert cursor.fetchall() == [("todo",)]
    worker.tidy()


@pytest.mark.req("SYS-10")
def test_a_receipt_comes_in_by_its_token_alone(stage):
    from anju.notices import drivers

    class Box:
        name, dedupes = "box", True

        def send(self, letter):
            self.letter = letter

    box = Box()
    drivers.use("sms", box)
    try:
        notice = notices.send(
            to=To("顾敏", number="13800002046"),
            template="page_trouble",
            data={"text": "试"},
            channel="sms",
            key="k",
            place=LOTUS,
        )
        notices.deliver(notice_id=notice.pk)
        client = Client()
        post = {"content_type": "application/json"}
        assert client.post(box.letter.receipt, '{"status": "delivered"}', **post).status_code == 204
        assert Notice.objects.get(pk=notice.pk).state == "delivered"
        assert client.post("/receipts/guess", '{"status": "read"}', **post).status_code == 404
        assert client.post(box.letter.receipt, "{", **post).status_code == 400
        assert client.post(box.letter.receipt, '{"status": "x"}', **post).status_code == 400
        assert client.get(box.letter.receipt).status_code == 405
    finally:
        drivers.use("sms", None)
    assert Incident.objects.count() == 1
