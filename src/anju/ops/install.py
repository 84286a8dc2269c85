"""Makes `.venv` from the hash-locked requirements. Runs on the system's own Python: standard library only.

Called by `run`, `anju` and `check`; does nothing when the lock files are those of the last time.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "anju.json"
RUNTIME, DEV = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"


def say(text: str) -> None:
    """One line; nobody listening is no reason to fail."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:
        pass


def print_of(lock: Path) -> str:
    """Changes with the lock, the Python and our own way of installing."""
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def installed() -> dict[str, str]:
    """What is in `.venv` now: lock file → its print."""
    try:
        known = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return known if PYTHON.exists() and isinstance(known, dict) else {}


def make_venv() -> None:
    """With `venv`, else with `virtualenv` or `uv` if they are there; else say what to install."""
    shutil.rmtree(VENV, ignore_errors=True)
    ways = []
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        ways.append([sys.executable, "-m", "venv", str(VENV)])
    if importlib.util.find_spec("virtualenv"):
        ways.append([sys.executable, "-m", "virtualenv", "--quiet", str(VENV)])
    if shutil.which("virtualenv"):
        ways.append(["virtualenv", "--quiet", "--python", sys.executable, str(VENV)])
    if shutil.which("uv"):
        ways.append(["uv", "venv", "--quiet", "--python", sys.executable, str(VENV)])
    for way in ways:
        if subprocess.run(way, check=False).returncode == 0 and PYTHON.exists():
            return
        shutil.rmtree(VENV, ignore_errors=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    sys.exit(
        "Python's venv is not complete on this machine. Install it and start again:\n"
        f"    sudo apt-get install -y python3-venv python{version}-venv",
    )


def installer() -> list[str]:
    """pip of the environment, or uv when that made it without pip."""
    if subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    return ["uv", "pip", "install", "--python", str(PYTHON)]


def install(locks: list[Path]) -> None:
    """Install exactly what is locked, and show how far it is."""
    lines = {line.split("=")[0] for lock in locks for line in lock.read_text().splitlines() if line[:1].isalnum()}
    wanted = len(lines)
    say(f"  … installing {wanted} libraries, checked against their hashes")
    command = [*installer(), "--require-hashes"]
    for lock in locks:
        command += ["-r", str(lock)]
    environment = {**os.environ, "PYTHONNOUSERSITE": "1"}
    begin = told = time.monotonic()
    done = 0
    tail: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as pip:
        for line in pip.stdout or ():
            tail = [*tail[-30:], line.rstrip()]
            done += line.startswith("Collecting ")
            if line.startswith("Installing collected"):
                say("    all fetched; unpacking")
            if time.monotonic() - told > 5:
                told = time.monotonic()
                say(f"    {min(done, wanted)} of {wanted}")
    if pip.returncode:
        say("\n".join(tail))
        sys.exit("The libraries could not be installed; pip's last words are above. Is the package index reachable?")
    say(f"  ✓ libraries ({time.monotonic() - begin:.0f} s)")


def link_sources() -> None:
    """`import anju` works in the environment, from the checkout."""
    asked = [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    folder = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    (Path(folder) / "anju.pth").write_text(f"{ROOT / 'src'}\n")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dev", action="store_true", help="also what the checks and tests need")
    told = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before we know the Python
        sys.exit(f"Anju needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    locks = [RUNTIME, DEV] if told.dev else [RUNTIME]
    wanted = {lock.name: print_of(lock) for lock in locks}
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = installed()
        if all(known.get(name) == value for name, value in wanted.items()):
            return
        if not known or not PYTHON.exists():
            say("  … making the environment .venv")
            make_venv()
        STAMP.unlink(missing_ok=True)
        install(locks)
        link_sources()
        STAMP.write_text(json.dumps(wanted))


if __name__ == "__main__":
    main()
