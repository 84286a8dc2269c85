"""What only several processes at once can show: one case a home, one winner, nobody waits in a circle."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.alarms import actions as alarms
from anju.alarms.rules import RULES
from anju.elders.tests.factories import ElderFactory, complete
from anju.incidents import actions
from anju.incidents.models import Attempt, Incident
from anju.kernel import clock
from anju.kernel.flow import ticker
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.models import Due, Movement
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places.tests.factories import LOTUS, make_district

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works):
    """Run all of them at the same moment, each on its own connection; what each answered or raised."""
    start, answers = threading.Barrier(len(works)), [None] * len(works)

    def run(n, work):
        try:
            with seen_by(EVERYWHERE):
                start.wait(10)
                answers[n] = work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            answers[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, w)) for n, w in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    return answers


@pytest.fixture
def home(everywhere):
    make_district()
    return complete(ElderFactory()).home


@pytest.fixture
def people(everywhere):
    make_district()
    return [accounts.actor_of(make_user(Role.AGENT)) for _ in range(4)]


def press(home_id):
    now = clock.now()
    alarm = alarms.raise_or_join(
        rule=RULES["sos"], at=now, received_at=now, source="ctwing", place=LOTUS, home_id=home_id, lco="011"
    )
    return alarm.case_id


@pytest.mark.req("SEN-03", "INC-01")
def test_six_presses_of_one_home_at_once_are_one_case(home):
    answers = at_once(*[lambda: press(home.pk)] * 6)
    assert len(set(answers)) == 1, answers
    assert Incident.objects.filter(home_id=home.pk).count() == 1
    assert Incident.objects.get(home_id=home.pk).entries.filter(kind="alarm").count() == 6


@pytest.mark.req("INC-03")
def test_of_four_who_accept_at_once_one_wins_and_the_others_read_who(home, people):
    pk = press(home.pk)
    answers = at_once(*[lambda p=p: actions.move(incident_id=pk, move="accept", by=p) for p in people])
    won = [a for a in answers if isinstance(a, Incident)]
    lost = [a for a in answers if isinstance(a, NotAllowed)]
    assert (len(won), len(lost)) == (1, 3), answers
    winner = Incident.objects.get().a_seat.name
    assert all(f"{winner}已接警" in str(error) for error in lost)
    assert Movement.objects.filter(flow="incident", move="accept").count() == 1


@pytest.mark.req("INC-02")
def test_tickers_and_agents_on_the_same_contacts_never_wait_in_a_circle(home, people):
    cases = []
    for _ in range(6):
        pk = press(complete(ElderFactory()).home.pk)
        actions.move(incident_id=pk, move="accept", by=people[0])
        actions.move(incident_id=pk, move="no_answer", by=people[0])
        cases.append(pk)
    past = clock.now() - timedelta(seconds=1)
    Due.objects.filter(flow="contact_attempt").update(at=past, fire_at=past)
    live = dict(Attempt.objects.filter(state="turn").values_list("incident_id", "pk"))

    def answer(pk, by):
        try:
            actions.contact_result(attempt_id=live[pk], result="no_answer", by=by)
        except NotAllowed:
            return "late"
        return "ok"

    def all_answers(by, order):
        return [answer(pk, by) for pk in order]

    answers = at_once(
        ticker.ring, ticker.ring, lambda: all_answers(people[1], cases), lambda: all_answers(people[2], cases[::-1])
    )
    assert not [a for a in answers if isinstance(a, Exception)], answers
    Due.objects.filter(flow="contact_attempt", at__lte=clock.now()).update(fire_at=past)
    with seen_by(EVERYWHERE):
        ticker.ring()
    for pk in cases:
        rungs = list(Attempt.objects.filter(incident=pk).order_by("pk").values_list("rung", "state"))
        assert [r for r, _ in rungs] == [0, 1], rungs  # each failed once, each next turn was given once
        assert rungs[0][1] == "failed"
