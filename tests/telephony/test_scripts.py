"""Robot calls, menus, satisfaction and the case of a call, on a real Asterisk: keys are RFC 4733, voices are tones."""

from pathlib import Path

import pytest
from django.db import connection

from anju.accounts.models import Posting, User
from anju.accounts.roles import Role
from anju.calls import actions, jobs
from anju.calls.lines.models import AccessNumber
from anju.calls.models import Call, Queue
from anju.calls.scripts.models import Menu, MenuKey, Survey
from anju.incidents import actions as incidents
from anju.incidents.models import Incident
from tests.telephony.centre import EMERGENCY, HOTLINE
from tests.telephony.engine_room import until

pytestmark = [pytest.mark.telephony, pytest.mark.timeout(240)]
PLACE = "330199000000"


def robot(script: str, purpose: str = "elder_check", says: str = "", after: str = "") -> Call:
    """The machine rings a number outside; the job of the worker is done here."""
    call = actions.robot_call(
        number="13800001234", whom="试", purpose=purpose, ref="order:1", place=PLACE, script=script, says=says,
        says_after_key=after,
    )  # fmt: skip
    jobs.dial(call_id=str(call.call_id))
    return call


def keys(call: Call) -> list[str]:
    return [k["digit"] for k in Call.objects.get(pk=call.pk).keys]


@pytest.mark.req("CALL-02", "CALL-08", "INC-04")
def test_she_presses_two_and_speaks_with_a_seat(centre, cases):
    agent = centre.agent("8001")
    town = centre.hands.town(voice="family")
    centre.opens()
    call = robot("elder_check", says="没事请按一，要人帮忙请按二。", after="请不要挂断。")
    town.waits_for("answered")
    until(lambda: town.frames > 20, "she hears the machine")
    said = Path(centre.room.machine.home) / "said"
    assert list(said.glob("*")), "what is read to her is rendered for her alone"
    town.press("2")
    agent.waits_for("ringing", 20).lift()
    until(lambda: Call.objects.get(pk=call.pk).user_id == centre.by("8001").user_id, "the seat has the call")
    assert keys(call) == ["2"]
    town.hears_just("8001")
    agent.hears_just("family")
    assert not list(said.glob("*")), "and thrown away"
    town.hang_up()
    centre.nothing_is_left()


@pytest.mark.req("INC-02", "CALL-08")
def test_a_contact_takes_it_with_one_key_and_the_call_ends_by_itself(centre):
    town = centre.hands.town(voice="family")
    centre.opens()
    call = robot("press_one", "contact_robot", says="能赶去请按一。")
    town.waits_for("answered")
    until(lambda: town.frames > 20, "she hears the machine")
    town.press("1")
    until(lambda: keys(call) == ["1"], "the key is kept")
    ended = centre.call_is("ended", 40, pk=call.pk)
    assert ended.result == "answered"
    centre.nothing_is_left()


@pytest.mark.req("CALL-02")
def test_an_agent_presses_keys_into_the_menu_of_whom_she_called(centre):
    agent, town = centre.agent("8001", auto="lift"), centre.hands.town(voice="120")
    centre.opens()
    call = actions.dial(
        by=centre.by("8001"), number="85110000", whom="区医院", purpose="other", ref="test:1", place=PLACE
    )
    town.waits_for("answered")
    centre.call_is("talking", pk=call.pk)
    town.hears_just("8001", why="they are connected")
    actions.send_keys(by=centre.by("8001"), call_id=str(call.call_id), digits="105#")
    until(lambda: town.pressed == "105#", "each key has come, once and in order")
    assert not agent.pressed, "and to her alone"
    town.hang_up()
    centre.nothing_is_left()


@pytest.fixture
def cases(centre):
    """The cases of a test and the posts of its agents are gone afterwards."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE incidents_incident, alarms_alarm CASCADE")
    Posting.objects.filter(user__username__startswith="seat").delete()


@pytest.fixture
def numbers(db):
    """A menu on the service number; gone afterwards."""
    line = AccessNumber.objects.create(number=HOTLINE, label="服务热线", queue="service")
    queue, _ = Queue.objects.get_or_create(code="orders", defaults={"name": "订单", "priority": 2, "prompt": ""})
    menu = Menu.objects.create(code="start", name="总机", access_number=HOTLINE, prompt="welcome", otherwise="service")
    MenuKey.objects.create(menu=menu, key="1", action="queue", argument="orders")
    yield queue
    menu.delete()
    line.delete()
    Call.objects.all().delete()
    queue.delete()


@pytest.mark.req("CALL-02", "CALL-08", "CALL-09")
def test_a_menu_leads_to_its_queue_and_after_the_agent_hung_up_she_says_how_it_was(centre, numbers):
    Queue.objects.filter(pk=numbers.pk).update(survey=True)
    agent = centre.agent("8001")
    centre.opens()
    caller = centre.calls(HOTLINE)
    caller.waits_for("answered")
    until(lambda: caller.frames > 20, "she hears the menu")
    assert "ringing" not in agent.states, "first she says what she wants"
    caller.press("1")
    call = centre.talk(agent, caller)
    assert call.queue.code == "orders", centre.words()
    caller.hears_just("8001")
    agent.hang_up()
    mark = caller.frames
    until(lambda: caller.frames > mark + 20, "she is asked how it was")
    caller.press("5")
    until(lambda: Survey.objects.filter(call_id=call.call_id, score=5).exists(), "her answer is kept")
    assert centre.call_is("ended", 20).satisfaction == 5
    centre.nothing_is_left()


@pytest.mark.req("INC-03", "INC-05", "REG-10", "CALL-02")
def test_a_call_in_need_has_its_case_b_joins_and_120_is_brought_in(centre, cases):
    first, second = centre.agent("8001"), centre.agent("8002", state="break")
    for extension in ("8001", "8002"):
        Posting.objects.create(user=User.objects.get(seat_number=extension), role=Role.AGENT, place=PLACE)
    town = centre.hands.town(voice="family")
    centre.opens()
    caller = centre.calls(EMERGENCY, number="13955550001")
    first.waits_for("ringing")
    it = until(
        lambda: Incident.objects.filter(state="waiting").order_by("-pk").first(), "the case is there as it rings"
    )
    assert (it.priority, it.home_id) == (9, None)
    call = centre.talk(first, caller)
    until(lambda: Incident.objects.get(pk=it.pk).a_seat_id == centre.by("8001").user_id, "who lifted has accepted it")
    incidents.take_seat(incident_id=it.pk, seat="B", by=centre.by("8002"))
    second.waits_for("ringing").lift()
    caller.hears_just("8001", "8002", why="both seats are with her")
    incidents.move(incident_id=it.pk, move="call_120", by=centre.by("8001"), note="胸口疼")
    town.waits_for("answered")
    town.hears_just("caller", "8001", "8002", why="the ambulance hears everybody")
    actions.hang_up(by=centre.by("8001"), call_id=str(call.call_id))
    caller.hears_just("8002", "family", why="A is free for the next; B and 120 are with her")
    town.hang_up()
    caller.hang_up()
    centre.nothing_is_left()
    for part in ("紧急来电", "接听来电", "B 席", "120加入通话", "120退出通话：接通", "来电结束：接通"):
        until(lambda part=part: any(part in e.text for e in it.entries.all()), f"the story tells: {part}")
