"""The open interface of the call centre: calls, recordings with their sound, figures that can be computed again."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.test import Client

from anju.accounts import actions as accounts
from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.calls.kpis import KPIS, Counts
from anju.calls.recordings import sweep
from anju.calls.recordings.tests.made import a_call, caller_leg, put, tone, wav_of
from anju.kernel import clock, trail
from anju.kernel.scope import EVERYWHERE, seen_by


@pytest.fixture
def token_of(town):
    def issue(name: str) -> Client:
        _, text = accounts.issue_token(user=User.objects.get(username=name), name="测试", by=THE_PLATFORM)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return issue


@pytest.fixture
def line(town, tmp_path, settings):
    """Three calls of an agent (the first recorded), one abandoned."""
    settings.ANJU_RECORDINGS = str(tmp_path)
    agent = User.objects.get(username="agent1")
    with seen_by(EVERYWHERE):
        made = [a_call(user_id=agent.pk, at=clock.now() - timedelta(minutes=20 + n), talk=65) for n in range(3)]
        made.append(a_call(wait=None))
        put(tmp_path, f"{caller_leg(made[0])}.wav", wav_of(tone(2)))
        sweep.sweep()
    return made


@pytest.mark.req("CALL-04", "SYS-11")
def test_calls_and_their_recordings_by_page_and_by_number(token_of, line):
    client = token_of("lead1")
    whole = [
        c for c in client.get("/api/calls?direction=in&limit=200").json()["items"] if c["queue"] == "" and not c["ref"]
    ]
    assert {c["call_id"] for c in whole} == {str(c.call_id) for c in line}
    assert {c["number_masked"] for c in whole} == {"139****1111"}
    assert next(c["result"] for c in client.get("/api/calls?direction=in&result=missed").json()["items"]) == "abandoned"
    first = client.get(f"/api/calls/{line[0].call_id}").json()
    assert (first["call"]["talk_seconds"], first["call"]["wait_seconds"], {leg["role"] for leg in first["legs"]}) == (
        65.0,
        4.0,
        {"caller", "agent"},
    )
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/calls?limit=2&cursor={cursor}").json()
        seen += [c["id"] for c in page["items"]]
        cursor = page["next"]
    assert seen == sorted(set(seen), reverse=True)
    assert client.get("/api/calls/00000000-0000-0000-0000-000000000000").status_code == 404
    assert client.get("/api/calls/nonsense").status_code == 422
    assert client.get("/api/recordings?only=nonsense").status_code == 422


@pytest.mark.req("SYS-01", "SYS-02", "CALL-04")
def test_only_those_who_may_and_only_their_places(token_of, line):
    for page in ("calls", "recordings", "kpis", f"calls/{line[0].call_id}", "recordings/1/audio?reason=x"):
        assert Client().get(f"/api/{page}").status_code == 401, page
        assert token_of("street1").get(f"/api/{page}").status_code == 403, page
    tide = User.objects.get(username="street2")
    from anju.accounts.models import Posting

    with seen_by(EVERYWHERE):
        Posting.objects.create(user=tide, role="quality", place="330199002000")
    client = token_of("street2")
    assert client.get(f"/api/calls/{line[0].call_id}").status_code == 404
    assert client.get("/api/recordings").json()["items"] == []


@pytest.mark.req("CALL-04", "SYS-03")
def test_the_sound_comes_in_ranges_with_a_reason_and_its_digest_is_right(token_of, line):
    client = token_of("lead1")
    row = client.get(f"/api/recordings?call_id={line[0].call_id}").json()["items"][0]
    address = f"/api/recordings/{row['id']}/audio"
    assert client.get(address).status_code == 409
    assert "原因" in client.get(address).json()["detail"]
    whole = client.get(address, {"reason": "监管检查"})
    assert (whole.status_code, whole["Content-Type"]) == (200, "audio/wav")
    assert hashlib.new("sm3", whole.content).hexdigest() == row["sm3"]
    parts = b""
    while len(parts) < row["bytes"]:
        part = client.get(address, {"reason": "监管检查"}, headers={"Range": f"bytes={len(parts)}-{len(parts) + 9999}"})
        assert part.status_code == 206
        parts += part.content
    assert parts == whole.content
    assert client.get(address, {"reason": "监管检查"}, headers={"Range": "bytes=999999-"}).status_code == 416
    assert client.get(address, {"reason": ""}, headers={"Range": "bytes=5-"}).status_code == 409
    assert trail.find(subject="recording", subject_id=row["id"], action="recording.listen", result="ok").count() == 1
    assert client.get("/api/recordings/999999/audio?reason=x").status_code == 404


@pytest.mark.req("CALL-09", "GOV-03")
def test_every_figure_can_be_computed_again_from_the_counts(token_of, line):
    client = token_of("bureau1")
    said = client.get("/api/kpis?by=user").json()
    values = {k["name"]: k["value"] for k in said["total"]}
    assert values["answer_rate"] == 75.0
    counts = Counts(**said["counts"])
    assert {name: k.of(counts) for name, k in KPIS.items()} == values
    agent = str(User.objects.get(username="agent1").pk)
    mine = next(row for row in said["lines"] if row["key"] == agent)
    assert (mine["values"]["answer_rate"], mine["counts"]["answered"]) == (100.0, 3)
    assert client.get("/api/kpis?by=nonsense").status_code == 422
    assert client.get("/api/kpis?by=hour&since=2026-01-01T00:00:00&until=2026-03-01T00:00:00").status_code == 422
