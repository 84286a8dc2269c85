"""`./anju doctor`: what is wrong with this installation, and what to do about it, in plain words.

Looks only; changes nothing. Works while the platform runs and while it does not.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from cryptography import x509

from anju.ops import asterisk, status
from anju.ops.console import say
from anju.ops.environment import settings_of
from anju.ops.home import Home, read_json
from anju.ops.postgres import PostgresError, find_programs
from anju.ops.supervisor import recorded

LITTLE_SPACE = 2 * 1024**3
MANY_RESTARTS = 5
SLOW_TRANSACTION = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` is empty when all is well."""

    what: str
    remedy: str = ""

    @property
    def well(self) -> bool:
        """Nothing to do."""
        return not self.remedy


def main(home: Home) -> int:
    """Print the findings; 1 when there is something to do."""
    findings = [finding for look in LOOKS for finding in look(home)]
    for finding in findings:
        say(f"  {'✓' if finding.well else '✗'} {finding.what}")
        if not finding.well:
            say(f"      → {finding.remedy}")
    bad = sum(not finding.well for finding in findings)
    say(f"\n  {bad} to mend." if bad else "\n  All is well.")
    return 1 if bad else 0


def look_at_processes(home: Home) -> Iterator[Finding]:
    """Who runs, who does not answer, who keeps falling."""
    rows, fresh = status.processes(home)
    running = recorded(home)
    if not fresh:
        if running:
            names = ", ".join(running)
            yield Finding(f"nobody supervises, but these still run: {names}", "start ./run; it ends them first")
        else:
            yield Finding("the platform is stopped", "start ./run")
        return
    for row in rows:
        log = home.logs / f"{row.name}.log"
        if row.state != "up":
            yield Finding(f"{row.name} does not answer ({row.state}; {row.last_exit or 'never ended'})", f"read {log}")
        elif row.restarts >= MANY_RESTARTS:
            yield Finding(f"{row.name} was started again {row.restarts} times ({row.last_exit})", f"read {log}")
        else:
            yield Finding(f"{row.name} answers ({row.rss_mib:.0f} MiB)")


def look_at_files(home: Home) -> Iterator[Finding]:
    """Space, and files that others must not read."""
    free = shutil.disk_usage(home.path).free
    room = f"{free / 1024**3:.1f} GiB free at {home.path}"
    yield Finding(room, "" if free > LITTLE_SPACE else "make room: a full disk stops the database")
    for path in (home.secrets, home.run, home.environment, home.tls / "server.key", home.tls / "authority.key"):
        if path.exists() and path.stat().st_mode & 0o077:
            yield Finding(f"others may read {path}", f"chmod 600 {path}")
    spooled = [p for p in (home.path / "spool").rglob("*") if p.is_file() and p.stat().st_size]
    if old := [p for p in spooled if time.time() - p.stat().st_mtime > 60]:
        yield Finding(
            f"{len(old)} spool files of the gateway are older than a minute: messages that are not in the database yet",
            "the gateway replays them when the database answers; look at gateway.log",
        )


def look_at_settings(home: Home) -> Iterator[Finding]:
    """What the operator said can be read."""
    try:
        settings = settings_of(home)
    except ValueError as problem:
        yield Finding("the settings can't be read", str(problem))
        return
    known = {**read_json(home.environment), **settings}
    if known.get("ANJU_MODE") == "demo":
        yield Finding("this is a demo: everybody knows its passwords (never with real people; ./run --production)")
    if not known.get("DATABASE_URL") or (home.path / "postgres.place").exists():
        try:
            found = find_programs()
            yield Finding(f"PostgreSQL {found.major} in {found.folder}")
        except PostgresError as problem:
            yield Finding("no PostgreSQL to start", str(problem))


def look_at_telephone(home: Home) -> Iterator[Finding]:
    """There is an engine, its files are its own, and recordings have room."""
    known = {**read_json(home.environment), **_told(home)}
    if known.get("ANJU_EXCHANGE") == "simulator":
        why = (
            "--simulated-telephony"
            if known.get("ANJU_MODE") == "production"
            else "./run --telephony installs an engine"
        )
        yield Finding(f"the telephone is simulated, no real call can come in ({why})")
        return
    tree = asterisk.find(home)
    if tree is None:
        why = asterisk.why_not_the_systems()
        needed = known.get("ANJU_EXCHANGE") == "asterisk" or known.get("ANJU_MODE") == "production"
        remedy = "./run --telephony installs one" if needed else ""
        yield Finding(f"no telephone engine, so no real call can come in{f' ({why})' if why else ''}", remedy)
        return
    yield Finding(f"Asterisk {tree.version} ({'private' if tree.is_private else 'of the system'}, {tree.root})")
    base, recordings = Path(known.get("ANJU_ASTERISK_HOME") or ""), Path(known.get("ANJU_RECORDINGS") or "")
    for path in (base / "etc", recordings):
        if path.is_absolute() and path.exists() and path.stat().st_mode & 0o077:
            yield Finding(f"others may look into {path}", f"chmod 700 {path}")
    if recordings.is_absolute() and recordings.exists():
        free = shutil.disk_usage(recordings).free
        hours = free / (3 * 57.6e6)  # mixed and both voices, 16 kB a second each
        room = f"room for {hours:.0f} hours of calls in {recordings}"
        yield Finding(room, "" if hours > 48 else "make room: calls go on, but are no longer recorded")


def look_at_database(home: Home) -> Iterator[Finding]:
    """It answers; nobody holds it up."""
    known: Mapping[str, str] = {**read_json(home.environment), **_told(home)}
    url = known.get("DATABASE_URL", "")
    if not url or (not recorded(home) and (home.path / "postgres.place").exists()):
        return
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(
                "SELECT pg_size_pretty(pg_database_size(current_database())), current_setting('server_version'), "
                "coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0) FROM pg_stat_activity "
                "WHERE datname = current_database()",
            ).fetchone()
    except psycopg.Error as problem:
        yield Finding(f"the database does not answer: {str(problem).strip()}", "is DATABASE_URL right, does it run?")
        return
    if row:
        yield Finding(f"database: PostgreSQL {row[1]}, {row[0]}")
        if float(str(row[2])) > SLOW_TRANSACTION:
            yield Finding(
                f"a transaction is open since {float(str(row[2])):.0f} s", "find it: SELECT * FROM pg_stat_activity"
            )


def look_at_certificate(home: Home) -> Iterator[Finding]:
    """HTTPS ends when the certificate does."""
    path = Path(_told(home).get("ANJU_TLS_CERT") or home.tls / "server.crt")
    if not path.exists():
        return
    until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    days = (until - dt.datetime.fromtimestamp(time.time(), dt.UTC)).days
    own = path.parent == home.tls
    remedy = "" if days > 14 else "start ./run again: it renews its own" if own else "ask its issuer for a new one"
    yield Finding(f"the certificate is good for {days} days", remedy)


def _told(home: Home) -> dict[str, str]:
    try:
        return settings_of(home)
    except ValueError:
        return {name: value for name, value in os.environ.items() if name == "DATABASE_URL"}


LOOKS: tuple[Callable[[Home], Iterator[Finding]], ...] = (
    look_at_processes,
    look_at_settings,
    look_at_telephone,
    look_at_database,
    look_at_files,
    look_at_certificate,
)
