"""`./check`: every check, two at a time, then every test; a failed one does not hide the others."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from anju.ops import asterisk, asterisk_install
from anju.ops.console import complain, say
from anju.ops.home import ROOT

HEAVY = ("browser", "broker", "telephony", "faults")
"""Marks of tests that need a browser, a broker, a telephone engine, or the whole machine."""

NEEDED = {
    "chromium": ("chromium", "browser"),
    "mosquitto": ("mosquitto", "broker"),
    "sipp": ("sip-tester", "telephony"),
    "espeak-ng": ("espeak-ng", "telephony"),
    "tcpdump": ("tcpdump", "telephony"),
    "unshare": ("util-linux", "telephony"),
    "ip": ("iproute2", "telephony"),
}
"""Program → Debian's package, and the mark of the tests that need it."""

FONTS = "fonts-noto-cjk"
SEED = 20260918
"""Order and chance are the same in every run, so that what is green here is green there; ANJU_EXPLORE=1 draws new ones."""
LONGEST = "types"
"""The stage that takes as long as all others together."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One check. `command` says which management command must exist for it; `quick` stages run with --quick too."""

    name: str
    arguments: tuple[str, ...]
    quick: bool = True
    command: str = ""
    env: dict[str, str] = field(default_factory=dict)


def tool(name: str) -> str:
    """A program of our own environment."""
    return str(Path(sys.executable).parent / name)


def manage(*arguments: str) -> tuple[str, ...]:
    """A management command in our own environment."""
    return (sys.executable, "manage.py", *arguments)


def stages(scratch: Path) -> list[Stage]:
    """All of them but pytest, cheap ones first. `scratch` is a folder for secrets that are used once."""
    deploy = {"ANJU_MODE": "production", "ANJU_HTTPS": "1", "ANJU_HOSTS": "anju.example.org", "ANJU_HOME": str(scratch)}
    return [
        Stage("format", (tool("ruff"), "format", "--check", "--quiet", ".")),
        Stage("lint", (tool("ruff"), "check", "--quiet", "--output-format=concise", ".")),
        Stage("templates", (tool("djlint"), "src", "--lint", "--quiet"), quick=False),
        Stage("imports", (tool("lint-imports"), "--no-cache"), quick=False),
        Stage("flows", manage("flows", "--check"), command="flows"),
        Stage("requirements", manage("requirements", "--check"), command="requirements"),
        Stage("migrations", manage("makemigrations", "--check", "--dry-run")),
        Stage("deploy", manage("check", "--deploy", "--fail-level=WARNING"), env=deploy),
        Stage("types", (tool("mypy"),)),
        Stage("islands", (sys.executable, "-m", "anju.ops.islands"), quick=False),
    ]


