"""A fresh demo looks like a living centre: somebody on duty round the clock, shifts handed over, calls that can be heard."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from anju.accounts.models import User
from anju.alarms import sensing
from anju.alarms.models import HomeWatch
from anju.calls import actions as calls
from anju.calls import queries as seats
from anju.calls.actions.past import PastCall, put_past
from anju.calls.campaigns.models import Campaign
from anju.calls.levels.models import Proposal
from anju.calls.planned.models import PlannedCall
from anju.calls.queries import listing
from anju.calls.recordings import actions as recordings
from anju.incidents.models import Incident
from anju.kernel import audit, clock, hooks
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.staff import queries
from anju.town import babble, land
from anju.town.demo import calls as demo_calls
from anju.town.demo import outbound, roster, silences
from tests.pages.conftest import SmallTown

pytestmark = pytest.mark.django_db
As = Callable[[str], Client]


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.req("EXT-01", "CALL-05")
def test_the_demo_is_on_duty_round_the_clock_and_one_gap_can_be_seen(town: object, as_user: As) -> None:
    """Every shift of a fortnight covers every type of alarm but one, whose agent is ill; three hand-overs are signed."""
    hooks.provide("skills", seats.skills)
    with seen_by(EVERYWHERE):
        assert roster.make() > 90
        assert roster.make() == 0, "done twice it changes nothing"
        shifts = queries.coverage(place=land.DISTRICT, many=15)
        gaps = [s for s in shifts if s.gap]
        missing = roster._monday() + timedelta(days=roster.ILL[0])
        assert {s.start for s in gaps} <= {missing}
        assert all(s.planned for s in shifts)
        assert len(queries.skills_kept()) == 4
        sheets = queries.hand_overs()
        assert [s.state for s in sheets] == ["taken"] * 3
        assert all(s.from_lead_id != s.to_lead_id for s in sheets)
    page = text(as_user("lead1").get("/district/roster/"))
    assert "每类报警有没有人" in page
    assert "火灾燃气处置" in page
    assert "现在" in page
    assert "已接班" in text(as_user("lead1").get("/district/handover/"))


@pytest.mark.req("CALL-04")
def test_a_call_of_the_demo_can_be_heard_and_is_sealed_like_every_other(
    town: object, as_user: As, settings: Any, tmp_path: Path
) -> None:
    settings.ANJU_RECORDINGS = str(tmp_path)
    now, agent = clock.now() - timedelta(hours=3), User.objects.get(username="agent1")
    with seen_by(EVERYWHERE):
        calls.ensure_queues()
        put_past(
            PastCall(
                at=now + timedelta(minutes=n), ended_at=now + timedelta(minutes=n, seconds=30), place=land.DISTRICT, number="13900000001",
                answered_at=now + timedelta(minutes=n, seconds=5) if n else None, user_id=agent.pk, seat=agent.seat_number,
                result="answered" if n else "abandoned",
            )
            for n in (2, 0, 1)
        )  # fmt: skip
        rows = listing.listed(limit=3)
        assert [r.arrived_at for r in rows] == sorted((r.arrived_at for r in rows), reverse=True)
        assert demo_calls._recordings() == 2
        assert demo_calls._recordings() == 0, "one for each call"
        assert recordings.put_past(call_id=rows[2].call_id, sound=babble.conversation(2, 1)) is not None
    assert not list(tmp_path.glob("*.wav")), "no plain sound is left behind"
    judge = as_user("quality1")
    shown = text(judge.get(f"/district/calls/{rows[0].call_id}/"))
    assert ("听录音要写明原因" in shown, "列入质检" in shown) == (True, True), "what can be heard can be audited"
    picked = judge.post(f"/district/calls/{rows[0].call_id}/audit", {"note": "抽查"}, follow=True)
    assert "已列入质检" in text(picked)
    assert "列入质检</button>" not in text(judge.get(f"/district/calls/{rows[2].call_id}/")), "nobody took that one"


def test_the_voices_of_the_demo_last_as_long_as_their_call_and_are_loud_enough() -> None:
    with wave.open(io.BytesIO(babble.conversation(12.5, 3))) as sound:
        assert sound.getnframes() == round(12.5 * babble.RATE)
        loud = max(abs(int.from_bytes(sound.readframes(1), "little", signed=True)) for _ in range(8000))
    assert 1500 < loud < 32000
    assert babble.conversation(3, 3) == babble.conversation(3, 3)


@pytest.mark.req("CALL-10")
def test_moves_of_the_past_are_history_and_move_nobody(town: object) -> None:
    calls.ensure_queues()
    users = {u.username: u for u in User.objects.filter(username__in=demo_calls.SEATED)}
    demo_calls._moves(users, clock.now())
    assert sorted(Proposal.objects.values_list("state", flat=True)) == ["declined", "taken"]
    assert Proposal.objects.first().to_queue_name == "服务"  # type: ignore[union-attr]


@pytest.mark.req("CALL-08")
def test_the_demo_has_plans_with_a_past_and_rings_nobody_today(town: object, as_user: As) -> None:
    noon = clock.local(clock.now()).replace(hour=12, minute=0)
    with seen_by(EVERYWHERE), clock.pretend(noon):
        known = demo_calls.callers()
        made = outbound.make(known * 30, noon)
        assert made > 20
        results = set(PlannedCall.objects.exclude(on=None).values_list("result", flat=True))
        assert {"well", "reached", "missed", "skipped"} <= results
        assert not PlannedCall.objects.filter(state="waiting", on__lte=clock.today()).exists(), "tomorrow or later"
        assert PlannedCall.objects.filter(ref="demo:care", way="agent").count() == 1
        assert sorted(Campaign.objects.values_list("state", flat=True)) == ["done", "draft"]
    page = text(as_user("lead1").get("/district/campaigns/"))
    assert "秋季免费体检" in page
    assert "冬季取暖安全提醒" in page


@pytest.mark.req("SEN-01")
def test_the_silences_of_the_demo_are_settled_at_their_own_time_before_it_begins(town: SmallTown) -> None:
    now = clock.now()
    with seen_by(EVERYWHERE), audit.acting("演示数据"):
        sensing.enrol_all()
        asked, missed = HomeWatch.objects.filter(watched=True, last_life_at__isnull=False).order_by("home_id")[:2]
        for row, raised in ((asked, []), (missed, ["ask"])):
            row.last_life_at, row.soft_at, row.hard_at = (now - timedelta(hours=h) for h in (20, 8, 7))
            row.look_at, row.covered_until, row.heard_until, row.raised, row.mode = row.soft_at, now, now, raised, 0
            row.ears = {k: ear | {"at": now.timestamp(), "to": now.timestamp()} for k, ear in row.ears.items()}
            row.save()
        assert silences.make(town.seeds, now) >= 1
        assert sensing.next_due(now - silences.LEAVE) is None, "the first sweep meets nothing old"
        asked.refresh_from_db()
        assert asked.last_life_at > now - timedelta(hours=8), "she pressed a key when the robot asked"
        assert not Incident.objects.filter(home_id=asked.home_id, kind__in=["inactivity", "not_back"]).exists()
        case = Incident.objects.get(home_id=missed.home_id, kind="inactivity")
        assert case.state in {"follow_up", "closed"}
        assert abs(case.opened_at - (now - timedelta(hours=7))) < timedelta(minutes=1), "at its own time"
        assert case.accepted_at - case.opened_at < timedelta(seconds=15)
