"""Calls, recordings, figures, audits and complaints on the district's pages."""

from __future__ import annotations

import io
import struct
import wave
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from anju.accounts.models import Posting, User
from anju.accounts.roles import Role
from anju.calls.recordings import sweep, taking
from anju.calls.recordings.models import Gap, Recording
from anju.calls.recordings.tests.made import a_call, caller_leg, put, tone, wav_of
from anju.kernel import clock, trail
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.supervision.forms import STANDARD
from anju.supervision.models import Complaint, Review

OPEN = {
    "lead1": {"calls/", "kpis/", "levels/", "quality/", "complaints/", "recordings/"},
    "agent1": {"calls/", "quality/", "complaints/"},
    "bureau1": {"calls/", "kpis/", "quality/", "complaints/"},
    "street1": set(),
    "sysadmin1": set(),
}
PAGES = ("calls/", "kpis/", "levels/", "quality/", "complaints/", "recordings/")
FULL = {f"item-{i['code']}": str(i["points"]) for i in STANDARD if not i.get("fatal")}


@pytest.fixture
def line(town, tmp_path, settings):
    """Two calls of agent1 with recordings, one abandoned, one answered without a recording."""
    settings.ANJU_RECORDINGS = str(tmp_path)
    agent = User.objects.get(username="agent1")
    with seen_by(EVERYWHERE):
        place = town.seeds[0].place
        first = a_call(user_id=agent.pk, place=place, talk=65)
        second = a_call(user_id=agent.pk, place=place, emergency=True, at=clock.now() - timedelta(minutes=40))
        a_call(wait=None, place=place)
        bare = a_call(user_id=agent.pk, place=place, at=clock.now() - timedelta(minutes=60))
        for call in (first, second):
            put(tmp_path, f"{caller_leg(call)}.wav", wav_of(tone(2)))
        taking.take_ready()
        Recording.objects.update(seconds=65)  # two seconds of sound for the whole call
        sweep.sweep()
    return first, second, bare


@pytest.mark.req("CALL-04", "CALL-06", "CALL-09", "SYS-01")
@pytest.mark.parametrize("name", OPEN)
def test_each_role_opens_its_pages(as_user, name):
    client = as_user(name)
    for page in PAGES:
        answer = client.get(f"/district/{page}")
        assert answer.status_code == (200 if page in OPEN[name] else 403), page
    if name == "lead1":
        for page in (
            "calls/?day=2000-01-01",
            "kpis/?day=2000-01-01",
            "levels/",
            "quality/",
            "complaints/",
            "recordings/",
        ):
            assert 'class="empty"' in client.get(f"/district/{page}").content.decode(), f"{page} has an empty state"


@pytest.mark.req("CALL-04")
def test_a_recording_is_heard_for_a_reason_in_parts_and_leaves_a_trace(as_user, line):
    lead, first = as_user("lead1"), line[0]
    listed = lead.get("/district/calls/").content.decode()
    assert "139****1111" in listed
    assert "13900001111" not in listed
    page = lead.get(f"/district/calls/{first.call_id}/").content.decode()
    assert "<audio" not in page
    with seen_by(EVERYWHERE):
        row = Recording.objects.get(call=first)
    address = f"/district/recordings/{row.pk}/"
    assert lead.get(address + "audio").status_code == 404
    assert "请先选择或填写" in lead.post(address + "listen", {"reason": ""}, follow=True).content.decode()
    assert "<audio" in lead.post(address + "listen", {"reason": "质检抽查"}, follow=True).content.decode()
    whole = lead.get(address + "audio")
    assert (whole.status_code, whole["Content-Type"], whole["Accept-Ranges"]) == (200, "audio/wav", "bytes")
    assert whole.content == wav_of(tone(2))
    part = lead.get(address + "audio", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part["Content-Range"], part.content) == (
        206,
        "bytes 100-199/32044",
        whole.content[100:200],
    )
    assert lead.get(address + "audio", headers={"Range": "bytes=99999-"}).status_code == 416
    seen = trail.find(subject="recording", subject_id=row.pk, action="recording.listen").first()
    assert (seen.actor, seen.reason, seen.result) == ("林佳", "质检抽查", "ok")
    other = as_user("bureau1")
    assert other.get(address + "audio").status_code == 404, "a ticket is one person's"


