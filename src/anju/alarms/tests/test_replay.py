"""The door for measuring: what goes in, what comes out, and that the future is never used."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command

HEAD = "timestamp,home,sensor,value\n"


def recording(days: int = 25, seed: int = 3) -> str:
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
    text = recording()
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
    lines = recording().splitlines(keepends=True)
    cut = len(lines) * 2 // 3
    whole = run(tmp_path, "".join(lines))
    part = run(tmp_path, "".join(lines[:cut]))
    for a, b in zip(part, whole, strict=False):
        assert {**a, "silence_ended_at": ""} == {**b, "silence_ended_at": ""}


def test_rows_that_come_late_in_the_file_count_at_their_own_time(tmp_path: Path) -> None:
    lines = recording(days=5).splitlines()[1:]
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
    text = recording()
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
