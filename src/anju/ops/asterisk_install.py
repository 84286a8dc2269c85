"""Asterisk from Debian's newer release as a private tree: fetched and verified by apt, unpacked by dpkg, no root needed.

apt works in a state folder of its own, so the machine's packages are neither asked nor touched. The mirror is the one
that the machine's own apt uses for Debian, and the keys are the machine's: what is not signed by them is not unpacked.
A fetch that was cut goes on where it was. On another system than Debian (amd64) we refuse and say what to install.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from anju.ops import asterisk
from anju.ops.console import say
from anju.ops.processes import OsUser

RELEASES = ("forky", "sid")
"""Debian releases that hold Asterisk 22, the preferred first (bookworm and trixie have none)."""
PACKAGES = ("asterisk", "asterisk-modules")
NEEDED_BYTES = 700 * 1024**2
USELESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl", "usr/share/zoneinfo", "usr/share/icons",
           "usr/share/asterisk/sounds", "usr/share/lintian", "usr/share/bug", "var/cache")  # fmt: skip
"""Parts of the packages that the engine never reads."""
BY_HAND = (
    "Install Asterisk 20 or newer with the system's own packages (Asterisk 22 LTS is best; it must have PJSIP and ARI), "
    "then start ./run --telephony again. Without it the simulator serves and no real call can come in."
)


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where the machine fetches Debian from, and with which keys it believes it (empty: the system's trusted ones)."""

    uri: str
    signed_by: str = ""


def ensure(folder: Path, who: OsUser | None) -> asterisk.Tree:
    """The tree in that folder, made when it is not there. asterisk.AsteriskError says what stands in the way.

    `who` is the engine's user, who must be able to read it.
    """
    if tree := asterisk.look_at(folder):
        return tree
    _must_be_debian()
    mirror = find_mirror()
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if shutil.disk_usage(folder.parent).free < NEEDED_BYTES:
        raise asterisk.AsteriskError(f"There is too little space at {folder.parent}: 700 MB are needed.")
    work = folder.parent / "apt"
    fetched = _fetch(work, mirror)
    _unpack(fetched, folder, who)
    tree = asterisk.look_at(folder)
    if tree is None:
        raise asterisk.AsteriskError(f"The unpacked Asterisk in {folder} does not run on this machine. {BY_HAND}")
    shutil.rmtree(work, ignore_errors=True)
    return tree


def _must_be_debian() -> None:
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise asterisk.AsteriskError(f"This is {platform.system()} on {platform.machine()}. {BY_HAND}")
    if os_release().get("ID") != "debian" or not all(map(shutil.which, ("apt-get", "apt-config", "dpkg-deb"))):
        raise asterisk.AsteriskError(f"This is no Debian ({os_release().get('PRETTY_NAME', 'unknown')}). {BY_HAND}")


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """What the system says of itself."""
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value.strip().strip('"') for name, _, value in pairs}


def find_mirror() -> Mirror:
    """The mirror of Debian in this machine's apt configuration; its newest plain entry of this machine's release."""
    codename = os_release().get("VERSION_CODENAME", "")
    places = _apt_places()
    files = [places["list"], *sorted(places["parts"].glob("*.list")), *sorted(places["parts"].glob("*.sources"))]
    for path in files:
        if path.is_file():
            text = path.read_text(errors="replace")
            read = deb822(text) if path.suffix == ".sources" else one_line(text)
            for uri, suites, components, signed_by in read:
                if codename in suites and "main" in components and not uri.startswith("cdrom:"):
                    return Mirror(uri, signed_by)
    raise asterisk.AsteriskError(
        f"apt on this machine names no mirror of Debian {codename}, so there is nowhere to fetch from. {BY_HAND}"
    )


Entry = tuple[str, tuple[str, ...], tuple[str, ...], str]


def one_line(text: str) -> Iterator[Entry]:
    """The `deb` lines of a sources.list: address, suites, components, keys."""
    for line in text.splitlines():
        found = re.fullmatch(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*?)\s*(?:#.*)?", line)
        if found:
            options = dict(part.partition("=")[::2] for part in (found[1] or "").split())
            yield found[2], (found[3],), tuple(found[4].split()), options.get("signed-by", "")


def deb822(text: str) -> Iterator[Entry]:
    """The same of a .sources file: paragraphs of fields, a line that begins with a blank goes on."""
    for paragraph in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in {"no", "false"}:
            continue
        keys = fields.get("signed-by", "")
        for uri in fields.get("uris", "").split():
            yield uri, tuple(fields.get("suites", "").split()), tuple(fields.get("components", "").split()), keys


def _apt_places() -> dict[str, Path]:
    asked = ["apt-config", "shell", "list", "Dir::Etc::sourcelist/f", "parts", "Dir::Etc::sourceparts/d"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"^(\w+)='([^']*)'$", said, re.MULTILINE))
    return {
        "list": Path(found.get("list", "/etc/apt/sources.list")),
        "parts": Path(found.get("parts", "/etc/apt/sources.list.d")),
    }


