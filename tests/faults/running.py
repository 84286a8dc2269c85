"""A whole platform in a temporary folder, started by `./run`'s own supervisor, for tests that break it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from anju.ops.home import ROOT, Home, read_json
from anju.ops.processes import ProcessId
from anju.ops.supervisor import recorded
from anju.ops.waiting import wait_for

NAMES = ("web", "gateway", "gateway-2", "urgent", "router", "ticker", "worker", "postgres")


def free_ports() -> int:
    """The first of four ports in a row that nobody holds."""
    for first in range(18000 + os.getpid() % 2000, 30000, 4):
        sockets = []
        try:
            sockets = [socket.create_server(("127.0.0.1", first + step)) for step in range(4)]
        except OSError:
            continue
        finally:
            for opened in sockets:
                opened.close()
        return first
    raise RuntimeError("no free ports")


class Platform:
    """What a test may do to it: start, look, kill, stop."""

    def __init__(self, folder: Path, port: int) -> None:
        self.home = Home(folder)
        self.port = port
        self.log = folder.parent / "run.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, seconds: float = 180) -> None:
        """`./run`, until everything answers."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("ANJU_") and k != "DATABASE_URL"}
        env |= {"ANJU_GATEWAY_PROCESSES": "2", "ANJU_HOME": str(self.home.path), "PYTHONPATH": str(ROOT / "src")}
        command = [sys.executable, "-m", "anju.ops", "run", "--port", str(self.port), "--no-demo", *options]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
        ready = wait_for(lambda: self.ready or self.process.poll() is not None, seconds, every=0.2)
        assert ready, f"not ready: {self.words()}"
        assert self.ready, f"ended: {self.words()}"

    @property
    def ready(self) -> bool:
        """As its own file says, written by this very start."""
        mine = self.process is not None and self.report.get("supervisor", {}).get("pid") == self.process.pid
        return mine and self.run_file.get("ready") is True

    @property
    def run_file(self) -> dict[str, Any]:
        """`run.json`."""
        return read_json(self.home.run)

    @property
    def report(self) -> dict[str, Any]:
        """`supervisor.json`."""
        return read_json(self.home.supervisor)

    def words(self) -> str:
        """The last lines of every log, for a failed assertion."""
        logs = [self.log, *sorted(self.home.logs.glob("*.log"))]
        tails = {log.name: log.read_text(errors="replace").splitlines()[-12:] for log in logs if log.exists()}
        return json.dumps({"supervisor": self.report, **tails}, ensure_ascii=False, indent=1)

    def processes(self) -> dict[str, ProcessId]:
        """Who runs now."""
        return recorded(self.home)

    def kill(self, name: str) -> ProcessId | None:
        """kill −9; None when it does not run just now."""
        process = self.processes().get(name)
        if process is not None:
            os.kill(process.pid, signal.SIGKILL)
        return process

    def kill_supervisor(self) -> None:
        """kill −9 of the one who looks after the others."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """As Ctrl-C does."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`./anju …` while it runs."""
        env = {**os.environ, **read_json(self.home.environment)}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database, as its own role."""
        with psycopg.connect(read_json(self.home.environment)["DATABASE_URL"]) as connection:
            return connection.execute(query, values).fetchall()


@contextmanager
def platform() -> Iterator[Platform]:
    """A new one; stopped and removed afterwards, whatever happened."""
    with tempfile.TemporaryDirectory(prefix="anju-faults-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        made = Platform(Path(folder) / "home", free_ports())
        try:
            yield made
        finally:
            made.stop()
            for process in made.processes().values():
                os.kill(process.pid, signal.SIGKILL)
