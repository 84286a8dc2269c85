"""The door for measuring: what goes in, what comes out, and that the future is never used."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from anju.alarms import priors, recording, replay, rhythm
from anju.alarms.models import PlacementPrior
from anju.alarms.rhythm import Prior
from anju.kernel.models import AuditLine

PRIOR = Prior("quick", tuple(v * 2 for v in rhythm.generic().rates), rhythm.generic().tails)
HEAD = "timestamp,home,sensor,value\n"


def recording_of(days: int = 25, seed: int = 3) -> str:
    """Two invented homes, one with an entrance door."""
    rng = Random(seed)
    rows: list[tuple[datetime, str, str, str]] = []
    for home in ("a", "b"):
        at = datetime(2026, 3, 1, 6)  # noqa: DTZ001 -- recordings are in local time
        while at < datetime(2026, 3, 1) + timedelta(days=days):  # noqa: DTZ001
            quiet = at.hour >= 22 or at.hour < 6
            at += timedelta(minutes=rng.expovariate(1 / (150 if quiet else 20)))
            rows.append((at, home, "bathroom", "ON"))
            rows.append((at + timedelta(seconds=9), home, "bathroom", "OFF"))
            if home == "a" and rng.random() < 0.02:
                rows.append((at + timedelta(seconds=30), home, "door", "OPEN"))
                at += timedelta(hours=1)
    rows.sort()
    return HEAD + "".join(f"{t.isoformat()},{h},{s},{v}\n" for t, h, s, v in rows)


def run(tmp_path: Path, text: str, *more: str, budget: str = "1") -> list[dict[str, str]]:
    (tmp_path / "events.csv").write_text(text)
    call_command(
        "rhythm", "replay", "--events", str(tmp_path / "events.csv"), "--budget", budget,
        "--out", str(tmp_path / "out.csv"), *more, stderr=io.StringIO(),
    )  # fmt: skip
    return list(csv.DictReader((tmp_path / "out.csv").open()))


@pytest.mark.req("SEN-08")
def test_one_row_for_each_life_sign_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = recording_of()
    rows = run(tmp_path, text)
    signs = [line.split(",") for line in text.splitlines()[1:] if line.endswith(("ON", "OPEN"))]
    assert [(r["home"], r["last_life_at"]) for r in rows] == [(home, at) for at, home, _, _ in signs]
    assert list(rows[0]) == ["home", "last_life_at", "mode", "soft_deadline_at", "hard_deadline_at", "silence_ended_at"]
    assert {r["home"] for r in rows if not r["silence_ended_at"]} == {"a", "b"}
    assert sum(not r["silence_ended_at"] for r in rows) == 2
    for r in rows:
        last, soft, hard = (
            datetime.fromisoformat(r[k]) for k in ("last_life_at", "soft_deadline_at", "hard_deadline_at")
        )
        assert last + timedelta(minutes=15) <= soft <= hard <= last + timedelta(hours=36)
    assert {r["mode"] for r in rows if r["home"] == "a"} == {"home", "away"}
    assert {r["mode"] for r in rows if r["home"] == "b"} == {"home"}


def test_the_future_changes_no_deadline(tmp_path: Path) -> None:
    lines = recording_of().splitlines(keepends=True)
    cut = len(lines) * 2 // 3
    whole = run(tmp_path, "".join(lines))
    part = run(tmp_path, "".join(lines[:cut]))
    for a, b in zip(part, whole, strict=False):
        assert {**a, "silence_ended_at": ""} == {**b, "silence_ended_at": ""}


def test_rows_that_come_late_in_the_file_count_at_their_own_time(tmp_path: Path) -> None:
    lines = recording_of(days=5).splitlines()[1:]
    mixed = [*lines]
    Random(1).shuffle(mixed)
    straight = {(r["home"], r["last_life_at"]): r for r in run(tmp_path, HEAD + "\n".join(lines))}
    shuffled = run(tmp_path, HEAD + "\n".join(mixed))
    assert len(shuffled) == len(straight)
    assert all(straight[r["home"], r["last_life_at"]] == r for r in shuffled)


def test_door_and_entry_are_the_door_and_motion_within_a_minute_still_counts_as_leaving(tmp_path: Path) -> None:
    rows = run(tmp_path, HEAD + "".join([
        "2026-03-01T08:00:00,h,kitchen,1\n", "2026-03-01 09:00:00,h,entry,OPEN\n", "2026-03-01T09:00:50,h,kitchen,on\n",
        "2026-03-01T09:01:01.5,h,kitchen,ON\n", "2026-03-01T10:00:00+08:00,h,Door,OPEN\n", "2026-03-01T10:00:20,h,door,CLOSE\n",
    ]))  # fmt: skip
    assert [r["mode"] for r in rows] == ["home", "away", "away", "home", "away"]


def outcome(tmp_path: Path, data: bytes | str, *more: str) -> tuple[list[dict[str, str]], str]:
    """The rows of a file, and what was said about it."""
    (tmp_path / "e.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
    said = io.StringIO()
    call_command(
        "rhythm", "replay", "--events", str(tmp_path / "e.csv"), "--budget", "1", "--out", str(tmp_path / "o.csv"), *more, stderr=said,
    )  # fmt: skip
    return list(csv.DictReader((tmp_path / "o.csv").open())), said.getvalue()


ROWS = (
    "2026-03-01T08:00:00,h,kitchen,ON\n2026-03-01 09:30:00.25,h,door,OPEN\n2026-03-01T09:30:00.25,h,door,OPEN\n"
    "2026-03-01T09:30:10,h,kitchen,OFF\n2026-03-02T07:00:00,h,ufo,1\n"
)


@pytest.mark.req("SEN-08")
@pytest.mark.parametrize(
    "data",
    [
        HEAD + ROWS, ROWS, "\ufeff" + HEAD + ROWS, (HEAD + ROWS).replace("\n", "\r\n"), "# by hand\n\n" + HEAD + ROWS.replace("\n", "\n\n"),
        (HEAD + ROWS).replace(",", ";"), (HEAD + ROWS).replace(",", "\t"), HEAD.upper() + ROWS.replace("ON", " on "),
        "value,home,note,timestamp,sensor\n"
        + "".join(f"{v},{h},x,{t},{s}\n" for t, h, s, v in (line.split(",") for line in ROWS.splitlines())),
        HEAD + ROWS[: ROWS.index("2026-03-02")] + HEAD + ROWS[ROWS.index("2026-03-02") :],
        HEAD + ROWS.replace("T08", "T08").replace("09:30:00.25", "09:30:00.250000+08:00"), (HEAD + ROWS).encode("utf-16"),
        "".join('"' + line.replace(",", '", "') + '"\n' for line in (HEAD + ROWS).splitlines()),
        (HEAD + ROWS.replace("kitchen", "厨房")).encode("gbk"), HEAD + ROWS.replace("door", "D001"),
    ],
    ids=[
        "header", "none", "bom", "crlf", "comments and blank lines", "semicolons", "tabs", "capitals", "order of columns", "put together", "zone",
        "utf-16", "quotes after blanks", "gbk", "a door of casas",
    ],
)  # fmt: skip
def test_the_same_record_in_any_dress(tmp_path: Path, data: bytes | str) -> None:
    rows, said = outcome(tmp_path, data)
    assert [(r["last_life_at"], r["mode"]) for r in rows] == [
        ("2026-03-01T08:00:00", "home"), ("2026-03-01T09:30:00.250000", "away"), ("2026-03-01T09:30:00.250000", "away"),
        ("2026-03-02T07:00:00", "home"),
    ]  # fmt: skip
    assert [r["silence_ended_at"] for r in rows] == [*(r["last_life_at"] for r in rows[1:]), ""]
    assert "生命迹象 4 条，非迹象 1 条，读不懂 0 条" in said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("timestamp,sensor,value\n2026-03-01T08:00:00,kitchen,ON\n", "第 1 行的表头缺少列 home.*line 1: missing"),
        ("gestern,h,kitchen,ON\n", "没有一行读得懂.*第 1 行.*gestern.*ISO"),
        ("3026-03-01T08:00:00,h,kitchen,ON\n", "year out of range"),
        (b"timestamp,home,sensor,value\n2026-03-01T08:00:00,\xff\xfe,kitchen,ON\n", "没有一行读得懂.*第 2 行.*UTF-8"),
        (HEAD + ROWS.replace("2026-", "2026/"), "没有一行读得懂.*第 2 行.*2026/03"),
        (HEAD + "2026-03-01T08:00:00," + "x" * 200_000 + ",kitchen,ON\n", "第 2 行读不懂.*field larger"),
    ],
    ids=["a column missing", "no time", "far future", "no utf-8", "no time in quiet rows either", "endless field"],
)
def test_what_can_not_be_read_is_refused_with_its_line(tmp_path: Path, data: bytes | str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        outcome(tmp_path, data)


@pytest.mark.parametrize(("word", "door"), [
    ("FrontDoor", True), ("front-door", True), ("D012", True), ("Door Sensor 2", True), ("大门", True), ("M003", False), ("kitchen", False),
    ("bathroom door", False), ("indoor", False), ("outdoor", False), ("厨房门", False), ("den", False),
])  # fmt: skip
def test_the_entrance_door_is_told_from_the_doors_of_rooms(word: str, *, door: bool) -> None:
    assert recording.is_door(word) is door


def test_a_quote_that_is_never_closed_costs_no_other_line(tmp_path: Path) -> None:
    rows, said = outcome(tmp_path, HEAD + ROWS.replace(",door", ',"door', 1) + ROWS.replace("2026-03", "2026-04"))
    assert len(rows) == 8
    assert "生命迹象 8 条" in said


def test_a_record_without_signs_gives_no_rows_and_odd_settings_are_refused(tmp_path: Path) -> None:
    for nothing in ("", HEAD, HEAD + "2026-03-01T08:00:00,h,kitchen,OFF\n"):
        rows, said = outcome(tmp_path, nothing)
        assert rows == []
        assert "生命迹象 0 条" in said
        assert (tmp_path / "o.csv").read_text().startswith("home,last_life_at,mode")
    for odd in (["--budget", "inf"], ["--budget", "nan"], ["--budget", "-1"], ["--soft", "0.5"], ["--soft", "nan"]):
        with pytest.raises(CommandError, match="budget"):
            outcome(tmp_path, HEAD + ROWS, *odd)
    with pytest.raises(CommandError, match="同一个文件"):
        outcome(tmp_path, HEAD + ROWS, "--out", str(tmp_path / "e.csv"))
    with pytest.raises(CommandError, match="写不进"):
        outcome(tmp_path, HEAD + ROWS, "--out", str(tmp_path / "nowhere" / "o.csv"))
    rows, _ = outcome(tmp_path, HEAD + ROWS, "--budget", "0.000001")
    assert {r["hard_deadline_at"][:10] for r in rows} <= {"2026-03-01", "2026-03-02", "2026-03-03"}  # the caps hold


SIGN = st.tuples(
    st.integers(0, 40 * 86_400), st.sampled_from(["a", "b"]), st.sampled_from(["bath", "kitchen", "door"]),
    st.sampled_from(["ON", "OFF", "OPEN"]),
)  # fmt: skip


@pytest.mark.req("SEN-08")
@given(found=st.lists(SIGN, min_size=1, max_size=60), cut=st.integers(0, 60), several=st.booleans())
def test_no_row_knows_of_what_came_later(found: list[tuple[int, str, str, str]], cut: int, *, several: bool) -> None:
    """Whatever follows a row changes nothing in it but the end of its silence, and no other home changes anything in it."""
    found.sort(key=lambda f: f[0])
    priors = {"bath": PRIOR, "*": rhythm.generic()}

    def rows(some: list[tuple[int, str, str, str]]) -> list[tuple[str, ...]]:
        text = "".join(
            f"{(datetime(2026, 3, 1) + timedelta(seconds=at)).isoformat()},{home},{sensor},{value}\n"  # noqa: DTZ001
            for at, home, sensor, value in some
        )
        read = recording.read(io.StringIO(HEAD + text), recording.Report())
        return list(replay.silences(read, priors if several else {}, budget=1.0))

    whole, part = rows(found), rows(found[:cut])
    assert [row[:5] for row in part] == [row[:5] for row in whole[: len(part)]]
    assert len(whole) == sum(value != "OFF" for *_, value in found)
    alone = rows([f for f in found if f[1] == "a"])
    assert alone == [row for row in whole if row[0] == "a"]


def test_two_years_with_holes_of_weeks_and_every_row_is_there(tmp_path: Path) -> None:
    rng, at, lines = Random(5), datetime(2024, 1, 1, 7), []  # noqa: DTZ001
    while at < datetime(2026, 1, 1):  # noqa: DTZ001
        at += timedelta(hours=rng.choice([0.1, 2, 9, 9, 20, 24 * 25 if rng.random() < 0.02 else 5]))
        lines.append(f"{at.isoformat()},h,{rng.choice(['bath', 'kitchen'])},ON\n")
    rows, _ = outcome(tmp_path, HEAD + "".join(lines))
    assert len(rows) == len(lines)
    for r in rows:
        last, soft, hard = (datetime.fromisoformat(r[k]) for k in list(r)[1:2] + list(r)[3:5])
        assert last < soft <= hard <= last + timedelta(hours=24)


def test_a_bad_line_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(
        HEAD + "gestern,h,kitchen,ON\n2026-03-01T08:00:00,h,kitchen,ON\n2026-03-01T08:00:00,h\n"
        "2026-03-01T08:05:00,h,kitchen,maybe\n\n2026-03-01T08:09:00,h,kitchen,OFF\n"
    )
    said = io.StringIO()
    arguments = ["rhythm", "replay", "--events", str(tmp_path / "e.csv"), "--out", str(tmp_path / "o.csv"), "--budget"]
    call_command(*arguments, "1", stderr=said)
    assert "第 2 行" in said.getvalue()
    assert "第 4 行" in said.getvalue()
    assert "第 5 行" in said.getvalue()
    assert "生命迹象 1 条，非迹象 1 条，读不懂 3 条" in said.getvalue()
    with pytest.raises(CommandError, match="budget"):
        call_command(*arguments, "0", stderr=said)
    with pytest.raises(CommandError, match=r"nothing\.csv"):
        call_command("rhythm", "replay", "--events", "nothing.csv", "--budget", "1", "--out", "-", stderr=said)


def test_a_prior_is_learnt_kept_in_a_file_and_used(tmp_path: Path) -> None:
    text = recording_of()
    (tmp_path / "events.csv").write_text(text)
    prior = tmp_path / "prior.json"
    call_command("rhythm", "prior", "--events", str(tmp_path / "events.csv"), "--leave-out", "a", "--out", str(prior),
                 stderr=io.StringIO())  # fmt: skip
    without, with_it = run(tmp_path, text), run(tmp_path, text, "--prior", str(prior))
    assert [r["last_life_at"] for r in with_it] == [r["last_life_at"] for r in without]
    assert with_it[0]["hard_deadline_at"] != without[0]["hard_deadline_at"]
    prior.write_text('{"format": "something"}')
    with pytest.raises(CommandError, match="先验"):
        run(tmp_path, text, "--prior", str(prior))


@pytest.mark.django_db
def test_a_prior_file_is_loaded_into_the_platform_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(recording_of(days=16))
    file, said = tmp_path / "prior.json", io.StringIO()
    call_command(
        "rhythm", "prior", "--events", str(tmp_path / "events.csv"), "--out", str(file), "--name", "试点", stderr=said
    )
    call_command("rhythm", "load", str(file), "--as", "bathroom=卫生间", stdout=said)
    assert {p.placement: p.homes for p in PlacementPrior.objects.all()} == {"卫生间": 2, "*": 2}
    assert priors.of("卫生间").name.startswith("卫生间@")
    assert "卫生间：2 户" in said.getvalue()
    line = AuditLine.objects.get(action="rhythm.prior")
    assert (line.subject_id, line.actor) == ("试点", "命令行")
    with pytest.raises(CommandError, match="--as"):
        call_command("rhythm", "load", str(file), "--as", "cellar=地下室")
    PlacementPrior.objects.all().delete()
    data = json.loads(file.read_text())
    for damage in ({"rates": [1.0]}, {"rates": [float("nan")] * 288}, {"homes": 0}):
        odd = json.loads(json.dumps(data))
        odd["placements"]["bathroom"] |= damage
        file.write_text(json.dumps(odd))
        with pytest.raises(CommandError, match="不能装入"):
            call_command("rhythm", "load", str(file))
        assert not PlacementPrior.objects.exists()
    priors.reload()