def _fetch(work: Path, mirror: Mirror) -> list[Path]:
    """The packages with everything they need, verified; from the first release that has them."""
    problem = ""
    for release in RELEASES:
        apt = Apt(work, mirror, release)
        try:
            apt.prepare()
            apt.run("update", said="asking the mirror")
            return apt.fetch(PACKAGES)
        except AptFailed as failed:
            problem = str(failed)
    raise asterisk.AsteriskError(f"apt could not fetch Asterisk. Its last words:\n{problem}\n{BY_HAND}")


class AptFailed(Exception):
    """apt's last words."""


class Apt:
    """apt in a state folder of its own. Sources and keys are ours, everything else (proxies, say) the machine's."""

    def __init__(self, work: Path, mirror: Mirror, release: str) -> None:
        self.work, self.mirror, self.release = work, mirror, release

    def prepare(self) -> None:
        """Folders, an empty list of installed packages, the one source. Packages fetched before are kept."""
        for name in ("state/lists/partial", "cache/archives/partial", "etc"):
            (self.work / name).mkdir(parents=True, exist_ok=True)
        (self.work / "state" / "status").touch()
        keys = self.mirror.signed_by
        (self.work / "etc" / "one.sources").write_text(
            f"Types: deb\nURIs: {self.mirror.uri}\nSuites: {self.release}\nComponents: main\nArchitectures: amd64\n"
            + (f"Signed-By: {_continued(keys)}\n" if keys else "")
        )
        (self.work / "apt.conf").write_text(_CONFIG.format(work=self.work))

    def fetch(self, names: Sequence[str]) -> list[Path]:
        """These packages and what they need, each with the hash of the signed index.

        apt checks what it fetches, but not what lies in its cache since an earlier try: we look at every file ourselves.
        """
        damaged: list[Path] = []
        for said in ("fetching Asterisk", "fetching again what was damaged"):
            self.run("install", "--download-only", "--yes", "--no-install-recommends", *names, said=said)
            found = sorted((self.work / "cache" / "archives").glob("*.deb"))
            if not (damaged := self.strangers(found)):
                return found
            for path in damaged:
                path.unlink()
        raise AptFailed(f"{', '.join(p.name for p in damaged)} is not what the signed index says.")

    def strangers(self, packages: Sequence[Path]) -> list[Path]:
        """Files whose SHA-256 is not in the index that apt has verified."""
        asked = ["apt-cache", "-c", str(self.work / "apt.conf"), "dumpavail"]
        said = subprocess.run(
            asked, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"}
        ).stdout
        signed = set(re.findall(r"^SHA256: ([0-9a-f]{64})$", said, re.MULTILINE))
        return [path for path in packages if hashlib.sha256(path.read_bytes()).hexdigest() not in signed]

    def run(self, *words: str, said: str) -> None:
        """One command of apt-get, with its progress told every few seconds; AptFailed with its last words."""
        command = ["apt-get", "-c", str(self.work / "apt.conf"), "-q", "-o", "APT::Status-Fd=1", *words]
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        env.pop("APT_CONFIG", None)
        last: list[str] = []
        told = time.monotonic()
        say(f"    {said} (Debian {self.release})")
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
        ) as apt:
            for line in apt.stdout or ():
                if found := re.match(r"dlstatus:\d+:([\d.]+):", line):
                    if time.monotonic() - told > 3:
                        told = time.monotonic()
                        say(f"    {float(found[1]):.0f} %")
                else:
                    last = [*last[-12:], line.rstrip()]
        if apt.returncode:
            raise AptFailed("\n".join(last))


_CONFIG = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear APT::Default-Release;
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{work}/etc";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{work}/state";
Dir::State::status "{work}/state/status";
Dir::Cache "{work}/cache";
Dir::Log "{work}/state";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Get::AllowUnauthenticated "false";
APT::Get::List-Cleanup "true";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Languages "none";
Acquire::Retries "5";
Acquire::http::Timeout "30";
APT::Keep-Downloaded-Packages "true";
"""
"""Read after the machine's own: hooks of the machine are not for us, and nobody may switch the signatures off."""


def _continued(keys: str) -> str:
    """A field that may be a path or a whole key of many lines."""
    return "\n ".join(keys.splitlines())


def _unpack(packages: Sequence[Path], folder: Path, who: OsUser | None) -> None:
    """Into a new folder, which takes the name when it is whole."""
    if not packages:
        raise asterisk.AsteriskError("apt fetched nothing.")
    draft = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o755)
    say(f"    unpacking {len(packages)} packages")
    for package in packages:
        done = subprocess.run(["dpkg-deb", "-x", package, draft], capture_output=True, text=True, check=False)
        if done.returncode:
            package.unlink()  # the next try fetches it again
            raise asterisk.AsteriskError(f"{package.name} can't be unpacked: {done.stderr.strip()}. Start again.")
    for name in USELESS:
        shutil.rmtree(draft / name, ignore_errors=True)
    (draft / "anju.json").write_text(json.dumps([p.name for p in packages], indent=0))
    draft.chmod(0o755)
    if who is not None:
        for above in (folder.parent, folder.parent.parent):
            if not asterisk.can_enter(above, who):
                raise asterisk.AsteriskError(
                    f"The user {who.name}, who runs Asterisk, can't enter {above}. Set ANJU_HOME to a folder that he can reach."
                )
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
