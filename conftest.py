"""Every test run: its own PostgreSQL unless DATABASE_URL names one, loopback only, the kernel's fixtures.

`DATABASE_URL` and `ANJU_TEST_DB` choose a server and a database; without them an embedded server is started in a
temporary folder and stopped at the end.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOM_IN_MEMORY = 8 * 1024**3
"""Bytes; a whole run takes about two thousand million."""
AHEAD, BEHIND = -10, 5
"""Niceness of tests with a telephone engine, and of all others."""
_STARTED: list[object] = []
_TO_COPY: list[str] = []
_TEMPLATE: dict[str, subprocess.Popen[bytes]] = {}

pytest_plugins = ["anju.kernel.testing"] if importlib.util.find_spec("anju.kernel.testing") else []


def pytest_configure(config: pytest.Config) -> None:
    """Start the server in the main process only; xdist's workers inherit its address."""
    import hypothesis
    from django.conf import settings

    # A busy machine is no failure; and the examples are the same in every run, unless somebody goes looking for new ones.
    hypothesis.settings.register_profile(
        "anju", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow],
        derandomize="ANJU_EXPLORE" not in os.environ,
    )  # fmt: skip
    hypothesis.settings.load_profile("anju")

    if settings.ANJU_MODE != "test":
        pytest.exit("ANJU_MODE is set to something else than `test`: unset it to run the tests.", returncode=4)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a slow one is right for people only
    if hasattr(config, "workerinput") or config.option.help or config.option.collectonly:
        return
    if not os.environ.get("DATABASE_URL"):
        _start_postgres()
    if getattr(config.option, "tx", None) and not config.option.reuse_db:
        from tests import template

        name = settings.DATABASES["default"]["TEST"]["NAME"] + "_template"
        _TEMPLATE[name] = template.begin(name)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:  # noqa: ARG001 - it comes first
    """A worker's database is a copy of what was made once for all of them, if there is one."""
    from django.db import connection

    if _TO_COPY:
        connection.settings_dict["TEST"]["TEMPLATE"] = _TO_COPY[0]


@pytest.fixture(autouse=True, scope="session")
def _empty_quickly() -> None:
    """What a test committed is taken away row by row, not by truncating every table of the platform."""
    from django.db.backends.postgresql.creation import DatabaseCreation
    from django.test import TransactionTestCase
    from tests import database

    whole = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda case: database.empty() if database.is_allowed() else whole(case)
    DatabaseCreation._destroy_test_db = _drop


def _drop(creation: Any, name: str, _verbosity: int) -> None:
    """The worker ends: whoever of it still holds a connection (the thread of a browser's request, say) does not keep its
    database, and with it the whole run, from ending well."""
    with creation._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {creation.connection.ops.quote_name(name)} WITH (FORCE)")


def _in_memory() -> Path | None:
    """Where the tests' database lives if memory is ample: what it writes must not hold up those that prove what a disk
    keeps, whose every fsync waits for all that others have written."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it is made by mkdtemp
    return memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_IN_MEMORY else None


def _start_postgres() -> None:
    from django.conf import settings

    from anju.ops.database_url import database_settings
    from anju.ops.postgres import Server, server_user

    folder = Path(tempfile.mkdtemp(prefix="anju-tests-", dir=_in_memory()))
    if user := server_user():
        os.chown(folder, user.uid, user.gid)
    server = Server(folder, "test", "test", durable=False, may_create_databases=True)
    process = server.start()
    _STARTED.extend([folder, process])
    with server._connect() as admin:  # so that tests may empty tables, and put rows back, past the guards
        admin.execute("GRANT SET ON PARAMETER session_replication_role TO anju")
    os.environ["DATABASE_URL"] = server.url
    known, new = settings.DATABASES["default"], database_settings(server.url, mode="test")
    new["TEST"] = {**known.get("TEST", {}), **new["TEST"]}
    known.update(new)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Tests with a telephone engine share one of xdist's workers: they prove by sound, so no second one beside them. And
    those that break a whole platform, which would disturb the sound, follow them there.

    That group is begun first; of the rest the long ones, so that no worker waits for the other at the end.
    """
    for item in items:
        if item.get_closest_marker("telephony") or item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.xdist_group("telephony"))
    yield
    items.sort(key=_turn)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What the tests are made of stays until the end: nobody looks through it again and again for garbage. And the schema is
    waited for here, where no test's time runs."""
    gc.collect()
    gc.freeze()
    if hasattr(session.config, "workerinput"):
        from tests import template

        _TO_COPY.extend(name for name in [template.ready()] if name)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """One of the workers listens to telephones, and a voice does not wait: it goes first if it may (root), and the others let
    it go first. What a test starts goes as it goes."""
    if hasattr(item.config, "workerinput"):
        heard = item.get_closest_marker("telephony") is not None
        wanted = AHEAD if heard else 0 if item.get_closest_marker("alone") else BEHIND
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, wanted)


def _turn(item: pytest.Item) -> tuple[bool, float]:
    """The whole platform last of its group; of the others the longest first (those that were given more time)."""
    limit = item.get_closest_marker("timeout")
    longest = float(limit.args[0]) if limit and limit.args else 0.0
    return item.get_closest_marker("alone") is not None, -longest


def pytest_unconfigure() -> None:
    """Stop what was started here."""
    for name, making in _TEMPLATE.items():
        from tests import template

        making.kill()
        making.wait(10)
        if not _STARTED:  # otherwise it goes with its server
            template.drop(name)
    _TEMPLATE.clear()
    if not _STARTED:
        return
    folder, process = _STARTED
    _STARTED.clear()
    process.send_signal(signal.SIGINT)  # type: ignore[attr-defined]
    process.wait(30)  # type: ignore[attr-defined]
    shutil.rmtree(folder, ignore_errors=True)  # type: ignore[arg-type]
