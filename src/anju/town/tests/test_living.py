"""The running town: people of the population, devices with their faults, collapses with the truth, and a platform that restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from anju.kernel import clock
from anju.kernel.clock import SHANGHAI
from anju.town import going_on, living, people
from anju.town.kits import DeviceSeed
from anju.town.simulate import Plan, Town
from anju.town.tests.test_simulate import CALM, KEYS, FrontDoor
from anju.town.voices import Household, Voice
from anju.town.weather import HELD, Weather

MONDAY = date(2026, 11, 16)
PIR = DeviceSeed("motion", "pir-nb1", "868000000000001", "aj1", "WC1", "过道", "011")


@pytest.mark.req("SEN-08")
def test_a_person_keeps_her_habits_and_differs_from_others() -> None:
    def first(n: int, on: date) -> float:
        seen = [d.at for d in living.day(n, on, SHANGHAI, "卫生间门口") if d.kind == "motion" and d.at.hour >= 4]
        return min(((at - at.replace(hour=0, minute=0)).total_seconds() / 3600 for at in seen), default=24.0)

    wakes = {n: sorted(first(n, MONDAY + timedelta(days=k)) for k in range(28)) for n in range(12)}
    medians = {n: w[len(w) // 2] for n, w in wakes.items()}
    assert max(medians.values()) - min(medians.values()) > 0.7, "people differ"
    for n, w in wakes.items():
        assert w[21] - w[6] < 2.5, f"home {n} gets up when she likes"
    assert living.day(3, MONDAY, SHANGHAI) == living.day(3, MONDAY, SHANGHAI)


def test_nobody_moves_at_home_while_she_is_on_a_trip() -> None:
    trips = [
        (n, MONDAY + timedelta(days=k))
        for n in range(80)
        for k in range(30)
        if any(b - a >= 23.9 for a, b in living.away(n, MONDAY + timedelta(days=k)))
    ]
    assert trips
    for n, on in trips[:20]:
        if not living.person(n).pet:
            assert living.day(n, on, SHANGHAI) == []


def test_a_report_carries_what_was_kept_and_an_empty_battery_says_nothing() -> None:
    voice = Voice.of(PIR, 1, KEYS, cell=330_105)
    voice.offset = 0.0
    at = datetime(2026, 11, 16, 8, tzinfo=SHANGHAI)
    assert list(voice.say("motion", at=at)) == []
    (post,) = voice.say("vitals", at=at + timedelta(minutes=12))
    said = json.loads(post.body)["payload"]
    assert [r["t"] for r in said["Motion_Records"]] == [round(at.timestamp() * 1000)]
    assert (said["Cell_ID"], post.cell) == (330_105, 330_105)
    (quiet,) = voice.say("vitals", at=at + timedelta(minutes=72))
    assert "Motion_Records" not in json.loads(quiet.body)["payload"]
    voice.battery = 0
    assert list(voice.say("vitals", at=at)) == []
    door = Voice.of(DeviceSeed("door", "door-nb1", "868000000000002", "aj2", "WC2", "入户门", "039"), 1, KEYS)
    door.stuck = True
    assert list(door.say("door_open", at=at)) == []
    assert list(door.say("vitals", at=at)) != []


@pytest.mark.req("SEN-09")
def test_a_cell_is_dark_for_all_its_homes_and_an_sos_passes() -> None:
    weather, rng = Weather(0, 0, 0, 0, 0, cell_late=0.0, dark=1.0), Random(1)
    hours = [h / 4 for h in range(96) if weather.together(330_101, h / 4) > HELD]
    assert 2 <= len(hours) / 4 <= 8.5
    kept = [d for _ in range(300) for d, *_ in weather.of("post", rng, cell=330_101, hour=hours[0], speed=60)]
    assert 100 < len(kept) < 200, "half of it comes afterwards"
    assert all(d <= 8 * 3600 / 60 + 20 for d in kept)
    assert next(d for d, *_ in weather.of("post", rng, cell=330_101, hour=hours[0], precious=True)) == 0.0
    assert Weather(0, 0, 0, 0, 0, 0, 0).together(330_101, hours[0]) == 0.0


@pytest.mark.enable_socket
@pytest.mark.req("SEN-08")
def test_who_collapsed_is_silent_and_the_truth_is_written_down(tmp_path: Path) -> None:
    truth = tmp_path / "town" / "truth.jsonl"
    homes = people.homes(30, today=clock.today())

    async def go() -> Town:
        async with FrontDoor() as door:
            town = Town(homes, door.doors, Plan(duration=0.8, collapse_every=0.2, truth=truth, weather=CALM), keys=KEYS)
            await town.run(asyncio.Event())
            return town

    town = asyncio.run(go())
    lines = [json.loads(line) for line in truth.read_text().splitlines()]
    assert 2 <= len(lines) == town.tally.kinds["collapse"] <= 4
    fallen = next(h for h in town._households if h.home.n == lines[0]["home"])
    at, rng = datetime.fromisoformat(lines[0]["at"]), Random(1)
    assert fallen.down_until == datetime.fromisoformat(lines[0]["until"])
    assert list(fallen.said("door_open", at=at + timedelta(seconds=1), count=1, rng=rng)) == []
    assert list(fallen.said("door_open", at=fallen.down_until + timedelta(hours=1), count=1, rng=rng)) != [] or any(
        v.stuck for v in fallen.voices
    )


@pytest.mark.enable_socket
def test_a_town_that_goes_on_waits_for_the_platform_and_takes_up_again(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(going_on, "LOOK", 0.05)
    file, said = tmp_path / "run.json", []
    homes = people.homes(10, today=clock.today())

    def write(door: FrontDoor, key: str) -> None:
        urls = {name: {"url": d.url, "headers": {"X-Secret": key}} for name, d in door.doors.items()}
        file.write_text(json.dumps({"gateway": urls}))

    async def until(it: Callable[[], object], running: asyncio.Task[object]) -> None:
        async with asyncio.timeout(60):
            while not it():
                await asyncio.wait({running}, timeout=0.02)
                assert not running.done()

    async def go() -> tuple[FrontDoor, FrontDoor]:
        stop = asyncio.Event()
        plan = Plan(speed=20_000, duration=float("inf"), weather=CALM, lines=2)
        running = asyncio.create_task(going_on.live(homes, plan, str(file), said.append, stop))
        async with FrontDoor() as first:
            await until(lambda: said, running)
            assert said == ["小镇在等平台启动。"]
            write(first, "one")
            await until(lambda: first.bodies, running)
        async with FrontDoor() as second:
            write(second, "two")
            await until(lambda: second.bodies, running)
            stop.set()
            await asyncio.wait_for(running, 60)
            return first, second

    first, second = asyncio.run(go())
    assert first.bodies
    assert second.bodies
    assert all(b"X-Secret: two" in head for head in second.heads)
    assert any("重新启动" in line for line in said)


def test_numbers_of_devices_go_on_after_a_restart() -> None:
    home = people.homes(3, today=clock.today())[2]
    voices = Household.of(home, 1, KEYS, seq=4711).voices
    assert {v.seq for v in voices} == {4711}
