"""What only several processes at once can show: one case a home, one winner, nobody waits in a circle."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.alarms import actions as alarms
from anju.alarms.rules import RULES
from anju.elders.checks import NotAccepted
from anju.elders.tests.factories import ElderFactory, complete
from anju.incidents import actions
from anju.incidents.actions import opening
from anju.incidents.actions.story import locked
from anju.incidents.models import Attempt, Incident
from anju.incidents.tests.subjects import an_incident
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
                start.wait(30)
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


def locks_of(work):
    """The tables whose rows were locked or changed, in the order of the first time."""
    with CaptureQueriesContext(connection) as said:
        work()
    found = []
    for query in said.captured_queries:
        sql = query["sql"]
        for table in ("incidents_incident", "incidents_attempt", "incidents_bell", "incidents_eldercall"):
            if table not in found and (
                f'UPDATE "{table}"' in sql or (f'FROM "{table}"' in sql and "FOR UPDATE" in sql)
            ):
                found.append(table)
    return found


@pytest.mark.req("INC-02")
def test_a_key_of_a_contact_locks_the_case_before_the_attempt_as_people_do(home, people):
    pk = press(home.pk)
    actions.move(incident_id=pk, move="accept", by=people[0])
    actions.move(incident_id=pk, move="no_answer", by=people[0])
    attempt = Attempt.objects.get(incident=pk, state="turn")
    call = uuid.uuid4()
    Attempt.objects.filter(pk=attempt.pk).update(call_id=call, channel="robot")

    def key():
        actions.on_key(call_id=str(call), ref=f"incident:{pk}", purpose="contact_robot", digit="1")

    assert locks_of(key)[0] == "incidents_incident"
    assert Attempt.objects.get(pk=attempt.pk).state == "coming"


@pytest.mark.req("REG-10")
def test_who_is_named_while_her_home_has_a_new_alarm_is_asked_to_press_again_and_nobody_waits(home, people):
    unknown = an_incident()
    elder = home.elders.get()
    with transaction.atomic():
        opening.one_at_a_time(f"home:{home.pk}")  # as a batch of alarms does
        (answer,) = at_once(lambda: actions.identify(incident_id=unknown.pk, by=people[0], elder_id=elder.pk))
        assert isinstance(answer, NotAllowed), answer
        assert "再点一次" in str(answer)
    actions.identify(incident_id=unknown.pk, by=people[0], elder_id=elder.pk)
    assert Incident.objects.get(pk=unknown.pk).home_id == home.pk


@pytest.mark.req("SYS-04")
def test_data_are_not_deleted_while_somebody_works_on_her_case_and_nobody_waits(home, people):
    elder = home.elders.get()
    pk = press(home.pk)
    Incident.objects.filter(pk=pk).update(elder=elder)
    with transaction.atomic():
        locked(pk)
        (answer,) = at_once(lambda: actions.forget(elder_id=elder.pk))
    assert isinstance(answer, NotAccepted), answer
    assert "正有人在处置" in str(answer)


@pytest.mark.req("INC-03")
def test_a_desk_that_drops_out_takes_no_seat_that_was_given_to_somebody_meanwhile(home, people):
    pk = press(home.pk)
    actions.move(incident_id=pk, move="accept", by=people[0])
    actions.take_seat(incident_id=pk, seat="B", by=people[1])
    lead = accounts.actor_of(make_user(Role.LEAD))
    freed = []
    waiting = threading.Thread(
        target=lambda: freed.extend(at_once(lambda: actions.seat_dropped(user_id=people[0].user_id)))
    )
    with transaction.atomic():
        locked(pk)
        waiting.start()
        waits_for_a_lock()
        actions.take_over(incident_id=pk, seat="A", by=lead, reason="她的电脑坏了")
    waiting.join(60)
    case = Incident.objects.get(pk=pk)
    assert freed == [0]
    assert (case.a_seat_id, case.b_seat_id) == (lead.user_id, people[1].user_id)


def waits_for_a_lock():
    """Until another session waits for one of ours."""
    for _ in range(50_000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")