@pytest.mark.req("CALL-04", "SYS-04")
def test_a_downloaded_file_says_who_took_it_and_still_plays(as_user, line):
    with seen_by(EVERYWHERE):
        row = Recording.objects.get(call=line[0])
    lead, address = as_user("lead1"), f"/district/recordings/{row.pk}/download"
    assert as_user("agent1").post(address, {"reason": "培训"}).status_code == 403
    answer = lead.post(address, {"reason": "投诉核实"})
    assert answer["Content-Disposition"] == f'attachment; filename="anju-{row.pk}-mixed.wav"'
    data = answer.content
    assert "林佳" in data.decode("utf-8", "ignore")
    assert row.digest in data.decode("utf-8", "ignore")
    assert struct.unpack("<I", data[4:8])[0] + 8 == len(data)
    with wave.open(io.BytesIO(data)) as file:
        assert file.readframes(file.getnframes()) == tone(2)
    assert trail.find(subject="recording", subject_id=row.pk, action="recording.download").count() == 1


@pytest.mark.req("CALL-04", "SYS-01")
def test_agents_hear_their_own_calls_and_streets_none(as_user, line):
    with seen_by(EVERYWHERE):
        row = Recording.objects.get(call=line[0])
    mine, other = as_user("agent1"), as_user("agent2")
    assert mine.get(f"/district/calls/{line[0].call_id}/").status_code == 200
    assert other.get(f"/district/calls/{line[0].call_id}/").status_code == 404
    assert str(line[0].call_id) not in other.get("/district/calls/").content.decode()
    assert (
        "<audio" in mine.post(f"/district/recordings/{row.pk}/listen", {"reason": "培训"}, follow=True).content.decode()
    )
    refused = other.post(f"/district/recordings/{row.pk}/listen", {"reason": "好奇"}, follow=True)
    assert "<audio" not in refused.content.decode()
    assert trail.find(subject="recording", subject_id=row.pk, result="denied").exists()
    assert as_user("street1").post(f"/district/recordings/{row.pk}/listen", {"reason": "好奇"}).status_code == 403
    assert mine.get("/district/calls/not-a-number/").status_code == 404


@pytest.mark.req("CALL-04")
def test_a_missing_recording_is_shown_until_somebody_says_why(as_user, line):
    lead = as_user("lead1")
    with seen_by(EVERYWHERE):
        gap = Gap.objects.get(call=line[2])
    assert "没有找到录音" in lead.get(f"/district/calls/{line[2].call_id}/").content.decode()
    assert str(line[2].call_id) in lead.get("/district/calls/?gap=1").content.decode()
    assert str(line[2].call_id) in lead.get("/district/recordings/").content.decode()
    lead.post(f"/district/recordings/do/gap/{gap.pk}", {"reason": "引擎重启，已电话复核"})
    assert "每一通接通的电话都有完整的录音" in lead.get("/district/recordings/").content.decode()


@pytest.mark.req("CALL-04")
def test_a_file_that_rots_under_the_player_is_said_so(as_user, line, tmp_path):
    lead = as_user("lead1")
    with seen_by(EVERYWHERE):
        row = Recording.objects.get(call=line[0])
    lead.post(f"/district/recordings/{row.pk}/listen", {"reason": "培训"})
    path = tmp_path / "kept" / row.file
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    answer = lead.get(f"/district/recordings/{row.pk}/audio")
    assert (answer.status_code, "读不出来" in answer.content.decode()) == (409, True)


@pytest.mark.req("CALL-09")
def test_the_report_counts_by_every_group_and_its_workbook_can_be_computed_again(as_user, line):
    lead = as_user("lead1")
    page = lead.get("/district/kpis/").content.decode()
    for words in ("呼入接通率", "75.0", "15 秒服务水平", "未达标", "kchart__line", "坐席接通的呼入电话"):
        assert words in page, words
    for by in ("day", "hour", "week", "month", "hour_of_day", "user", "seat", "group", "queue"):
        answer = lead.get("/district/kpis/", {"by": by, "days": 30})
        assert answer.status_code == 200, by
    assert "周晓岚" in lead.get("/district/kpis/?by=user").content.decode()
    answer = lead.get("/district/kpis/?by=user&export=xlsx")
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["指标", "计数", "口径"]
    rows = {row[0]: row for row in book["指标"].iter_rows(values_only=True)}
    head = rows["按工号"]
    assert rows["合计"][head.index("呼入接通率（%）")] == 75.0
    counts = {row[0]: row for row in book["计数"].iter_rows(values_only=True)}
    assert counts["合计"][counts["按工号"].index("offered")] == 4
    quiet = lead.get("/district/kpis/?day=2020-01-01&days=1").content.decode()
    assert "这段时间没有通话" in quiet


