"""The database goes away under the worker: no job is lost, none that ended runs again, and the clock's jobs go on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from anju.ops.home import ROOT
from anju.ops.postgres import Server, server_user
from anju.ops.waiting import wait_for

ASK = "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', 'faults.once', jsonb_build_object('n', %s::int))"


class Watched:
    """The worker, started again whenever it ends, as the supervisor does."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.env, self.log, self.starts = env, log, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._keep)

    def _keep(self) -> None:
        while not self.stop.is_set():
            self.starts += 1
            with self.log.open("ab") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.worker"], cwd=ROOT, env=self.env, stdout=out, stderr=out
                )
                while process.poll() is None and not self.stop.wait(0.1):
                    pass
                process.terminate()
                process.wait(60)
            self.stop.wait(0.5)


@pytest.fixture
def server() -> Iterator[Server]:
    """A PostgreSQL of its own, that the test may kill."""
    with tempfile.TemporaryDirectory(prefix="anju-faults-", ignore_cleanup_errors=True) as folder:
        if user := server_user():
            os.chown(folder, user.uid, user.gid)
        yield Server(Path(folder) / "pg", "faults", "faults", durable=True)


@pytest.mark.faults
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.req("SYS-04")
def test_no_job_is_lost_when_the_database_goes_away(server: Server, tmp_path: Path) -> None:
    postgres = server.start()
    env = os.environ | {
        "DATABASE_URL": server.url, "ANJU_MODE": "test", "ANJU_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT / "src"),
    }  # fmt: skip
    watched = Watched(env, tmp_path / "worker.log")

    def ran() -> Counter[str]:
        with psycopg.connect(server.url) as conn:
            return Counter(row[0] for row in conn.execute("SELECT what FROM faults_ran"))

    def ask(first: int, count: int) -> None:
        with psycopg.connect(server.url) as conn:
            for n in range(first, first + count):
                conn.execute(ASK, [n])

    def beats() -> int:
        return sum(what.startswith("beat") for what in ran())

    try:
        migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "--skip-checks", "-v0"]
        subprocess.run(migrate, env=env, cwd=ROOT, check=True)
        with psycopg.connect(server.url) as conn:
            conn.execute("CREATE TABLE faults_ran (what text, at timestamptz)")
        ask(0, 20)
        watched.thread.start()
        assert wait_for(lambda: beats() >= 2, 60, every=0.2), watched.log.read_text()[-3000:]
        for round_ in (1, 2):
            ask(100 * round_, 60)  # three seconds of work for one hand: some are under way when the database dies
            if round_ == 1:
                postgres.kill()
                postgres.wait(180)
            else:
                server.stop(postgres)
            watched.stop.wait(4)
            postgres = server.start()
            ask(100 * round_ + 60, 10)
            before = beats()
            assert wait_for(lambda: beats() >= before + 3, 90, every=0.5), watched.log.read_text()[-3000:]  # noqa: B023
        wanted = {f"once {n}" for n in (*range(20), *range(100, 170), *range(200, 270))}
        assert wait_for(lambda: wanted <= ran().keys(), 90, every=0.5), sorted(wanted - ran().keys())
        found = ran()
        twice = {what for what, count in found.items() if count > 1}
        runs = sum(found[what] for what in wanted)
        print(f"{len(wanted)} asked for, {runs} runs, {beats()} beats, worker started {watched.starts} times")  # noqa: T201 - shown with -s
        # Only what was under way at a death may run again (its work was done, its end not yet written), never what had ended.
        assert len(twice) <= 2 * 8, twice
        assert all(count <= 2 for count in found.values())
        with psycopg.connect(server.url) as conn:
            (left,) = conn.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'faults.once'"
            ).fetchone() or (None,)
        assert left == 0, "nothing hangs"
    finally:
        watched.stop.set()
        if watched.thread.is_alive():
            watched.thread.join(90)
        server.stop(postgres)
