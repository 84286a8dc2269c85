"""The queue keeps rows between two looks. What it shows is always what a first look would show, and to whom it may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anju.accounts.models import User
from anju.elders.tests.factories import ElderFactory
from anju.incidents import actions, queries, waiting
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.scope import Scope, seen_by

pytestmark = pytest.mark.req("INC-04")

OFFICE = ["street"]


def first_look(roles, user_id=None):
    """The queue as somebody sees it who is the first to look."""
    waiting._rows.clear()
    return queries.queue(roles, user_id)


def as_everybody_sees_it(story):
    """Kept and fresh rows for each kind of reader; asking the kept ones first, as desks do."""
    readers = [
        (story.agent.roles, story.agent.user_id), (story.mate.roles, story.mate.user_id), (story.lead.roles, None),
        (OFFICE, None),
    ]  # fmt: skip
    kept = [queries.queue(*reader) for reader in readers]
    return kept, [first_look(*reader) for reader in readers]


def test_after_every_step_a_kept_row_is_what_a_first_look_gives(story):
    """Presses, seats, bells, the clock, a new name: each changes the row of everybody who sees it, at once."""
    story.opened("inactivity")
    steps = [
        lambda: story.press("inactivity"),
        lambda: story.press("sos"),  # raises the priority
        lambda: story.let_pass(seconds=16),  # nobody took it
        lambda: story.do("accept"),
        lambda: actions.ask_b(incident_id=story.it.pk, by=story.agent),
        lambda: actions.take_seat(incident_id=story.it.pk, seat="B", by=story.mate),
        lambda: story.press("sos"),  # a bell rings for those who sit on it
        lambda: actions.leave_seat(incident_id=story.it.pk, by=story.agent),
        lambda: User.objects.filter(pk=story.mate.user_id).update(name="改名后"),
        lambda: story.do("call_120", by=story.mate, note="老人要求", sent=True),
        lambda: Incident.objects.filter(pk=story.it.pk).update(place="330199001003"),
    ]
    before = None
    for nth, step in enumerate(steps):
        step()
        kept, fresh = as_everybody_sees_it(story)
        assert kept == fresh, nth
        assert kept != before, f"step {nth} shows nowhere"
        whole = queries.case(story.it.pk, story.agent.roles, story.agent.user_id)
        row, head = kept[0][0], whole.incident
        assert (row.due_total, row.due_label, row.due_at) == (whole.due_total, whole.due_label, whole.due_at)
        for name in (
            "number",
            "priority",
            "state",
            "kind_label",
            "elder_name",
            "sex",
            "age",
            "where",
            "a_seat",
            "b_seat",
        ):
            assert getattr(row, name) == getattr(head, name), name
        before = kept


def test_a_plan_that_is_frozen_anew_shows_at_once(story):
    """An unknown caller becomes known: the fingerprint of the stored plan tells it, whoever wrote it."""
    story.opened()
    assert queries.queue(story.agent.roles)[0].elder_name == "沈玉芬"
    case = story.fresh()
    case.plan = case.plan | {"elder": {**case.plan["elder"], "name": "周阿根"}}
    case.save(update_fields=["plan"])
    assert queries.queue(story.agent.roles)[0].elder_name == "周阿根"


@pytest.mark.req("SYS-01", "REG-06")
def test_a_row_that_an_agent_has_seen_is_not_shown_to_wrong_eyes(story):
    """The centre reads the whole name; the street the surname; another street reads nothing, in any order of asking."""
    story.opened()
    whole = queries.queue(story.agent.roles, story.agent.user_id)
    assert (whole[0].elder_name, whole[0].where != whole[0].place_name) == ("沈玉芬", True)
    assert [(r.elder_name, r.where == r.place_name) for r in queries.queue(OFFICE)] == [("沈**", True)]
    with seen_by(Scope(places=("330199002",))):
        assert queries.queue(story.agent.roles, story.agent.user_id) == []
        assert queries.queue(OFFICE) == []
    assert queries.queue(story.agent.roles, story.agent.user_id) == whole


def test_the_number_of_questions_does_not_grow_with_the_queue(story):
    """Five questions for one case or ten; a look at rows that are known reads no plan."""
    story.opened()

    def asked():
        with CaptureQueriesContext(connection) as seen:
            queries.queue(story.agent.roles, story.agent.user_id)
        return [q["sql"] for q in seen]

    asked()
    one = asked()
    for _ in range(9):
        story.press(home_id=ElderFactory().home_id)
    first, ten = asked(), asked()
    assert len(ten) == len(one) <= 5
    assert len(first) == len(ten) + 1
    assert not any('"plan"' in sql.replace('LEFT("incidents_incident"."plan"', "") for sql in ten)
    assert len(queries.queue(story.agent.roles)) == 10


def test_a_shift_is_counted_in_one_question(story, django_assert_num_queries):
    """Handled, still open, shortest and longest wait; nothing yet is none."""
    nothing = queries.shift_of(story.agent.user_id, clock.now() - timedelta(hours=1))
    assert (nothing.cases, nothing.open, nothing.fastest, nothing.slowest) == (0, 0, None, None)
    story.opened()
    story.let_pass(seconds=5)
    story.do("accept")
    story.do("false_alarm", **{"class": "mis_press"})
    story.it = story.press(home_id=ElderFactory().home_id)
    story.let_pass(seconds=9)
    story.do("accept")
    with django_assert_num_queries(1):
        shift = queries.shift_of(story.agent.user_id, clock.now() - timedelta(hours=1))
    assert (shift.cases, shift.open) == (2, 1)
    assert (shift.fastest, shift.slowest) == (timedelta(seconds=5), timedelta(seconds=9))
