"""What is done once before the processes start: the schema, the static files, the demo district."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from anju.ops.console import say, step
from anju.ops.home import ROOT, Home
from anju.ops.processes import identify, spawn, wait_gone


class StepFailedError(RuntimeError):
    """A management command failed; the message holds its last words."""


def manage(home: Home, env: Mapping[str, str], *arguments: str, log: str = "setup", aloud: bool = False) -> str:
    """Run a management command to its end; returns what it printed. Its words are kept in `log/setup.log`.

    `aloud` repeats them in the terminal while it works, for a command that takes long.
    """
    path = home.logs / f"{log}.log"
    start = path.stat().st_size if path.exists() else 0
    with path.open("ab") as out:
        process = spawn([sys.executable, "manage.py", *arguments], env=env, cwd=ROOT, out=out, death=signal.SIGKILL)
    try:
        code = _listen(process, path, start) if aloud else process.wait()
    except BaseException:
        process.terminate()
        if who := identify(process.pid):
            wait_gone(who, 5)
        process.kill()
        process.wait()
        raise
    with path.open("rb") as printed:
        printed.seek(start)
        words = printed.read().decode(errors="replace").strip()
    if code:
        last = "\n    ".join(words.splitlines()[-12:])
        raise StepFailedError(f"`./anju {' '.join(arguments)}` failed. Its last words (all are in {path}):\n    {last}")
    return words


def _listen(process: subprocess.Popen[bytes], path: Path, start: int) -> int:
    """Wait for the end, saying each line of the log as it comes."""
    code: int | None = None
    with path.open("rb") as printed:
        printed.seek(start)
        while code is None:
            try:
                code = process.wait(0.5)
            except subprocess.TimeoutExpired:
                code = None
            for line in printed.read().decode(errors="replace").splitlines():
                say(f"    {line}")
    return code


def knows(command: str) -> bool:
    """This release has that command."""
    return any((ROOT / "src" / "anju").glob(f"**/management/commands/{command}.py"))


def migrate(home: Home, env: Mapping[str, str]) -> None:
    """Bring the database to this release's schema."""
    with step("bringing the database to this release"):
        manage(home, env, "migrate", "--noinput")


def collect_static(home: Home, env: Mapping[str, str]) -> None:
    """Gather styles, scripts and pictures under hashed names, unless nothing changed since."""
    print_now = _fingerprint()
    stamp = home.path / "static.stamp"
    if stamp.exists() and stamp.read_text() == print_now and (home.path / "static").is_dir():
        return
    with step("gathering styles, scripts and pictures"):
        stamp.unlink(missing_ok=True)
        manage(home, env, "collectstatic", "--noinput", "--clear", "-v", "0")
        stamp.write_text(print_now)


def _fingerprint() -> str:
    """Changes with every static file of ours and with the locked libraries."""
    files = sorted(p for p in (ROOT / "src").glob("**/static/**/*") if p.is_file())
    files.append(ROOT / "requirements.lock")
    rows = [f"{p} {p.stat().st_mtime_ns} {p.stat().st_size}" for p in files]
    rows.append((ROOT / "src/anju/config/settings.py").read_text())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def load_demo(home: Home, env: Mapping[str, str]) -> None:
    """The demo district, at the first start only."""
    stamp = home.path / "demo.stamp"
    if stamp.exists() or not knows("demo"):
        return
    with step("loading the demo district (invented people, one or two minutes)"):
        manage(home, env, "demo", aloud=True)
        stamp.touch()
