"""Several processes at one port: each is started, asked, and started again by itself."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from anju.ops import run, status, table
from anju.ops.child import Child
from anju.ops.home import Home, write_private
from anju.ops.options import RefusedError, read_options
from anju.ops.processes import spawn
from anju.ops.supervisor import Supervisor
from anju.ops.waiting import wait_for

pytestmark = pytest.mark.req("DEV-04")


def test_the_table_has_a_row_for_each() -> None:
    many = read_options([], {}).gateway_processes
    assert 1 <= many <= 2, "as many as there are processors, two at most"
    assert read_options([], {"ANJU_GATEWAY_PROCESSES": "3"}).gateway_processes == 3
    with pytest.raises(RefusedError, match="1 to 16"):
        read_options([], {"ANJU_GATEWAY_PROCESSES": "0"})
    rows = {p.name: p for p in table.processes({"ANJU_GATEWAY_PROCESSES": "3"})}
    assert [name for name in rows if name.startswith("gateway")] == ["gateway", "gateway-2", "gateway-3"]
    assert rows["gateway-3"].arguments == ("gateway", "--number", "3")
    assert rows["gateway"].arguments == ("gateway", "--number", "1")
    assert rows["web"].arguments == ("web",)
    assert len(table.processes({})) == len(table.PROCESSES)


def test_the_operations_page_shows_both(home: Home) -> None:
    row = {"pid": 7, "state": "up", "restarts": 2, "last_exit": "", "up_seconds": 3, "rss_kib": 2048}
    write_private(home.supervisor, {"at": 9e12, "processes": {"gateway": row, "gateway-2": row | {"state": "waiting"}}})
    shown = {one.name: one for one in status.processes(home)[0]}
    assert (shown["gateway"].state, shown["gateway-2"].state) == ("up", "waiting")
    assert shown["gateway-2"].purpose == shown["gateway"].purpose
    write_private(home.supervisor, {"at": 9e12, "processes": {}})
    assert [one.name for one in status.processes(home)[0] if "gateway" in one.name] == ["gateway"]


class Well(http.server.BaseHTTPRequestHandler):
    """Always well."""

    def do_GET(self) -> None:
        """200."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def served(port: int) -> http.server.HTTPServer:
    """Somebody who is well at that port (0: any)."""
    server = http.server.HTTPServer(("127.0.0.1", port), Well)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.mark.usefixtures("_signals")
def test_one_that_is_deaf_is_noticed_though_another_answers_at_the_shared_port(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = served(0)
    port = shared.server_address[1]
    made = run.Run(home, read_options(["--port", str(port - 1)], {"ANJU_GATEWAY_PROCESSES": "2"}), {})
    made.env = made._settings_for_processes("postgresql://nowhere")
    told: list[dict[str, str]] = []

    def start(_command: list[str], *, env: dict[str, str], **_: Any) -> subprocess.Popen[bytes]:
        told.append(env)
        return spawn([sys.executable, "-c", ""], env=os.environ, cwd=Path("/"))

    monkeypatch.setattr(run, "spawn", start)
    children = [made._child(p) for p in table.processes(made.env) if p.command == "gateway"]
    assert [child.name for child in children] == ["gateway", "gateway-2"]
    for child in children:
        child.start().wait()
    assert [env["ANJU_PROCESS"] for env in told] == ["gateway", "gateway-2"]
    assert {env["ANJU_GATEWAY_PROCESSES"] for env in told} == {"2"}
    assert [child.answers() for child in children] == [False, False], "whoever answers at the shared port is no proof"
    own = served(int(told[1]["ANJU_OWN_PORT"]))
    assert [child.answers() for child in children] == [False, True]
    for server in (shared, own):
        server.shutdown()
        server.server_close()


@pytest.mark.usefixtures("_signals")
def test_they_are_started_again_one_after_another(home: Home) -> None:
    """A new certificate: while one comes up again the other one hears."""
    supervisor, well = Supervisor(home, lambda *_: None), {"gateway": True, "gateway-2": True}

    def patient() -> subprocess.Popen[bytes]:
        return spawn([sys.executable, "-c", "import signal; signal.pause()"], env=os.environ, cwd=Path("/"))

    first, second = (Child(name, patient, lambda name=name: well[name]) for name in well)
    for child in (first, second):
        supervisor.add(child)
        child.begin()

    def turn(until: Any) -> None:
        def round_and_ask() -> bool:
            supervisor.round()
            return bool(until())

        assert wait_for(round_and_ask, 20, every=0.02)

    try:
        turn(lambda: first.up and second.up)
        well["gateway"] = False
        supervisor.restart(["gateway", "gateway-2"], "its certificate was renewed")
        turn(lambda: first.restarts == 1 and first.running)
        for _ in range(5):
            supervisor.round()
        assert second.restarts == 0, "it waits until the first answers again"
        well["gateway"] = True
        turn(lambda: second.restarts == 1 and second.up)
        assert first.restarts == 1
        words = (home.logs / "supervisor.log").read_text()
        assert words.index("gateway is started again") < words.index("gateway-2 is started again: its certificate")
    finally:
        supervisor.stop()
