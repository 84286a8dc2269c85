"""A dry run: a second engine is started beside the real one with the wished configuration, asked what it took, ended.

It listens on other ports of loopback, records nothing, registers nowhere and takes no call.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import httpx

from anju.calls.lines import applying, speech
from anju.calls.lines.config import writing
from anju.calls.lines.config.plan import Machine, Plan
from anju.ops import asterisk
from anju.ops.postgres import free_port
from anju.ops.processes import identify, spawn
from anju.ops.waiting import Pause

PATIENCE = 20.0


def run(wanted: Plan) -> set[str]:
    """What the engine could not read of the plan (empty: all well). asterisk.AsteriskError when it does not start."""
    tree = asterisk.find()
    if tree is None:
        raise asterisk.AsteriskError("There is no Asterisk to try it with.")
    who = asterisk.user()
    folder = Path(tempfile.mkdtemp(prefix="anju-trial-"))
    asterisk.own(folder, who, 0o755)
    machine = replace(
        wanted.machine, home=folder / "a", recordings=folder / "rec", control=folder / "run", ari_port=free_port(),
        sip_host="127.0.0.1", sip_port=free_port(), wss_port=0, certificate=None, key=None,
    )  # fmt: skip
    trunks = tuple(replace(t, registers=False, host="127.0.0.1" if t.host else "") for t in wanted.lines.trunks)
    plan = Plan(machine, replace(wanted.lines, trunks=trunks))
    try:
        writing.write(plan, {p.stem: p for p in speech.FOLDER.glob("*.wav")}, speech.FOLDER / "tune.wav", owner=who)
        with (folder / "log").open("ab") as out:
            process = spawn(tree.start(machine.etc / "asterisk.conf"), env=ENVIRONMENT, cwd=folder, out=out, user=who)
        try:
            _wait(machine, process, folder / "log")
            return applying.not_loaded(plan)
        finally:
            if identify(process.pid):
                process.kill()
            process.wait(10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nonexistent"}


def _wait(machine: Machine, process: subprocess.Popen[bytes], log: Path) -> None:
    for pause in Pause.up_to(PATIENCE):
        if process.poll() is not None:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            raise asterisk.AsteriskError(f"Asterisk ended at once; its last words:\n{last}")
        try:
            if httpx.get(
                f"http://127.0.0.1:{machine.ari_port}/ari/asterisk/ping", auth=(machine.ari_user, machine.ari_password),
                timeout=2, trust_env=False,
            ).is_success:  # fmt: skip
                return
        except httpx.HTTPError:
            pass
        pause()
    raise asterisk.AsteriskError(f"Asterisk did not answer within {PATIENCE:.0f} seconds.")
