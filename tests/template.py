"""A database with the platform's schema, made once for all workers of a run: each copies it instead of migrating for itself.

`python -m tests.template NAME` makes it while the workers still read the tests. It is ready as soon as its comment says so;
when it could not be made it is not there, and the workers migrate.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

NAMED = "ANJU_TEST_TEMPLATE"
"""Its name, in the environment of the workers."""
READY, FAILED = "ready", "failed"
LONGEST = 90.0
"""Seconds that a worker waits for it."""


def begin(name: str) -> subprocess.Popen[bytes]:
    """Have it made, by a process of its own."""
    os.environ[NAMED] = name
    return subprocess.Popen([sys.executable, "-m", "tests.template", name], stdin=subprocess.DEVNULL)


def ready() -> str:
    """Its name once it can be copied; "" when there is none."""
    name = os.environ.get(NAMED, "")
    end = time.monotonic() + (LONGEST if name else 0)
    with _server() as server:
        while time.monotonic() < end:
            found = server.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
            ).fetchone()
            if found == (READY,):
                return name
            if found == (FAILED,):
                return ""
            threading.Event().wait(0.1)
    return ""


def drop(name: str) -> None:
    """No longer needed."""
    with _server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    """Not through Django: its connection is closed to whoever is no test."""
    from django.conf import settings

    one = settings.DATABASES["default"]
    with psycopg.connect(
        host=one["HOST"], port=one["PORT"], user=one["USER"], password=one["PASSWORD"], dbname=one["NAME"],
        autocommit=True,
    ) as server:  # fmt: skip
        yield server


def make(name: str) -> None:
    """Made anew, with every migration."""
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    drop(name)
    database = sql.Identifier(name)
    with _server() as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(database))
        try:
            settings.DATABASES["default"]["NAME"] = name
            django.setup()
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
            connections.close_all()
            said = READY
        except BaseException:
            said = FAILED
            raise
        finally:
            server.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, sql.Literal(said)))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")
    make(sys.argv[1])
