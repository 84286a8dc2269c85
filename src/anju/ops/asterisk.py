"""The telephone engine: find Asterisk on this machine, say how it is started, ask the running one.

A system Asterisk ≥ 20 serves if there is one, else the private tree that `ops.asterisk_install` unpacked. The tree's
programs are newer than the machine's C library, so they run through the tree's own dynamic loader. Asterisk never runs
as root: a supervisor that is root starts it as another user of the system (docs/decisions/0010).
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anju.ops.home import Home
from anju.ops.processes import OsUser

OLDEST = 20
NEEDED_MODULES = (
    "app_stasis",
    "app_mixmonitor",
    "app_queue",
    "chan_pjsip",
    "res_ari_channels",
    "res_rtp_asterisk",
    "res_srtp",
)
"""Without one of these the engine can't do its work; the others are in `calls.lines.config.system`."""
OUTSIDE = Path("/var/lib/anju")
"""Where the engine's folders go when its user can't reach `var/`."""
SOCKET_LIMIT = 100
"""A control socket's path must be shorter than the kernel's 108 bytes."""


class AsteriskError(RuntimeError):
    """The engine can't serve; the message says in plain words why, and what to do."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One Asterisk on this machine. `root` is `/` for the system's own."""

    root: Path
    version: str
    modules: Path
    documentation: Path
    """Its own description of its options; Asterisk refuses to start without it."""

    @property
    def is_private(self) -> bool:
        """Unpacked by us, not installed on the system."""
        return self.root != Path("/")

    @property
    def major(self) -> int:
        """22 of 22.10.1."""
        return int(self.version.split(".")[0])

    def command(self, *arguments: str) -> list[str]:
        """How this Asterisk is called; the private one through its own loader, with its own libraries."""
        return [*_call(self.root), *arguments]

    def start(self, config: Path) -> list[str]:
        """The server in the foreground, with this asterisk.conf."""
        return self.command("-C", str(config), "-f", "-n")

    def remote(self, config: Path, words: str) -> list[str]:
        """One command for the running server, over its control socket."""
        return self.command("-C", str(config), "-rx", words)


def _call(root: Path) -> list[str]:
    if root == Path("/"):
        return [_system_program() or "asterisk"]
    libraries = root / "usr/lib/x86_64-linux-gnu"
    places = f"{libraries}:{libraries}/asterisk:{root}/usr/lib"
    return [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", places, str(root / "usr/sbin/asterisk")]


def _system_program() -> str | None:
    return shutil.which("asterisk", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def look_at(root: Path) -> Tree | None:
    """The Asterisk below that root; None when there is none that runs and has the modules we need."""
    modules = next((path for path in _module_folders(root) if (path / "app_stasis.so").exists()), None)
    if modules is None or any(not (modules / f"{name}.so").exists() for name in NEEDED_MODULES):
        return None
    try:
        done = subprocess.run([*_call(root), "-V"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"Asterisk (\d+[\w.]*)", done.stdout)
    papers = next((root / name for name in _DOCUMENTATION if (root / name / "core-en_US.xml").exists()), None)
    return Tree(root, found[1], modules, papers) if found and papers else None


_DOCUMENTATION = (
    "usr/share/asterisk/documentation",
    "var/lib/asterisk/documentation",
    "usr/local/share/asterisk/documentation",
)


def _module_folders(root: Path) -> Iterator[Path]:
    for name in ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib", "usr/local/lib"):
        yield root / name / "asterisk" / "modules"


def find(home: Home | None = None) -> Tree | None:
    """The Asterisk that serves here: ANJU_ASTERISK_TREE, the system's (≥ 20), the installation's private tree.

    ANJU_ASTERISK_TREE=none means "there is none" (tests, and machines whose Asterisk is somebody else's).
    """
    told = os.environ.get("ANJU_ASTERISK_TREE", "")
    if told == "none":
        return None
    roots = [Path(told)] if told else [Path("/"), tree_folder(home or Home.current())]
    for root in roots:
        tree = look_at(root)
        if tree and tree.major >= OLDEST:
            return tree
    return None


def why_not_the_systems() -> str:
    """What is wrong with an Asterisk of the system that `find` passed over; empty when there is none."""
    if _system_program() is None:
        return ""
    tree = look_at(Path("/"))
    if tree is None:
        return f"the system's Asterisk lacks modules ({', '.join(NEEDED_MODULES)} are needed)"
    return f"the system's Asterisk is {tree.version}; {OLDEST} or newer is needed" if tree.major < OLDEST else ""


def user() -> OsUser | None:
    """Whom the engine runs as: ourselves, or as root another user of the system. Asterisk never runs as root."""
    if os.geteuid() != 0:
        return None
    names = [os.environ.get("ANJU_ASTERISK_USER", ""), "anju", "asterisk", "nobody"]
    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    entry = next((known[name] for name in names if name in known), None)
    if entry is None:
        raise AsteriskError(
            "Asterisk must not run as root and no other user is here: useradd --system anju, "
            "or name one in ANJU_ASTERISK_USER.",
        )
    return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def base_folder(home: Home) -> Path:
    """Where the engine's folders are: in the installation, or outside when its user can't walk there (below /root)."""
    who = user()
    if who is None or can_enter(home.path, who):
        return home.path / "asterisk"
    return OUTSIDE / hashlib.sha256(str(home.path).encode()).hexdigest()[:12] / "asterisk"


def tree_folder(home: Home) -> Path:
    """Where the private tree is unpacked."""
    try:
        return base_folder(home) / "tree"
    except AsteriskError:
        return home.path / "asterisk" / "tree"


def control_folder(base: Path) -> Path:
    """Where the control socket lies; a folder of its own elsewhere when the path would be too long for a socket."""
    folder = base / "run"
    if len(str(folder)) < SOCKET_LIMIT - len("/asterisk.ctl"):
        return folder
    return Path(tempfile.gettempdir()) / f"anju-{hashlib.sha256(str(base).encode()).hexdigest()[:12]}"


def can_enter(folder: Path, who: OsUser) -> bool:
    """The user may walk into that folder (asked of the kernel, which also knows ACLs and mounts)."""
    asked = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", folder],
        user=who.uid, group=who.gid, extra_groups=[], cwd="/", stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return asked.returncode == 0


def own(path: Path, who: OsUser | None, mode: int | None = None) -> None:
    """Give a file or folder to the engine's user."""
    if mode is not None:
        path.chmod(mode)
    if who is not None:
        os.chown(path, who.uid, who.gid, follow_symlinks=False)
