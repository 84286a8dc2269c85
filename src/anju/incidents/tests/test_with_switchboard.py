"""The whole way on the simulated engine: a call rings in, a case is there, a seat lifts, others join, she is rung back."""

import pytest

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.calls import actions as calls
from anju.calls import scripts
from anju.calls.models import CallBack, SeatState, Switchboard
from anju.calls.scripts import stage
from anju.calls.tests.control.conftest import Centre, story
from anju.calls.tests.control.conftest import centre as bare
from anju.config import wiring, wiring_calls
from anju.elders.tests.factories import ElderFactory, complete
from anju.incidents import actions, queries
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.testing import run_jobs
from anju.places.tests.factories import make_district

__all__ = ["bare"]


@pytest.fixture
def centre(bare, monkeypatch):
    """The simulated exchange, with who reacts to calls in life, and prompts that are read here and now."""

    async def inline(what, *args):
        return what(*args)

    monkeypatch.setattr(stage.asyncio, "to_thread", inline)
    monkeypatch.setattr(stage.voice, "read_aloud", lambda text: None)
    wiring.emergencies()
    wiring_calls.telephone()
    wiring_calls.call_backs()
    return bare


@pytest.fixture
def elder(db):
    """An elder with a telephone and contacts."""
    make_district()
    return complete(ElderFactory(name="沈玉芬", sex="女"))


def seat(centre: Centre, extension: str) -> accounts.Actor:
    """An agent who may take cases, at her telephone."""
    user = make_user(Role.AGENT)
    user.seat_number = extension
    user.save(update_fields=["seat_number"])
    SeatState.objects.create(
        user=user, extension=extension, state="ready", wants="ready", since=clock.now(), mic_ok=True, registered=True
    )
    centre.world.registered[extension] = True
    return accounts.actor_of(user)


async def begin(centre: Centre) -> None:
    await centre.open()
    scripts.register(centre.control)
    Switchboard.objects.update(real=True)


def only_case() -> Incident:
    return Incident.objects.get()


def lines(it: Incident) -> str:
    return "\n".join(e.text for e in reversed(queries.timeline(it.pk)))


@pytest.mark.req("REG-10", "CALL-03", "INC-01")
@story
async def test_a_call_in_need_has_its_case_while_it_rings_and_whoever_lifts_has_accepted_it(centre, elder):
    anna = seat(centre, "8001")
    await begin(centre)
    caller = await centre.calls(elder.phone.partition(",")[0], "emergency")
    it = only_case()
    assert (it.state, it.priority, it.home_id) == ("waiting", 9, elder.home_id)
    assert centre.call(caller).ref == f"incident:{it.pk}"
    await centre.does("8001", "answered")
    it.refresh_from_db()
    assert (it.state, it.a_seat_id) == ("verifying", anna.user_id)
    await centre.later(65)
    await centre.does(caller, "ended")
    assert "来电结束：接通 1 分 05 秒" in lines(it)


@pytest.mark.req("INC-03", "CALL-02", "INC-05")
@story
async def test_b_joins_120_is_brought_in_a_leaves_and_b_stays_with_her(centre, elder):
    anna, berta = seat(centre, "8001"), seat(centre, "8002")
    await begin(centre)
    number = elder.phone.partition(",")[0]
    await centre.calls(number, "emergency")
    await centre.does("8001", "answered")
    it = only_case()
    actions.take_seat(incident_id=it.pk, seat="B", by=berta)
    await centre.settle()
    await centre.does("8002", "answered")
    assert centre.hears(number) == {"8001", "8002"}
    actions.move(incident_id=it.pk, move="call_120", by=anna, note="摔倒，不能动")
    await centre.settle()
    await centre.does("120", "answered")
    assert centre.hears("120") == {number, "8001", "8002"}
    assert "120加入通话" in lines(it)
    await centre.later(30)
    await centre.does("120", "ended")
    assert "120退出通话：接通 30 秒" in lines(it)
    duties = {d.name: d for d in queries.case(it.pk, anna.roles, anna.user_id).duties}
    assert duties["ask_120_sent"].times == 1
    calls.hang_up(by=anna, call_id=str(centre.call().call_id))
    await centre.settle()
    assert centre.hears(number) == {"8002"}  # B stays with her
    it.refresh_from_db()
    assert (it.a_seat_id, it.b_seat_id) == (anna.user_id, berta.user_id)


@pytest.mark.req("INC-04")
@story
async def test_a_silent_line_is_rung_back_twice_by_the_clock_through_the_agents_own_seat(centre, elder):
    anna = seat(centre, "8001")
    await begin(centre)
    number = elder.phone.partition(",")[0]
    caller = await centre.calls(number, "emergency")
    await centre.does("8001", "answered")
    it = only_case()
    actions.move(incident_id=it.pk, move="silent_line", by=anna)
    await centre.does(caller, "ended")
    for _ in range(2):
        await centre.later(6)
        assert centre.rings() == ["8001"]
        await centre.does("8001", "answered")
        assert centre.rings() == [number]
        await centre.does(number, "busy")
        await centre.settle()
    it.refresh_from_db()
    assert it.state == "contacting"
    assert "回拨 2 次无人应答" in lines(it)
    assert lines(it).count("与老人的通话：占线") == 2


@pytest.mark.req("CALL-08", "REG-10")
@story
async def test_who_hangs_up_before_anybody_lifts_is_rung_back_and_her_case_is_taken_by_who_speaks_with_her(
    centre, elder
):
    anna = seat(centre, "8001")
    await begin(centre)
    caller = await centre.calls(elder.phone.partition(",")[0], "emergency")
    await centre.does(caller, "ended")
    it = only_case()
    assert it.state == "waiting"
    assert "来电接通前挂断了，必须回拨" in lines(it)
    owed = CallBack.objects.get()
    calls.ring_back(by=anna, call_back_id=owed.pk)
    await centre.settle()
    await centre.does("8001", "answered")
    await centre.does(elder.phone.partition(",")[0], "answered")
    owed.refresh_from_db()
    it.refresh_from_db()
    assert owed.state == "done"
    assert (it.state, it.a_seat_id) == ("verifying", anna.user_id)


@pytest.mark.req("INC-02", "CALL-08")
@story
async def test_nobody_lifts_so_the_robot_asks_her_and_her_two_brings_a_seat_that_then_has_the_case(centre, elder):
    anna = seat(centre, "8001")
    calls.seat_break(by=anna, reason="午餐")
    await begin(centre)
    caller = await centre.calls(elder.phone.partition(",")[0], "emergency")
    await centre.does(caller, "ended")
    it = only_case()
    await centre.later(16)
    run_jobs()
    await centre.settle()
    await centre.settle()
    number = elder.phone.partition(",")[0]
    assert number in centre.rings()
    await centre.does(number, "answered", "key:2")
    assert "老人在机器人电话里按 2：要人帮忙" in lines(it)
    calls.seat_ready(by=anna)
    from anju.calls.control import seats as seating

    await seating.heard(centre.control, anna.user_id)
    await centre.later(4)
    await centre.does("8001", "answered")
    assert centre.hears(number) == {"8001"}
    it.refresh_from_db()
    assert (it.state, it.a_seat_id) == ("verifying", anna.user_id)
