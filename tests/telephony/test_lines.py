"""The engine by itself, with the configuration that the platform writes: what works when nothing of ours is alive."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from anju.calls.lines import applying, trial
from anju.calls.lines.config import writing
from anju.calls.lines.config.plan import Lines, Plan, Seat
from anju.ops import asterisk
from tests.telephony.engine_room import EMERGENCY, SECRET, EngineRoom, until
from tests.telephony.handset import Hands, Handset

pytestmark = [pytest.mark.telephony, pytest.mark.timeout(240)]


def seconds_of(path: Path) -> float:
    with wave.open(str(path)) as sound:
        return sound.getnframes() / sound.getframerate()


def wishes(room: EngineRoom, wanted: Lines) -> Plan:
    return Plan(room.machine, wanted)


def load(room: EngineRoom, wanted: Lines) -> set[str]:
    """Write and have it read, as `lines --apply` does; what the engine did not take."""
    room.write(wanted)
    applying.reload(room.machine)
    return applying.not_loaded(wishes(room, wanted))


@pytest.mark.req("CALL-01", "CALL-04")
def test_with_no_program_alive_every_seat_rings_while_the_caller_hears_the_sentence_and_all_is_recorded(
    room: EngineRoom, hands: Hands
) -> None:
    first, second, third = hands.seat("8001"), hands.seat("8002"), hands.seat("8003")
    before = set(room.machine.recordings.glob("*.wav"))
    caller = hands.caller().call(EMERGENCY)
    first.waits_for("ringing", within=4.5)  # the sentence lasts five seconds: nobody waited for its end
    second.waits_for("ringing", within=4.5)
    caller.waits_for("answered")
    second.lift()
    second.waits_for("answered")
    until(lambda: first.states[-1] == "ended", "the other seat is let go")
    assert third.invited == 0, "a seat that is not for rescue stays quiet"
    caller.hears_just("8002", why="they are joined")
    second.hears_just("caller")
    caller.hang_up()
    second.waits_for("ended")
    until(lambda: not room.ask("channels"), "nothing is left")
    made = until(lambda: set(room.machine.recordings.glob("*.wav")) - before, "recorded")
    assert sorted(p.stem.rpartition("-")[2] for p in made if "-" in p.stem) == ["in", "out"]
    for path in made:
        assert seconds_of(path) > 1.5, path
    assert len({round(seconds_of(p)) for p in made}) == 1, "both voices are in step"


@pytest.mark.req("CALL-01")
def test_with_no_seat_there_the_caller_keeps_being_looked_after_and_the_first_who_comes_is_rung(
    room: EngineRoom, hands: Hands
) -> None:
    gone = hands.seat("8001")
    gone.close()
    caller = hands.caller().call(EMERGENCY)
    caller.waits_for("answered")
    late = hands.seat("8002")
    late.waits_for("ringing", within=45)
    late.lift()
    until(lambda: "8002" in caller.hears(), "the late one has the caller")
    caller.hang_up()
    until(lambda: not room.ask("channels"), "nothing is left")


@pytest.mark.req("CALL-13")
def test_tables_change_while_people_talk_and_nobody_notices(room: EngineRoom, hands: Hands) -> None:
    seat = hands.seat("8001")
    caller = hands.caller().call(EMERGENCY)
    seat.waits_for("ringing")
    seat.lift()
    caller.hears_just("8001", why="they talk")
    usual = room.lines
    more = replace(usual, seats=(*usual.seats, Seat("8044", f"{SECRET}-8044", "新来的")))
    try:
        assert not load(room, more)
        newcomer = hands._keep(Handset(room, room.ground.agents, user="8044", voice="8003")).register()
        assert room.ask("endpoints/PJSIP/8044")["state"] == "online"
        caller.hears_just("8001")
        seat.hears_just("caller")
        with pytest.raises(writing.RefusedConfig):
            load(room, replace(more, seats=(*more.seats, Seat("8045", "short"))))
        caller.hears_just("8001")
        assert not load(room, usual)
        until(lambda: room.ask("endpoints/PJSIP/8044")["state"] == "offline", "who was taken out is out")
        with pytest.raises(AssertionError):
            newcomer.register()
    finally:
        load(room, usual)
    caller.hang_up()
    seat.waits_for("ended")


@pytest.mark.req("CALL-13")
def test_a_wish_is_tried_beside_the_running_engine_and_what_it_can_not_read_is_named(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trial.run(wishes(room, room.lines)) == set()
    monkeypatch.setattr(
        "anju.calls.lines.config.sip._seat", lambda seat: f"[{seat.extension}](seat)\nno_such_option = 1\n"
    )
    missing = trial.run(wishes(room, room.lines))
    assert {"8001", "web8001"} <= missing
    assert "trunk" not in missing
    assert room.is_up()


@pytest.mark.req("CALL-01", "CALL-02")
def test_a_one_key_phone_proves_itself_and_whatever_it_dials_is_a_cry_for_help(room: EngineRoom, hands: Hands) -> None:
    seat = hands.seat("8001")
    with proven_caller(room, "phone1", f"{SECRET}-phone1", dials="1") as phone:
        seat.waits_for("ringing", within=30)
        (channel,) = [c for c in room.ask("channels") if c["name"].startswith("PJSIP/phone1")]
        assert channel["caller"]["number"] == "13700000001", "its number is ours to say, not the phone's"
        assert room.cli(f"core show channel {channel['name']}").count("ANJU_EMERGENCY=1")
        seat.lift()
        seat.waits_for("answered")
        assert phone.wait(20) == 0
    with proven_caller(room, "phone1", "a-wrong-secret-000", dials="1"):
        log = room.machine.home / "log" / "stdout"
        until(lambda: "Failed to authenticate" in log.read_text(errors="replace"), "the stranger is turned away")
        assert not room.ask("channels")
    until(lambda: not room.ask("channels"), "nothing is left")


@contextmanager
def proven_caller(room: EngineRoom, user: str, secret: str, *, dials: str) -> Iterator[subprocess.Popen[bytes]]:
    """A SIPp that logs in, calls, stays two seconds after the answer and hangs up: exit code 0 if all went so."""
    host, _, port = room.sip.partition(":")
    command = [
        "sipp", "-sf", str(Path(__file__).with_name("proven_caller.xml")), f"{host}:{port}", "-s", dials, "-key", "number", user,
        "-i", room.ground.home, "-mi", room.ground.home, "-au", user, "-ap", secret, "-d", "2000", "-m", "1", "-nostdin", "-timeout", "18",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=room.machine.home) as sipp:
        yield sipp
        sipp.kill()


@pytest.mark.req("CALL-13")
def test_the_engine_runs_as_nobody_special_and_others_read_neither_secrets_nor_recordings(room: EngineRoom) -> None:
    assert room.process is not None
    said = Path(f"/proc/{room.process.pid}/status").read_text()
    (uid,) = [line.split()[1] for line in said.splitlines() if line.startswith("Uid:")]
    who = asterisk.user()
    assert uid != "0"
    assert who is None or int(uid) == who.uid
    for path in (room.machine.etc, room.machine.recordings):
        assert path.stat().st_mode & 0o077 == 0
    assert all(p.stat().st_mode & 0o077 == 0 for p in room.machine.etc.iterdir())
    assert room.ask("asterisk/info") is not None
