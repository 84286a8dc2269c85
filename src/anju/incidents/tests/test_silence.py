"""The robot's question after a silence, and late data: through the real wiring, engine and cases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from anju.alarms import actions as alarms
from anju.alarms.facts import ElderAsked, SilenceBroken, StormOver
from anju.alarms.models import HomeWatch
from anju.alarms.rules import RULES
from anju.calls.facts import KeyPressed
from anju.calls.models import Call
from anju.incidents import actions
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.facts import announce
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.notices import queries as notices


def _tell(fact: object) -> None:
    with transaction.atomic():
        announce(fact)


@pytest.fixture
def asked(story, phone):
    """A home whose soft deadline passed: the robot rings her."""
    home = story.home
    with seen_by(EVERYWHERE):
        HomeWatch.objects.update_or_create(
            home_id=home.pk,
            defaults={
                "place": home.place, "watched": True, "last_life_at": clock.now() - timedelta(hours=5), "raised": ["ask"],
                "hard_at": clock.now() + timedelta(hours=3),
            },
        )  # fmt: skip
        _tell(ElderAsked(home.pk, story.elder.pk, home.place, "安静"))
    return home


@pytest.mark.req("SEN-01", "INC-10")
def test_key_two_opens_an_emergency_at_once_and_key_one_is_a_sign_of_life(asked) -> None:
    with seen_by(EVERYWHERE):
        call = Call.objects.filter(ref=f"home:{asked.pk}").latest("pk")
        before = HomeWatch.objects.get(home_id=asked.pk)
        many = Incident.objects.count()
        _tell(KeyPressed(str(call.call_id), call.ref, call.purpose, "3"))  # no answer to what was asked
        assert HomeWatch.objects.get(home_id=asked.pk).hard_at == before.hard_at
        _tell(KeyPressed(str(call.call_id), call.ref, call.purpose, "2"))
        assert Incident.objects.count() == many + 1
        newest = Incident.objects.latest("pk")
        assert (newest.home_id, newest.state) == (asked.pk, "waiting")
        _tell(KeyPressed(str(call.call_id), call.ref, call.purpose, "1"))
        after = HomeWatch.objects.get(home_id=asked.pk)
        assert after.last_life_at == clock.now()
        assert after.last_life_what == "电话按键应答"
        assert after.raised == []


@pytest.mark.req("SEN-01", "INC-10")
@pytest.mark.parametrize("how", ["no_answer", "busy", "failed", "answered"])
def test_a_call_that_nobody_answers_or_that_a_voicemail_takes_keeps_the_hard_deadline(asked, how: str) -> None:
    with seen_by(EVERYWHERE):
        call = Call.objects.filter(ref=f"home:{asked.pk}").latest("pk")
        before = HomeWatch.objects.get(home_id=asked.pk)
        actions.on_call_ended(
            call_id=str(call.call_id), ref=call.ref, purpose=call.purpose, result=how, direction="out", seconds=12, user_id=None
        )  # fmt: skip
        after = HomeWatch.objects.get(home_id=asked.pk)
        assert (after.hard_at, after.last_life_at, after.raised) == (before.hard_at, before.last_life_at, before.raised)


@pytest.mark.req("SEN-01")
def test_late_data_end_what_nobody_took_and_a_new_movement_is_a_line_of_the_story(asked) -> None:
    with seen_by(EVERYWHERE):

        def case() -> Incident:
            alarm = alarms.raise_or_join(
                rule=RULES["inactivity"], at=clock.now() - timedelta(minutes=20), received_at=clock.now(), source="platform",
                place=asked.place, home_id=asked.pk,
            )  # fmt: skip
            return Incident.objects.get(pk=alarm.case_id)

        later = clock.now() + timedelta(hours=4)
        first = case()
        moved = SilenceBroken(asked.pk, clock.now(), later, "12:01 厨房活动")
        assert actions.silence_broken(moved) == 0
        first.refresh_from_db()
        assert first.state == "waiting"
        assert "又有动静" in first.entries.get(kind="moved").text
        late = SilenceBroken(asked.pk, clock.now() - timedelta(minutes=50), later, "11:10 厨房活动")
        assert actions.silence_broken(late) == 1
        first.refresh_from_db()
        assert (first.state, first.outcome_class) == ("closed", "late_data")


@pytest.mark.req("SEN-09")
def test_an_outage_that_is_over_says_in_its_case_what_is_left_open(asked) -> None:
    with seen_by(EVERYWHERE):
        alarm = alarms.raise_or_join(
            rule=RULES["storm"], at=clock.now(), received_at=clock.now(), source="platform", place=asked.place
        )
        case = Incident.objects.get(pk=alarm.case_id)
        assert actions.storm_over(StormOver(1, alarm.pk, homes=120, left=3))
        line = case.entries.get(kind="proposal").text
        assert "共 120 户，117 户重新听到" in line
        assert "3 户仍听不到" in line
        case.refresh_from_db()
        assert case.state == "waiting", "a person closes it"


@pytest.mark.req("SEN-05", "SEN-06", "SEN-07")
@pytest.mark.parametrize("kind", ["wander", "scene", "health"])
def test_named_contacts_are_told_at_once_of_a_fence_that_was_left_and_of_a_scene_at_home(
    story, phone, kind: str
) -> None:
    with seen_by(EVERYWHERE):
        case = story.opened(kind)
        told = notices.of(f"incident:{case.pk}")
        assert {(n.template, n.channel_label) for n in told} == {("contact_alarm", "短信"), ("contact_alarm", "应用")}
        assert len({n.whom for n in told}) >= 2
        calm = story.press("door_ajar", home_id=None)
        assert calm is None or not notices.of(f"incident:{calm.pk}")
