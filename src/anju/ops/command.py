"""`./anju COMMAND`: a management command with the environment of the running platform (or of the last run)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from anju.ops import doctor
from anju.ops.console import complain
from anju.ops.environment import for_processes, settings_of
from anju.ops.home import ROOT, Home, read_json
from anju.ops.options import read_options
from anju.ops.postgres import PostgresError, Server, choose_home
from anju.ops.secrets import Secrets

WITHOUT_DATABASE = {("rhythm", "replay"), ("rhythm", "prior")}
"""Commands that only read and write files: they start nothing and wait for nothing."""


def main(arguments: Sequence[str]) -> int:
    """The command's exit code. While the platform is stopped, the embedded database runs for this command only."""
    home = Home.current()
    home.make()
    if arguments[:1] == ["doctor"]:
        return doctor.main(home)
    told = settings_of(home)
    if tuple(arguments[:2]) in WITHOUT_DATABASE:
        return _call(for_processes(home, {"ANJU_MODE": read_options([], told).mode, **told}), arguments)
    lock = home.lock(f"./anju {' '.join(arguments[:1])}")
    known = read_json(home.environment)
    if lock is None:  # the platform runs
        return _call({**known, **for_processes(home, told), **_fixed(known)}, arguments)
    with lock:
        options = read_options([], told)
        base = {"ANJU_MODE": options.mode, **known, **told}
        if options.database_url:
            return _call(for_processes(home, base), arguments)
        secrets = Secrets.load_or_create(home.secrets)
        place, _remark = choose_home(home.path)
        server = Server(place, secrets.postgres, secrets.postgres_admin)
        try:
            process = server.start()
        except PostgresError as problem:
            complain(f"./anju: {problem}")
            return 1
        try:
            return _call(for_processes(home, {**base, "DATABASE_URL": server.url}), arguments)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _fixed(known: dict[str, str]) -> dict[str, str]:
    """What a running platform has decided and a command must not change."""
    return {name: known[name] for name in ("DATABASE_URL", "ANJU_MODE") if name in known}


def _call(env: dict[str, str], arguments: Sequence[str]) -> int:
    """Run it in the foreground; Ctrl-C goes to the command, which ends as it likes."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(
            [sys.executable, ROOT / "manage.py", *arguments],
            env={**os.environ, **env},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            check=False,
        ).returncode
    finally:
        signal.signal(signal.SIGINT, previous)
