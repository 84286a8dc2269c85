"""The audit log shows every kind of tampering."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection, transaction
from django.db.utils import ProgrammingError
from hypothesis import given
from hypothesis import strategies as st

from anju.kernel import audit, chain
from anju.kernel.models import AuditLine

pytestmark = pytest.mark.req("SYS-03")


@pytest.fixture(autouse=True)
def own_home(tmp_path, settings):
    settings.ANJU_HOME = tmp_path


def write(n: int) -> None:
    with audit.acting("周晓岚", 7, "10.0.0.8"):
        for i in range(n):
            audit.record(
                "reveal",
                subject="elder",
                subject_id=i,
                place="330199001001",
                reason="核对电话",
                detail={"field": "phone", "n": 1.5},
            )


def tamper(sql: str) -> None:
    """What somebody who owns the tables can do: switch the triggers off and change rows."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE kernel_auditline DISABLE TRIGGER USER")
        cursor.execute(sql)
        cursor.execute("ALTER TABLE kernel_auditline ENABLE TRIGGER USER")


def test_sm3_is_the_standard_one_from_both_sources(monkeypatch):
    abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert chain.sm3(b"abc") == chain._sm3_of_cryptography(b"abc") == abc
    monkeypatch.setattr(chain.hashlib, "algorithms_available", set())
    assert chain.sm3(b"abc") == abc
    monkeypatch.setattr(chain, "_sm3_of_cryptography", lambda data: 1 / 0)
    with pytest.raises(RuntimeError, match="no SM3"):
        chain.sm3(b"abc")


@pytest.mark.django_db
def test_an_untouched_log_is_whole_and_says_who_did_what():
    write(3)
    audit.record("nightly", result="failed")
    assert audit.verify() == []
    first, last = AuditLine.objects.first(), AuditLine.objects.last()
    assert (first.n, first.actor, first.user_id, first.address, first.reason) == (
        1,
        "周晓岚",
        7,
        "10.0.0.8",
        "核对电话",
    )
    assert (last.n, last.actor, last.result) == (4, "系统", "failed")
    assert audit.seal() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE kernel_auditline SET actor = '别人' WHERE n = 2", "line 2 .* was changed"),
        ("UPDATE kernel_auditline SET detail = '{}' WHERE n = 3", "line 3 .* was changed"),
        ("UPDATE kernel_auditline SET at = at + interval '1 second' WHERE n = 1", "line 1 .* was changed"),
        ("DELETE FROM kernel_auditline WHERE n = 2", "lines 2 to 2 are missing"),
        ("DELETE FROM kernel_auditline WHERE n < 3", "lines 1 to 2 are missing"),
        ("DELETE FROM kernel_auditline WHERE n > 3", "the log was cut: it ends at line 3, but line 5"),
        ("DELETE FROM kernel_auditline", "the log was cut: it ends at line 0"),
        ("TRUNCATE kernel_auditline", "the log was cut: it ends at line 0"),
        (
            "UPDATE kernel_auditline SET n = -n WHERE n = 2; UPDATE kernel_auditline SET n = n - 1 WHERE n > 2",
            "was changed",
        ),
    ],
)
def test_change_deletion_and_truncation_are_found(sql, words):
    write(5)
    audit.seal()
    audit.anchor()
    assert audit.verify() == []
    tamper(sql)
    wrong = audit.verify()
    assert any(re.search(words, line) for line in wrong), wrong


@pytest.mark.django_db
def test_a_log_that_is_cut_and_forged_anew_differs_from_the_anchor_outside():
    write(5)
    audit.seal()
    audit.anchor()
    tamper("DELETE FROM kernel_auditline WHERE n > 2")
    write(9)
    assert any("line 5 is not the one that was anchored" in w for w in audit.verify())


@pytest.mark.django_db
def test_the_database_refuses_change_deletion_and_forged_seals():
    write(2)
    audit.seal()
    line = AuditLine.objects.first()
    for attempt in (
        line.delete,
        lambda: AuditLine.objects.update(actor="别人"),
        lambda: AuditLine.objects.filter(n=1).update(n=None, hash=""),
        lambda: AuditLine.objects.create(at=line.at, action="x", n=9, hash="0"),
    ):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            attempt()
    write(1)
    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        AuditLine.objects.filter(n=None).update(n=3, hash="1", actor="别人")
    assert audit.verify() == []


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_chain_and_nobody_waits_for_a_line():
    def work(_: int) -> None:
        try:
            for _ in range(10):
                with transaction.atomic():
                    write(1)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert AuditLine.objects.count() == 40
    assert audit.verify() == []
    assert list(AuditLine.objects.order_by("n").values_list("n", flat=True)) == list(range(1, 41))


@pytest.mark.django_db(transaction=True)
def test_a_line_goes_with_its_act():
    def fail() -> None:
        write(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        fail()
    assert AuditLine.objects.count() == 0
    with transaction.atomic():
        write(1)
    assert AuditLine.objects.get().n == 1, "sealed right after the commit"


@pytest.mark.django_db
def test_the_command_verifies_and_exports_and_the_export_is_verified_without_a_database(tmp_path):
    write(4)
    out, export = StringIO(), tmp_path / "log.jsonl"
    call_command("audit", "--verify", "--export", str(export), stdout=out)
    assert "4 lines" in out.getvalue()
    assert "whole" in out.getvalue()
    beside = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    check = [sys.executable, "-m", "anju.kernel.chain", str(export), str(audit.anchors_file())]
    assert subprocess.run(check, capture_output=True, text=True, check=False, env=beside).stdout.startswith(
        "whole: 4 lines"
    )
    rows = export.read_text().splitlines()
    for forged in (rows[:-1], [rows[0], *rows[2:]], [rows[0].replace("周晓岚", "周小岚"), *rows[1:]]):
        export.write_text("\n".join(forged))
        assert subprocess.run(check, capture_output=True, text=True, check=False, env=beside).returncode == 1
    tamper("UPDATE kernel_auditline SET result = 'no' WHERE n = 2")
    with pytest.raises(CommandError, match="line 2"):
        call_command("audit", "--verify", stdout=StringIO())


lines = st.lists(
    st.fixed_dictionaries({f: st.one_of(st.integers(), st.text(max_size=5)) for f in chain.FIELDS}),
    min_size=1,
    max_size=6,
)


def sealed(rows):
    before, out = chain.GENESIS, []
    for n, row in enumerate(rows, 1):
        before = chain.digest(n, before, row)
        out.append({**row, "n": n, "hash": before})
    return out


@given(lines, st.data())
def test_any_one_change_anywhere_is_found(rows, data):
    good = sealed(rows)
    head = [{"n": good[-1]["n"], "hash": good[-1]["hash"]}]
    assert chain.verify(good, head) == []
    n = data.draw(st.integers(0, len(good) - 1))
    field = data.draw(st.sampled_from([*chain.FIELDS, "hash"]))
    bad = json.loads(json.dumps(good))
    bad[n][field] = data.draw(
        st.one_of(st.integers(), st.text(max_size=5)).filter(
            lambda v: v != good[n][field] or type(v) is not type(good[n][field])
        )
    )
    assert chain.verify(bad, head)
    assert chain.verify(good[:n] + good[n + 1 :], head)
