"""The pen on a real database: many steps in one commit, a locked row, a database that is away, an older switchboard."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction

from anju.accounts.models import User
from anju.calls.control import rows
from anju.calls.control.board import connect
from anju.calls.control.pen import Pen
from anju.calls.control.spool import Spool
from anju.calls.control.state import LiveCall, Party, SeatNow, new_id
from anju.calls.exchange import Fenced, Number
from anju.calls.models import Call, Leg, SeatState, Switchboard
from anju.kernel import clock
from anju.kernel.flow import queries as flow

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("everywhere")]


def a_call() -> tuple[LiveCall, Party]:
    at = clock.now()
    call = LiveCall(new_id(), "in", "emergency_in", "arrived", "330199001001", at, number="13900001111", emergency=True)
    return call, Party(new_id(), "caller", Number("13900001111"), at, number="13900001111", why="caller")


class Line:
    """A connection that can be cut."""

    def __init__(self) -> None:
        self.cut = False
        self.opened: list[psycopg.Connection[object]] = []

    def __call__(self) -> psycopg.Connection[object]:
        if self.cut:
            raise psycopg.OperationalError("cut")
        self.opened.append(connect())
        return self.opened[-1]

    def away(self) -> None:
        self.cut = True
        for one in self.opened:
            with psycopg.connect(one.info.dsn, password=one.info.password, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [one.info.backend_pid])


@pytest.fixture
def pen(tmp_path: Path) -> Iterator[Pen]:
    Switchboard.objects.create(pk=1, epoch=7)
    made = Pen(Line(), spool=Spool(tmp_path / "calls.spool"), epoch=7)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def seat_row(transactional_db: None, everywhere: None) -> int:
    user = User.objects.create(username="seat8001", name="坐席8001", seat_number="8001")
    SeatState.objects.create(user=user, extension="8001", state="ready", since=clock.now())
    return user.pk


async def begun(pen: Pen) -> LiveCall:
    call, caller = a_call()
    await pen.sure(call.call_id, rows.begin(call, clock.now(), engine="test"), rows.leg(call.call_id, caller))
    return call


def test_what_one_event_leads_to_is_one_commit(pen: Pen) -> None:
    """However long it takes to decide: the pen is called when that is done, so a ring waits for the disk once."""

    async def event() -> None:
        call, caller = a_call()
        pen.write(call.call_id, rows.begin(call, clock.now(), engine="test"))
        threading.Event().wait(0.05)
        await pen.sure(call.call_id, rows.leg(call.call_id, caller))

    asyncio.run(event())
    with connection.cursor() as cursor:
        cursor.execute("SELECT c.xmin = l.xmin FROM calls_call c JOIN calls_leg l ON l.call_id = c.id")
        assert cursor.fetchall() == [(True,)]


def test_a_batch_that_can_not_be_sent_whole_is_not_written_in_part(pen: Pen) -> None:
    async def event() -> None:
        call, caller = a_call()
        with pytest.raises(psycopg.ProgrammingError):
            await pen.write(
                call.call_id, rows.begin(call, clock.now(), engine="test"), rows.Row("SELECT %s", (object(),))
            )
        await pen.sure("other", rows.leg("1" * 32, caller))

    asyncio.run(event())
    assert not Call.objects.exists()


def test_a_whole_life_is_written_with_its_story_and_its_deadlines(pen: Pen) -> None:
    async def life() -> None:
        call = await begun(pen)
        for name in ("offer", "queue_up", "overflow", "offer", "taken"):
            pen.write(call.call_id, rows.move(call, name, clock.now()))
        await pen.sure(call.call_id, rows.leg_set("none", muted=True))

    asyncio.run(life())
    row = Call.objects.get()
    assert (row.state, row.nth, row.number) == ("talking", 5, "13900001111")
    assert [m.move for m in flow.story_of(row)] == ["begin", "offer", "queue_up", "overflow", "offer", "taken"]
    assert [(d.move, d.nth, d.at) for d in flow.dues_of(row)] == [("still_talking", 5, row.due_at)]
    assert Leg.objects.get().number == "13900001111"
    assert not pen.missed


def test_what_runs_twice_changes_nothing_and_a_call_that_is_over_stays_over(pen: Pen) -> None:
    async def twice() -> None:
        call = await begun(pen)
        steps = [rows.begin(call, clock.now(), engine="test"), rows.move(call, "abandoned", clock.now())]
        await pen.sure(call.call_id, *steps)
        await pen.sure(call.call_id, *steps, rows.move(call, "taken", clock.now()))

    asyncio.run(twice())
    row = Call.objects.get()
    assert (row.state, row.nth) == ("ended", 1)
    assert flow.dues_of(row) == []
    assert len(pen.missed) == 2


def test_a_row_that_somebody_holds_delays_its_own_call_and_no_other(pen: Pen) -> None:
    async def beside() -> None:
        held, other = await begun(pen), await begun(pen)
        free = threading.Event()
        locked = threading.Event()

        def hold() -> None:
            with connect() as raw, raw.transaction():
                raw.execute("SELECT 1 FROM calls_call WHERE call_id = %s FOR UPDATE", [held.call_id])
                locked.set()
                free.wait(60)

        holder = threading.Thread(target=hold)
        holder.start()
        await asyncio.to_thread(locked.wait, 30)
        first = pen.write(held.call_id, rows.move(held, "offer", clock.now()))
        second = pen.write(held.call_id, rows.move(held, "taken", clock.now()))
        await asyncio.wait_for(pen.write(other.call_id, rows.move(other, "offer", clock.now())), 30)
        assert not first.done()
        free.set()
        holder.join(60)
        await asyncio.wait_for(asyncio.gather(first, second), 30)

    asyncio.run(beside())
    assert set(Call.objects.values_list("state", flat=True)) == {"talking", "offered"}
    assert not pen.missed, "and its steps kept their order"


def test_the_database_is_away_and_calls_go_on_and_everything_is_written_when_it_is_back(pen: Pen) -> None:
    line = pen._connect
    assert isinstance(line, Line)

    async def away() -> list[str]:
        call = await begun(pen)
        line.away()
        late = await asyncio.wait_for(begun(pen), 30)
        await asyncio.wait_for(pen.sure(late.call_id, rows.move(late, "offer", clock.now())), 30)
        await asyncio.wait_for(pen.sure(call.call_id, rows.move(call, "offer", clock.now())), 30)
        assert pen.away_since is not None
        assert "13900001111" not in pen.spool.path.read_text(), "numbers lie encrypted on the disk"
        line.cut = False
        for _ in range(100):
            if pen.away_since is None:
                break
            await asyncio.sleep(0.05)
        await pen.sure(call.call_id, rows.move(call, "taken", clock.now()))
        return [call.call_id, late.call_id]

    first, second = asyncio.run(away())
    states = {str(c.call_id): (c.state, c.nth) for c in Call.objects.all()}
    assert states == {first: ("talking", 2), second: ("offered", 1)}
    assert not pen.spool.path.exists()


def test_a_spool_survives_the_process_and_a_line_that_a_crash_cut_is_left_out(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "x.spool")
    call, caller = a_call()
    spool.add(call.call_id, [rows.begin(call, clock.now(), engine="test"), rows.leg(call.call_id, caller)])
    with spool.path.open("a") as file:
        file.write("1.half-a-line")
    again = Spool(tmp_path / "x.spool")
    assert again.count == 2
    with transaction.atomic():
        raw = connection.connection

        def into(key: str, steps: list[rows.Row], mark: str) -> None:
            assert (key, mark) == (call.call_id, "")
            for row in steps:
                raw.execute(row.sql, row.values)
            again.add("later", [])  # comes in while the others are written

        again.pour(into)
    assert Call.objects.get().legs.count() == 1
    kept: list[str] = []
    Spool(tmp_path / "x.spool").pour(lambda key, _steps, _mark: kept.append(key))
    assert kept == ["later"], "what came in meanwhile is not forgotten"


def test_a_row_that_is_held_again_and_again_makes_no_other_row_unwritable(pen: Pen, seat_row: int) -> None:
    """A statement that was to be prepared in a trip that failed counted as prepared: later rows were refused and lost."""

    async def often() -> None:
        call = await begun(pen)
        with connect() as raw, raw.transaction():
            raw.execute("SELECT 1 FROM calls_call WHERE call_id = %s FOR UPDATE", [call.call_id])
            tried = [
                pen.write(call.call_id, rows.move(call, "offer", clock.now()), rows.seat(a_seat(seat_row, "ringing"), clock.now()))
                for _ in range(6)
            ]  # fmt: skip
            for n in range(6):
                await asyncio.wait_for(pen.write(f"other{n}", rows.told([("seats", str(n), "")])), 30)
        await asyncio.wait_for(asyncio.gather(*tried), 30)
        await asyncio.wait_for(pen.write("seat", rows.seat(a_seat(seat_row, "ready"), clock.now())), 30)

    asyncio.run(often())
    assert standing() == "ready"


def a_seat(user_id: int, state: str) -> SeatNow:
    return SeatNow(user_id=user_id, extension="8001", state=state, since=clock.now(), wants="ready")


def standing() -> str:
    return SeatState.objects.get(extension="8001").state


def test_a_step_that_was_put_aside_while_the_disk_hung_undoes_no_later_one(pen: Pen, seat_row: int) -> None:
    """Seen under load: a seat rang, the round hung, the seat was free again, and then the ring was written once more."""

    async def hung() -> None:
        call = await begun(pen)
        with connect() as raw, raw.transaction():
            raw.execute("SELECT 1 FROM calls_call WHERE call_id = %s FOR UPDATE", [call.call_id])
            await pen.sure(
                call.call_id, rows.move(call, "offer", clock.now()), rows.seat(a_seat(seat_row, "ringing"), clock.now())
            )
            assert pen.spool is not None
            assert pen.spool.count == 1, "the row is held: the step lies in the spool"
            pen._write_aside = lambda: None  # type: ignore[method-assign] - the round is cut short here, as it was
            over = pen.write(call.call_id, rows.seat(a_seat(seat_row, "ready"), clock.now()))
        await asyncio.wait_for(over, 30)
        del pen._write_aside
        await asyncio.wait_for(pen.write("other", rows.told([("seats", "1", "")])), 30)

    asyncio.run(hung())
    pen.stop()
    assert standing() == "ready"
    assert pen.spool is not None
    assert pen.spool.count == 0


def test_what_an_earlier_switchboard_left_is_written_before_its_rows_are_read(tmp_path: Path, seat_row: int) -> None:
    Switchboard.objects.create(pk=1, epoch=7)
    Spool(tmp_path / "calls.spool").add("1", [rows.seat(a_seat(seat_row, "ringing"), clock.now())], "6.1")
    line = Line()
    later = Pen(line, spool=Spool(tmp_path / "calls.spool"), epoch=7)
    line.cut = True
    later.catch_up()
    assert (standing(), later.spool is not None and later.spool.count) == ("ready", 1), "no database: it stays"
    line.cut = False
    later.catch_up()
    assert (standing(), later.spool is not None and later.spool.count) == ("ringing", 0)
    later.start()
    later.stop()


def test_an_older_switchboard_writes_nothing_any_more(pen: Pen) -> None:
    async def replaced() -> None:
        call = await begun(pen)
        await asyncio.to_thread(_newer)
        with pytest.raises(Fenced):
            await pen.sure(call.call_id, rows.move(call, "offer", clock.now()))

    asyncio.run(replaced())
    assert Call.objects.get().state == "arrived"
    assert pen.fenced


def _newer() -> None:
    with connect() as raw:
        raw.execute("UPDATE calls_switchboard SET epoch = 8")