@pytest.mark.req("CALL-06")
def test_a_call_is_audited_on_the_page_and_the_agent_appeals(as_user, line):
    lead, agent, first = as_user("lead1"), as_user("agent1"), line[0]
    answer = lead.post(f"/district/calls/{first.call_id}/audit", {"note": "不定期抽查"}, follow=True)
    assert "提交评分" in answer.content.decode()
    with seen_by(EVERYWHERE):
        review = Review.objects.get()
    address = f"/district/quality/{review.pk}/"
    assert agent.get(address).status_code == 404
    missing = lead.post(address + "score", FULL | {"item-closing": ""}, follow=True).content.decode()
    assert "还有 1 项没评：结束语" in missing
    lead.post(address + "score", FULL | {"item-closing": "5", "note": "道别太快"})
    assert "95" in agent.get("/district/quality/").content.decode()
    seen = agent.get(address).content.decode()
    assert "道别太快" in seen
    assert '<fieldset class="kform" disabled>' in seen
    agent.post(address + "appeal", {"note": "对方先挂的"})
    assert "原评分人以外" in lead.post(address + "uphold", {"note": "不改"}, follow=True).content.decode()
    other = User.objects.create(username="quality9", name="汪敏", is_demo=True, password_changed_at=clock.now())
    with seen_by(EVERYWHERE):
        Posting.objects.create(user=other, role=Role.QUALITY, place="330199000000")
    quality = as_user("quality9")
    quality.post(address + "correct", FULL | {"item-closing": "na", "note": "录音属实"})
    with seen_by(EVERYWHERE):
        review.refresh_from_db()
    assert (review.state, review.score, review.first_score) == ("closed", 100.0, 95.0)
    assert "各坐席" in quality.get("/district/quality/").content.decode()


@pytest.mark.req("CMP-01", "CALL-09")
def test_a_complaint_goes_its_way_on_the_page(as_user, line):
    agent, lead = as_user("agent1"), as_user("lead1")
    page = agent.get(f"/district/complaints/?call={line[0].call_id}").content.decode()
    assert "与这通电话相连" in page
    agent.post(
        "/district/complaints/new",
        {"source": "phone", "about": "agent", "content": "不耐烦", "call_id": str(line[0].call_id)},
    )
    with seen_by(EVERYWHERE):
        row = Complaint.objects.get()
    address = f"/district/complaints/{row.pk}/"
    agent.post(address + "formal", {"note": "道歉后仍不接受"})
    assert "双方" in lead.post(address + "answer", {"note": "已答复", "valid": "1"}, follow=True).content.decode()
    lead.post(address + "heard_client", {"note": "说坐席语气急"})
    lead.post(address + "heard_other", {"note": "听了录音"})
    lead.post(address + "answer", {"note": "致歉并培训", "valid": "1"})
    assert "致歉并培训" in agent.get(address).content.decode()
    assert "33.3" in lead.get("/district/kpis/?days=2").content.decode(), (
        "one complaint of three calls that were served"
    )


@pytest.mark.req("CALL-10")
def test_the_lead_sets_a_level(as_user, line):
    from anju.calls import actions

    with seen_by(EVERYWHERE):
        actions.ensure_queues()
    lead = as_user("lead1")
    values = {
        "within_seconds": "20",
        "target_percent": "85",
        "window_minutes": "15",
        "longest_wait_seconds": "45",
        "seats_kept": "1",
        "automatic": "1",
    }
    assert "已保存" in lead.post("/district/levels/rule/service", values, follow=True).content.decode()
    assert (
        "超出范围"
        in lead.post("/district/levels/rule/service", values | {"target_percent": "x"}, follow=True).content.decode()
    )
    assert 'value="85"' in lead.get("/district/levels/").content.decode()
    assert as_user("agent1").post("/district/levels/rule/service", values).status_code == 403
