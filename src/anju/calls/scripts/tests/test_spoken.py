"""What the machine says on the telephone, and that only a key is a sign of life. On the simulator, with moved time."""

import pytest

from anju.calls import actions as calls
from anju.calls import scripts
from anju.calls.control import books
from anju.calls.control import seats as seating
from anju.calls.lines.models import AccessNumber
from anju.calls.models import Call, CallBack, Queue, Switchboard
from anju.calls.scripts import actions, queries, stage
from anju.calls.scripts.models import Menu, MenuKey, Survey
from anju.calls.simulator import Simulator
from anju.calls.tests.control.conftest import Centre, story
from anju.kernel.testing import run_jobs

ELDER = "13800001234"


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    """Free text is rendered here and now, and nobody reads it."""

    async def inline(what, *args):
        return what(*args)

    monkeypatch.setattr(stage.asyncio, "to_thread", inline)
    monkeypatch.setattr(stage.voice, "read_aloud", lambda text: None)


async def begin(centre: Centre) -> None:
    await centre.open()
    scripts.register(centre.control)
    Switchboard.objects.update(real=True)


async def robot(centre: Centre, script="elder_check", purpose="elder_check", after="", ref="order:1") -> Call:
    """The machine rings somebody."""
    made = calls.robot_call(
        number=ELDER, whom="沈玉芬", purpose=purpose, ref=ref, place="330199001001", script=script, says="有事请按键",
        says_after_key=after,
    )  # fmt: skip
    run_jobs()
    await centre.settle()
    await centre.settle()
    return made


def heard(centre: Centre) -> list[tuple[str, ...]]:
    """What is being played now."""
    return [p.prompts for p in centre.world.playing.values()]


def of(call: Call) -> Call:
    return Call.objects.get(pk=call.pk)


@pytest.mark.req("CALL-02", "CALL-08", "INC-04")
@story
async def test_her_key_is_a_sign_of_life_and_ends_the_call_with_thanks(centre: Centre) -> None:
    await begin(centre)
    call = await robot(centre)
    assert centre.rings() == [ELDER]
    await centre.does(ELDER, "answered")
    assert heard(centre) == [("elder_check",)]
    await centre.does(ELDER, "key:1")  # she does not wait for the end of the prompt
    assert heard(centre) == [("elder_check_thanks",)]
    assert [k["digit"] for k in of(call).keys] == ["1"]
    await centre.later(4)
    assert (of(call).state, of(call).result) == ("ended", "answered")
    assert not centre.control.inboxes


@pytest.mark.req("INC-04")
@story
async def test_voicemail_answers_too_so_without_a_key_nothing_is_proved(centre: Centre) -> None:
    await begin(centre)
    call = await robot(centre)
    await centre.does(ELDER, "answered")
    await centre.later(60)
    assert of(call).state == "ended"
    assert of(call).keys == []
    assert centre.world.legs == {}


@pytest.mark.req("CALL-08", "INC-04")
@story
@pytest.mark.parametrize("key", ["2", "0"])
async def test_who_presses_two_or_nought_gets_a_seat_at_once_with_the_priority_of_an_emergency(
    centre: Centre, key: str
) -> None:
    anna = centre.agent("8001")
    await begin(centre)
    call = await robot(centre, after="坐席马上和您通话")
    await centre.does(ELDER, "answered", f"key:{key}")
    await centre.later(4)
    assert centre.control.calls[str(call.call_id)].priority == 9
    assert "8001" in centre.rings()
    await centre.does("8001", "answered")
    assert (of(call).state, of(call).user_id) == ("talking", anna.pk)
    assert centre.hears(ELDER) == {"8001"}
    await centre.does(ELDER, "ended")
    assert of(call).state == "ended"


@pytest.mark.req("INC-02", "CALL-08")
@story
async def test_a_contact_who_takes_it_hears_how_to_get_in_as_often_as_she_likes(centre: Centre, monkeypatch) -> None:
    read = []
    monkeypatch.setattr(stage.voice, "read_aloud", read.append)
    await begin(centre)
    call = await robot(centre, "press_one", "contact_robot", after="门禁 2580。")
    await centre.does(ELDER, "answered", "key:1")
    assert read[-1] == "门禁 2580。再听一遍请按一，和坐席通话请按零。"
    await centre.does(ELDER, "key:1")
    assert read.count(read[-1]) == 2
    assert [k["digit"] for k in of(call).keys] == ["1"]  # hearing it again is no second answer
    await centre.later(20)
    assert of(call).state == "ended"


@story
async def test_who_hangs_up_in_the_middle_ends_it_and_nothing_is_left(centre: Centre) -> None:
    await begin(centre)
    call = await robot(centre)
    await centre.does(ELDER, "answered", "ended")
    assert of(call).state == "ended"
    assert centre.control.calls == {}
    busy = await robot(centre)
    await centre.does(ELDER, "busy")
    assert of(busy).result == "busy"


@pytest.mark.req("CALL-08")
@story
async def test_nobody_is_rung_twice_at_once_whatever_becomes_of_the_switchboard(centre: Centre) -> None:
    await begin(centre)
    call = await robot(centre)
    await centre.die()
    await centre.revive()  # the cut call is made again, once the first leg is gone
    from anju.calls import jobs

    jobs.dial(call_id=str(call.call_id))
    await centre.settle()
    assert centre.rings() == [ELDER]
    assert len(centre.world.ever) == 2
    with pytest.raises(calls.ForbiddenNumber):
        calls.robot_call(number="120", whom="", purpose="other", ref="", place="330199001001", script="speak", says="")


