"""From a plan to the engine's folders: rendered, checked, written as a whole, owned by the engine's user."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from anju.calls.lines.config import dialplan, sip, system
from anju.calls.lines.config.checking import Problem, grave
from anju.calls.lines.config.plan import Machine, Plan
from anju.ops import asterisk
from anju.ops.processes import OsUser


class RefusedConfig(Exception):
    """The engine must not load this; `problems` says why, in the back office's words."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("；".join(map(str, problems)))
        self.problems = tuple(problems)


def render(plan: Plan) -> dict[str, str]:
    """Every file of the configuration; RefusedConfig when a value must not be in one."""
    if found := grave(plan):
        raise RefusedConfig(found)
    return {
        **system.files(plan),
        "pjsip.conf": sip.pjsip(plan),
        "extensions.conf": dialplan.extensions(plan),
        "queues.conf": dialplan.queues(plan),
    }


def write(plan: Plan, sounds: Mapping[str, Path], music: Path, *, owner: OsUser | None = None) -> bool:
    """Write everything; True when something changed. `sounds`: prompt code → WAV; `owner`: asterisk.user().

    Each file is replaced in one step: an engine that starts in between finds the old one or the new one.
    """
    content = render(plan)
    machine = plan.machine
    make_folders(machine, owner)
    changed = False
    for name, text in content.items():
        changed |= _put(machine.etc / name, text.encode(), owner)
    for code, source in sounds.items():
        changed |= _put(machine.sounds / f"{code}.wav", source.read_bytes(), owner, mode=0o644)
    _put(machine.music / "tune.wav", music.read_bytes(), owner, mode=0o644)
    return changed


def make_folders(machine: Machine, owner: OsUser | None) -> None:
    """The folders, closed to others; only the engine's user writes into them."""
    machine.home.mkdir(parents=True, exist_ok=True)
    asterisk.own(machine.home, owner, 0o755)
    folders = [machine.etc, *(machine.home / name for name in ("lib", "lib/keys", "lib/agi", "log", "data"))]
    folders += [machine.control, machine.spool, machine.spool / "recording", machine.recordings]
    folders += [machine.music, machine.sounds, machine.home / "data" / "sounds"]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        asterisk.own(folder, owner, 0o700 if folder in {machine.etc, machine.recordings, machine.control} else 0o755)
    papers = machine.home / "data" / "documentation"
    if not papers.is_symlink() or papers.readlink() != machine.documentation:
        papers.unlink(missing_ok=True)
        papers.symlink_to(machine.documentation)


def free_certificate(machine: Machine, certificate: Path, key: Path, owner: OsUser | None) -> Machine:
    """Copies of certificate and key that the engine's user may read; the machine that names them."""
    from dataclasses import replace

    make_folders(machine, owner)
    mine = machine.etc / "wss.crt", machine.etc / "wss.key"
    _put(mine[0], certificate.read_bytes(), owner)
    _put(mine[1], key.read_bytes(), owner)
    return replace(machine, certificate=mine[0], key=mine[1])


def keep(machine: Machine) -> Path:
    """A copy of the configuration as it is now, to go back to."""
    kept = machine.home / "etc.before"
    shutil.rmtree(kept, ignore_errors=True)
    if machine.etc.exists():
        shutil.copytree(machine.etc, kept)
    return kept


def go_back(machine: Machine, owner: OsUser | None) -> None:
    """Put the kept configuration back."""
    for path in (machine.home / "etc.before").iterdir():
        _put(machine.etc / path.name, path.read_bytes(), owner)


def _put(path: Path, content: bytes, owner: OsUser | None, mode: int = 0o600) -> bool:
    if path.exists() and path.read_bytes() == content:
        return False
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    asterisk.own(draft, owner, mode)
    draft.replace(path)
    return True