def main(arguments: Sequence[str]) -> int:
    """0 when all is well. Options that we don't know go to pytest."""
    parser = argparse.ArgumentParser(prog="./check", description="Runs every check and every test.")
    parser.add_argument("--quick", action="store_true", help="without browser, broker, faults, islands, templates")
    parser.add_argument("--lock", action="store_true", help="write the lock files anew from requirements*.in")
    told, for_pytest = parser.parse_known_args(arguments)
    if told.lock:
        return lock()
    begin = time.monotonic()
    missing = [] if told.quick else install_programs()
    failed = run_stages(quick=told.quick)
    last, pytest_failed = run_pytest(for_pytest, leave_out=HEAVY if told.quick else missing)
    if pytest_failed:
        failed.append("tests")
    if missing:
        failed.append("programs that tests need are missing")
    minutes, seconds = divmod(round(time.monotonic() - begin), 60)
    say(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All is well.'} ({minutes} min {seconds} s)")
    say(last)
    return 1 if failed else 0


def environment(extra: dict[str, str]) -> dict[str, str]:
    """The caller's, without settings of a running platform. What Python has read once it keeps: a thousand processes read it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANJU_") or name == "ANJU_TEST_DB"}
    if tree := os.environ.get("ANJU_ASTERISK_TREE"):
        kept["ANJU_ASTERISK_TREE"] = tree
    return {**kept, "ANJU_MODE": "test", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "", **extra}


def run_stages(*, quick: bool) -> list[str]:
    """The names of the failed stages. The longest one has a lane of its own; the others go one after another beside it."""
    with tempfile.TemporaryDirectory(prefix="anju-check-") as scratch:
        wanted = [one for one in stages(Path(scratch)) if not quick or one.quick]
        lanes = [one for one in wanted if one.name != LONGEST], [one for one in wanted if one.name == LONGEST]
        with ThreadPoolExecutor(len(lanes)) as pool:
            done = list(pool.map(lambda lane: [one.name for one in lane if not _passes(one)], lanes))
    return [name for failed in done for name in failed]


def _passes(stage: Stage) -> bool:
    """Run one stage and tell how it went, in one piece."""
    from anju.ops.setup import knows

    if stage.command and not knows(stage.command):
        return True
    begin = time.monotonic()
    done = subprocess.run(
        stage.arguments, cwd=ROOT, env=environment(stage.env), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    told = f"  {'✗' if done.returncode else '✓'} {stage.name} ({time.monotonic() - begin:.1f} s)"
    if done.returncode:
        told += "\n    " + "\n    ".join(done.stdout.strip().splitlines()[-60:])
    say(told)
    return done.returncode == 0


def run_pytest(extra: Sequence[str], leave_out: Sequence[str]) -> tuple[str, bool]:
    """Pytest's closing line, and whether it failed. One worker for each of two processors, and one that waits more than it
    works: the tests with a telephone engine, and those that break a whole platform."""
    chosen = ["-m", " and ".join(f"not {mark}" for mark in leave_out)] if leave_out else []
    explores = {"ANJU_EXPLORE": "1"} if os.environ.get("ANJU_EXPLORE") else {}
    seed = [] if explores else [f"--randomly-seed={SEED}"]
    command = [sys.executable, "-m", "pytest", "-n", "3", "--dist", "loadgroup", *seed, *chosen, *extra]
    say("  … tests")
    last = ""
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(explores), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as pytest:  # fmt: skip
        for line in pytest.stdout or ():
            say(line.rstrip())
            last = line.strip() or last
    return last, pytest.returncode != 0


def install_programs() -> list[str]:
    """Install what only tests need; returns the marks of tests that can't run."""
    packages = [package for program, (package, _) in NEEDED.items() if not _there(program)]
    if not _has_fonts():
        packages.append(FONTS)
    if packages:
        say(f"  … installing for the tests: {', '.join(packages)}")
        _apt(packages)
    absent = [(package, mark) for program, (package, mark) in NEEDED.items() if not _there(program)]
    if absent:
        names = " ".join(package for package, _ in absent)
        complain(f"  ✗ Tests need programs that could not be installed: sudo apt-get install -y {names}")
    marks = [mark for _, mark in absent]
    if "telephony" not in marks and not _asterisk():
        marks.append("telephony")
    return marks


def _asterisk() -> bool:
    """The telephone engine of the tests: the system's, else a private tree that outlives this checkout."""
    tree = asterisk.find()
    try:
        if tree is None:
            say("  … making a private Asterisk for the tests")
            tree = asterisk_install.ensure(cache_folder() / "asterisk" / "tree", asterisk.user())
    except asterisk.AsteriskError as problem:
        complain(f"  ✗ {problem}")
        return False
    os.environ["ANJU_ASTERISK_TREE"] = str(tree.root)
    return True


def cache_folder() -> Path:
    """Where things stay that every checkout may use; the engine's user can read it also when we are root."""
    if os.geteuid() == 0:
        return Path("/var/cache/anju")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anju"


def _there(program: str) -> bool:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def _has_fonts() -> bool:
    """A font with Chinese characters (screenshots show boxes without one)."""
    return any(Path("/usr/share/fonts").rglob("NotoSansCJK*")) or any(Path("/usr/share/fonts").rglob("wqy*"))


def _apt(packages: Sequence[str]) -> None:
    """As root, or by a sudo that asks no password."""
    if shutil.which("apt-get") is None:
        return
    become = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if become and shutil.which("sudo") is None:
        return
    apt = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    for command in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            complain("    " + "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-5:]))
            return


def lock() -> int:
    """Write the lock files anew: hashes for every library, no address of any index."""
    for name in ("requirements", "requirements-dev"):
        command = [
            tool("uv"), "pip", "compile", f"{name}.in", "-o", f"{name}.lock", "--generate-hashes", "--universal",
            "--python-version=3.11", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "-q",
        ]  # fmt: skip
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            return 1
        say(f"  ✓ {name}.lock")
    return 0