@pytest.mark.req("CALL-02")
@story
async def test_a_menu_leads_to_its_queue_and_who_presses_nothing_gets_a_person(centre: Centre) -> None:
    centre.agent("8001", state="break")
    Queue.objects.create(code="orders", name="订单", priority=2, prompt="")
    AccessNumber.objects.create(number="96219", label="服务热线", queue="service")
    start = Menu.objects.create(code="start", name="总机", access_number="96219", prompt="welcome", otherwise="service")
    MenuKey.objects.create(menu=start, key="1", action="queue", argument="orders")
    await begin(centre)
    await centre.calls("13900001111", "057196219")
    assert heard(centre) == [("welcome",)]
    await centre.does("13900001111", "key:1")
    call = centre.call()
    assert (call.state, call.queue.code) == ("queued", "orders")
    await centre.calls("13900002222", "96219")
    await centre.later(30)
    assert centre.call().queue.code == "service"
    emergency = await centre.calls("13900003333", "emergency")
    assert heard(centre)[-1] != ("welcome",)
    assert centre.call(emergency).emergency


@pytest.mark.req("CALL-08", "CALL-09")
@story
async def test_after_the_agent_hung_up_the_caller_is_asked_how_it_was(centre: Centre) -> None:
    anna = centre.agent("8001")
    await begin(centre)
    Queue.objects.filter(code="service").update(survey=True)
    centre.control.books = books.read()
    await centre.calls("13900001111", "96219")
    await centre.later(4)
    await centre.does("8001", "answered")
    call = centre.call()
    await centre.does("13900001111", "key:1")  # a key while they speak is no answer to what was not asked
    await centre.does("8001", "ended")
    assert heard(centre) == [("satisfaction",)]
    await centre.does("13900001111", "key:9")
    assert heard(centre) == [("invalid_key", "satisfaction")]
    await centre.does("13900001111", "key:4")
    await centre.later(5)
    assert (of(call).state, of(call).satisfaction) == ("ended", 4)
    answer = queries.survey_of(str(call.call_id))
    assert (answer.score, answer.user_id, answer.subject) == (4, anna.pk, "call")
    assert queries.surveys(user_id=anna.pk) == [answer]
    assert not actions.answered(call_id=str(call.call_id), digit="1")  # once
    assert not actions.answered(call_id="00000000-0000-0000-0000-000000000000", digit="5")


@pytest.mark.req("FLD-06", "CALL-08")
@story
async def test_a_survey_after_an_order_announces_its_answer_and_no_answer_is_a_call_that_ended(centre: Centre) -> None:
    from anju.calls.facts import CallEnded
    from anju.calls.scripts.facts import SurveyAnswered
    from anju.kernel import facts

    told = []
    for fact in (SurveyAnswered, CallEnded):
        facts.reacts(fact, told.append)
    await begin(centre)
    call = calls.survey(number=ELDER, whom="沈玉芬", ref="order:7", place="330199001001", what="上门安装")
    assert "请为上门安装评价" in call.says
    run_jobs()
    await centre.settle()
    await centre.settle()
    await centre.does(ELDER, "answered", "key:5")
    await centre.later(5)
    assert [(f.ref, f.subject, f.score) for f in told if isinstance(f, SurveyAnswered)] == [("order:7", "service", 5)]
    assert Survey.objects.get().score == 5
    second = calls.survey(number=ELDER, whom="沈玉芬", ref="order:8", place="330199001001")
    run_jobs()
    await centre.settle()
    await centre.settle()
    await centre.later(60)
    assert [f.result for f in told if isinstance(f, CallEnded) and f.ref == "order:8"] == ["no_answer"]
    assert of(second).satisfaction == 0


@pytest.mark.req("CALL-08", "CALL-01")
@story
async def test_who_hung_up_in_need_is_rung_back_by_people_then_by_the_robot_and_never_twice_at_once(
    centre: Centre,
) -> None:
    anna = centre.agent("8001", state="break")
    await begin(centre)
    caller = await centre.calls(ELDER, "emergency")
    await centre.does(caller, "ended")
    owed = CallBack.objects.get()
    assert centre.rings() == []
    await centre.later(59)
    assert centre.rings() == []  # people first
    await centre.later(3)
    run_jobs()
    await centre.settle()
    await centre.settle()
    assert centre.rings() == [ELDER]
    await centre.later(50)  # nobody lifts
    owed.refresh_from_db()
    assert (owed.state, owed.attempts) == ("waiting", 1)
    assert centre.rings() == []
    await centre.later(62)
    run_jobs()
    await centre.settle()
    await centre.settle()
    assert centre.rings() == [ELDER]
    await centre.does(ELDER, "answered", "key:1")
    calls.seat_ready(by=centre.actor(anna))
    await seating.heard(centre.control, anna.pk)
    await centre.settle()
    await centre.does("8001", "answered")
    owed.refresh_from_db()
    assert owed.state == "done"
    assert centre.hears(ELDER) == {"8001"}


@pytest.mark.req("CALL-08")
@story
async def test_a_call_back_that_is_answered_without_a_key_was_not_reached(centre: Centre) -> None:
    await begin(centre)
    caller = await centre.calls(ELDER, "emergency")
    await centre.does(caller, "ended")
    await centre.later(62)
    run_jobs()
    await centre.settle()
    await centre.settle()
    await centre.does(ELDER, "answered")
    await centre.later(40)
    owed = CallBack.objects.get()
    assert (owed.state, owed.attempts) == ("waiting", 1)
    Simulator.forget()
