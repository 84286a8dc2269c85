"""The embedded PostgreSQL: made, started as an ordinary user, survives kill −9, speaks to nobody without a password."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from anju.ops import postgres
from anju.ops.home import Home
from anju.ops.postgres import PostgresError, Server, choose_home, find_programs, server_user
from anju.ops.processes import identify
from anju.ops.waiting import wait_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")


@pytest.fixture
def server(home: Home) -> Iterator[Server]:
    made = Server(home.path / "postgres", "the password", "the admin's")
    yield made
    pid_file = made.data / "postmaster.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGQUIT)


def test_data_outlive_a_killed_server(server: Server) -> None:
    process = server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        row = connection.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone()
        assert row == (False,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace("the%20password", "wrong"))
    if os.geteuid() == 0:
        assert Path(f"/proc/{process.pid}").stat().st_uid != 0
    port = server.port
    process.kill()
    process.wait(60)
    assert wait_for(lambda: not server.answers(), 5)
    again = server.start()
    assert server.port == port
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT * FROM kept").fetchall() == [(1,)]
    assert server.stop(again) == 0


def test_a_lock_of_the_dead_or_of_somebody_else_does_not_keep_it_from_starting(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed server that nobody reaped, and another program that got its number: PostgreSQL takes both for itself."""
    monkeypatch.setattr(postgres, "REAPED_WITHIN", 0.1)
    process = server.start()
    lock = server.data / "postmaster.pid"
    kept = lock.read_text().splitlines(keepends=True)[1:]
    server._let_the_dead_go()
    assert lock.exists(), "of one that lives it stays"
    with pytest.raises(PostgresError):
        Server(server.home, "the password", "the admin's").start()
    assert server.stop(process) == 0
    dead = subprocess.Popen(["true"], user=server.user.uid if server.user else None)
    assert wait_for(lambda: identify(dead.pid) is None, 10)
    other = subprocess.Popen(["sleep", "60"], user=server.user.uid if server.user else None)
    try:
        for number in (dead.pid, other.pid):
            lock.write_text("".join([f"{number}\n", *kept]))
            again = server.start()
            assert server.stop(again) == 0
    finally:
        other.kill()
        other.wait()
        dead.wait()


def test_a_server_that_says_it_is_starting_is_waited_for_and_a_silent_one_is_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut a large database repeats its log for minutes: who gives up begins anew, for ever."""
    assert server.stop(server.start()) == 0
    with pytest.raises(PostgresError, match="did not answer within"):
        server.wait_ready(silence=0.2)
    monkeypatch.setattr(postgres, "TOLD_EVERY", 0.3)
    (server.home / "local.conf").write_text("hot_standby = off\n")
    server._write(server.data / "standby.signal", "")  # says "not accepting connections" until it is promoted
    process = server._begin()
    said: list[str] = []

    def promote(words: str) -> None:
        said.append(words)
        if len(said) == 3:
            server._write(server.data / "promote", "")
            process.send_signal(signal.SIGUSR1)

    server.wait_ready(process, silence=30, tell=promote)
    assert server.answers()
    assert len(said) >= 3
    assert all("the database system is" in words for words in said)
    assert server.stop(process) == 0


@pytest.mark.skipif(postgres._wheel_folder() is None, reason="the wheel is not installed")
def test_the_wheel_serves_even_where_its_user_can_not_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANJU_POSTGRES_BIN", "wheel")
    monkeypatch.setattr(postgres, "_can_enter", lambda *_: False)
    process = server.start()
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SHOW server_version_num").fetchone()
        assert row is not None
        assert int(row[0]) >= 180000
    if os.geteuid() == 0:
        assert str(server.home) in server.command()[0]
    assert server.stop(process) == 0


def test_data_of_another_version_are_left_alone() -> None:
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 9.*apt-get install postgresql-9"):
        find_programs(9)


@as_root
def test_below_a_closed_folder_the_database_lives_elsewhere(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "OUTSIDE", home.path.parent / "outside")
    var = home.path / "closed" / "var"
    var.mkdir(parents=True)
    place, remark = choose_home(var)
    assert (place, remark) == (var / "postgres", "")
    (var / "postgres.place").unlink()
    var.parent.chmod(0o700)
    place, remark = choose_home(var)
    assert place.parent == home.path.parent / "outside"
    user = server_user()
    assert user is not None
    assert user.name in remark
    assert choose_home(var)[0] == place  # kept
    assert var.parent.stat().st_mode & 0o777 == 0o700  # nobody's permissions were touched
