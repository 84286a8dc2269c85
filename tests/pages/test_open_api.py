"""The open interface: the scope of a token, pages, moves and their refusals, and no answer that is a fault of ours."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, given, settings

from anju.accounts import actions as accounts
from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.portals.open_api.api import api

SCHEMA = Path(__file__).parents[1] / "contracts" / "openapi.json"
LISTS = ("incidents", "alarms", "signals", "devices", "elders")


@pytest.fixture
def token_of(town):
    """A client that speaks with the token of a user."""

    def issue(name: str) -> Client:
        _, text = accounts.issue_token(user=User.objects.get(username=name), name="测试", by=THE_PLATFORM)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return issue


def test_the_description_is_the_one_that_was_agreed():
    """After a wanted change: `ANJU_UPDATE_CONTRACTS=1 pytest tests/pages/test_open_api.py -k agreed` writes the file anew."""
    now = json.dumps(api.get_openapi_schema(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("ANJU_UPDATE_CONTRACTS"):
        SCHEMA.write_text(now)
    assert json.loads(SCHEMA.read_text()) == json.loads(now)


def test_a_body_too_large_is_refused_in_words_and_the_key_is_described_by_its_real_name(token_of, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    answer = token_of("lead1").post(
        "/api/incidents/1/moves/accept", json.dumps({"reason": "长" * 2_000}), content_type="application/json"
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")
    move = api.get_openapi_schema()["paths"]["/api/incidents/{incident_id}/moves/{move}"]["post"]
    assert "Idempotency-Key" in {p["name"] for p in move["parameters"]}


@pytest.mark.req("SYS-02")
def test_without_a_token_or_with_a_wrong_one_nothing_is_said(town, client):
    for page in (*LISTS, "ledger", "health", "incidents/1"):
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer \0"}):
            answer = client.get(f"/api/{page}", headers=headers)
            assert answer.status_code == 401, page
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "令牌" in answer.json()["detail"]
    assert client.get("/api/nothing/here").status_code == 404


@pytest.mark.req("SYS-02", "REG-13")
def test_a_token_sees_what_its_user_sees(token_of, town):
    spring, tide, system = token_of("street1"), token_of("street2"), token_of("sysadmin1")
    for page in LISTS:
        mine = spring.get(f"/api/{page}?limit=200").json()["items"]
        assert mine, page
        assert all(row["place"].startswith("330199001") for row in mine), page
        assert all(
            row["place"].startswith("330199002") for row in tide.get(f"/api/{page}?limit=200").json()["items"]
        ), page
        assert system.get(f"/api/{page}").status_code == 403
    elder = spring.get("/api/elders", {"q": "沈玉芬"}).json()["items"][0]
    assert "*" in elder["phone"]
    assert "*" in elder["id_number"]
    assert tide.get("/api/elders", {"q": "沈玉芬"}).json()["items"] == []
    case = next(
        i for i in token_of("lead1").get("/api/incidents").json()["items"] if i["place"].startswith("330199001")
    )["id"]
    assert tide.get(f"/api/incidents/{case}").status_code == 404
    assert spring.get(f"/api/incidents/{case}").json()["timeline"]
    assert token_of("lead1").get("/api/ledger").json()["balances"] is True
    assert spring.get("/api/ledger").status_code == 403
    assert spring.get("/api/health").json()["router_lag_seconds"] == 0


@pytest.mark.parametrize("name", LISTS)
def test_pages_go_through_every_row_once(token_of, name):
    client = token_of("lead1")
    whole = [row["id"] for row in client.get(f"/api/{name}?limit=200").json()["items"]]
    seen, cursor = [], ""
    while cursor is not None and len(seen) < 25:
        page = client.get(f"/api/{name}?limit=3&cursor={cursor}").json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"]
    assert seen == whole[: len(seen)]
    assert client.get(f"/api/{name}?cursor=bm90IG91cnM").status_code == 400
    assert client.get(f"/api/{name}?limit=0").status_code == 422
    assert client.get(f"/api/{name}?limit=1000").status_code == 422


@pytest.mark.parametrize("name", LISTS)
def test_a_long_page_asks_no_more_often_than_a_short_one(token_of, queries_of, name):
    client = token_of("lead1")
    client.get(f"/api/{name}?limit=100")  # names of places are kept for a minute
    short = queries_of(lambda: client.get(f"/api/{name}?limit=1"))
    long = queries_of(lambda: client.get(f"/api/{name}?limit=100"))
    assert long <= short + 1, (name, short, long)


@pytest.mark.req("INC-03")
def test_a_move_is_made_once_and_refused_in_words(token_of, town):
    from anju.alarms import actions as alarms
    from anju.alarms.rules import RULES
    from anju.devices import queries as devices
    from anju.kernel import clock
    from anju.kernel.scope import EVERYWHERE, seen_by

    with seen_by(EVERYWHERE):
        button = next(d.device for d in devices.health() if d.device.kind == "sos")
        case = alarms.raise_or_join(
            rule=RULES["sos"], at=clock.now(), received_at=clock.now(), source="ctwing", place=button.place, home_id=button.home_id,
            device_id=button.id,
        ).case_id  # fmt: skip
    agent = token_of("agent1")
    body = {"reason": "", "data": {}, "idempotency_key": "k-1"}

    def make(client: Client, move: str, data: dict[str, object] | None = None):
        return client.post(
            f"/api/incidents/{case}/moves/{move}", json.dumps(data or body), content_type="application/json"
        )

    assert "accept" in {m["name"] for m in agent.get(f"/api/incidents/{case}").json()["moves"]}
    first, again = make(agent, "accept"), make(agent, "accept")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["incident"]["state"] == "verifying"
    assert sum("接警" in e["text"] for e in again.json()["timeline"]) == sum(
        "接警" in e["text"] for e in first.json()["timeline"]
    )
    other_use = make(agent, "safe")
    assert other_use.status_code == 409
    assert "幂等键" in other_use.json()["detail"]
    refused = make(agent, "to_hospital", {"data": {}})
    assert refused.status_code == 409
    assert refused.json()["detail"]
    assert make(agent, "false_alarm", {"data": {"class": "nonsense"}}).status_code == 409
    assert make(agent, "helper_going", {"data": {"eta_minutes": "soon"}}).status_code == 409
    assert make(agent, "safe", {"reason": "\0"}).status_code == 409
    assert make(token_of("street1"), "safe").status_code == 403
    closed = make(agent, "false_alarm", {"data": {"class": "mis_press"}, "reason": "碰到了"})
    assert closed.json()["incident"]["state"] == "closed"
    assert make(agent, "accept", {"data": {}}).status_code == 409


schema = schemathesis.openapi.from_dict(api.get_openapi_schema())


@pytest.fixture
def lead_token(town) -> str:
    """The token under which the interface is fuzzed."""
    return accounts.issue_token(user=User.objects.get(username="lead1"), name="测试", by=THE_PLATFORM)[1]


@pytest.mark.req("SYS-04")
@pytest.mark.timeout(240)
def test_whatever_is_sent_the_fault_is_never_ours(lead_token):
    """Schemathesis sends what the description allows and what it does not; every answer is 2xx or a 4xx."""
    client = Client(headers={"Authorization": f"Bearer {lead_token}"}, raise_request_exception=False)
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=12, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def once(case):
            nonlocal tried
            tried += 1
            answer = _send(client, case)
            assert answer.status_code < 500, (case.method, case.formatted_path, case.query, case.body)

        once()
    assert tried > 80


def _send(client, case):
    from urllib.parse import quote, urlencode

    path = case.formatted_path
    query = urlencode(dict(case.query or {}), doseq=True, errors="replace")
    address = quote(path, safe="/%") + (f"?{query}" if query else "")
    headers = {
        k: str(v) for k, v in (case.headers or {}).items() if k.lower() != "authorization" and str(v).isprintable()
    }
    body = case.body if not _unset(case.body) else {}
    if case.method.upper() == "POST":
        return client.post(address, json.dumps(body, default=str), content_type="application/json", headers=headers)
    return client.get(address, headers=headers)


def _unset(value) -> bool:
    return type(value).__name__ == "NotSet"


@pytest.mark.parametrize(
    "address",
    [
        "incidents?cursor=%00", "incidents?state=%00", "incidents?number=%00", "incidents/0", "incidents/-1", "incidents/9223372036854775808",
        "signals?since=9999-12-31T23:59:59-14:00", "signals?since=0001-01-01", "signals?kind=' or 1=1", "elders?q=%00", "elders?place=1",
        "devices?place=000000000000", "elders?place=00913507765406",
        "elders?cursor=djE6OTIyMzM3MjAzNjg1NDc3NTgwNw", "devices?home_id=9223372036854775807", "ledger?since=2026-01-01T00:00:00Z&step=minute",
        "ledger?step=week", "alarms?technical=perhaps", "incidents?priority=10", "signals?cursor=djE6OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    ],
)  # fmt: skip
def test_odd_values_get_an_answer_that_says_so(token_of, address):
    answer = token_of("lead1").get(f"/api/{address}")
    assert answer.status_code in {200, 400, 404, 422}
    if answer.status_code != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]


@pytest.mark.req("SEN-04")
def test_a_utility_delivers_its_file_and_every_row_is_answered(token_of):
    lead = token_of("lead1")
    told = "meter,kind,at,total\nWM-404,water,2026-11-20T08:00,3\nWM-405,water,gestern,3\n"
    answer = lead.post("/api/meters", told, content_type="text/csv")
    assert answer.status_code == 200
    assert (answer.json()["taken"], [r["line"] for r in answer.json()["refused"]]) == (0, [2, 3])
    assert "没有登记" in answer.json()["refused"][0]["why"] or "早于" in answer.json()["refused"][0]["why"]
    assert lead.post("/api/meters", "[}", content_type="application/json").status_code == 422
    assert token_of("street1").post("/api/meters", told, content_type="text/csv").status_code == 403
