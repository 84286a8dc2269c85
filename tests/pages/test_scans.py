"""Scans of signed papers: judged by what they hold, sealed, given out for a reason, gone with the person's data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from anju.elders import rights, scans
from anju.elders.models import Consent, ConsentScan, Elder
from anju.elders.tests.stage import bureau
from anju.kernel import crypto, trail
from anju.kernel.scope import EVERYWHERE, seen_by
from tests.pages.conftest import SmallTown

pytestmark = [pytest.mark.django_db, pytest.mark.req("REG-06", "SYS-04")]
As = Callable[[str], Client]
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 40 + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40 + b"IEND\xaeB`\x82"


@pytest.fixture
def paper(town: SmallTown) -> Consent:
    """Her signed paper."""
    with seen_by(EVERYWHERE):
        return Consent.objects.filter(elder=town.he_ting).latest("pk")


def address(paper: Consent, scan: int | None = None) -> str:
    at = f"/district/elders/{paper.elder_id}/consents/{paper.pk}/scans"
    return at if scan is None else f"{at}/{scan}"


def put(client: Client, paper: Consent, body: bytes, name: str = "扫描.bin") -> Any:
    return client.post(address(paper), {"scan": SimpleUploadedFile(name, body)})


@pytest.mark.parametrize(
    ("body", "kind", "label"),
    [(PDF, "pdf", "PDF"), (JPEG, "jpeg", "JPEG"), (PNG, "png", "PNG")],
    ids=["pdf", "jpeg", "png"],
)
def test_a_scan_is_sealed_and_comes_back_for_a_reason_that_she_sees(
    as_user: As, paper: Consent, body: bytes, kind: str, label: str
) -> None:
    street = as_user("street1")
    assert "未传" in street.get(f"/district/elders/{paper.elder_id}/?tab=consents").content.decode()
    assert put(street, paper, body).status_code == 302
    with seen_by(EVERYWHERE):
        scan = ConsentScan.objects.get()
    assert (scan.kind, scan.size, scan.sha256) == (kind, len(body), hashlib.sha256(body).hexdigest())
    assert body[:8] not in bytes(scan.content), "sealed"
    assert crypto.unseal(scan.content, "elders.consentscan.content") == body
    listed = street.get(address(paper)).content.decode()
    assert label in listed
    assert scan.sha256 in listed
    assert "1 个" in street.get(f"/district/elders/{paper.elder_id}/?tab=consents").content.decode()
    got = street.post(address(paper, scan.pk), {"reason": "核对文书"})
    assert (got.status_code, got.content, got["Content-Type"]) == (200, body, scans.TYPES[kind])
    assert got["Content-Disposition"].startswith("attachment;")
    assert (got["X-Content-Type-Options"], got["Cache-Control"]) == (
        "nosniff",
        "max-age=0, no-cache, no-store, must-revalidate, private",
    )
    line = trail.find(subject="elder", subject_id=paper.elder_id, action="consent.scan").first()
    assert line is not None
    assert (line.reason, line.detail["sha256"]) == ("核对文书", scan.sha256)
    assert "签字文书的扫描件" in street.get(f"/district/elders/{paper.elder_id}/?tab=seen").content.decode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "文件是空的"),
        (b"<html><script>alert(1)</script></html>", "只收 PDF、JPEG、PNG"),
        (b"GIF89a" + b"\0" * 60, "只收 PDF、JPEG、PNG"),
        (b"MZ" + PDF, "只收 PDF、JPEG、PNG"),
        (PDF[:30], "文件不完整"),
        (JPEG[:-2], "文件不完整"),
        (PNG[:30], "文件不完整"),
        (PDF[:9] + b"\0" * scans.LARGEST + b"%%EOF", "文件超过 10 MB"),
    ],
    ids=["empty", "page", "gif", "program", "half a pdf", "half a jpeg", "half a png", "too large"],
)
def test_what_is_no_scan_is_refused_in_words(as_user: As, paper: Consent, body: bytes, said: str) -> None:
    answer = put(as_user("street1"), paper, body, "同意书.pdf")
    assert answer.status_code == 400
    assert said in answer.content.decode()
    with seen_by(EVERYWHERE):
        assert not ConsentScan.objects.exists()


def test_the_same_twice_too_many_and_nothing_at_all(as_user: As, paper: Consent) -> None:
    street = as_user("street1")
    for n in range(scans.MOST):
        assert put(street, paper, PDF + b"%" * n).status_code == 302
    assert "已经传过了" in put(street, paper, PDF).content.decode()
    assert "最多 6 个" in put(street, paper, PDF + b"more").content.decode()
    assert "文件是空的" in street.post(address(paper)).content.decode()
    with seen_by(EVERYWHERE):
        first = ConsentScan.objects.earliest("pk")
    wrong = street.post(address(paper, first.pk), {"do": "remove", "other": "", "reason": ""})
    assert "请写删除的原因" in wrong.content.decode()
    assert street.post(address(paper, first.pk), {"do": "remove", "other": "传错了人"}).status_code == 302
    with seen_by(EVERYWHERE):
        first.refresh_from_db()
    assert bytes(first.content) == b""
    assert "内容已删除" in street.get(address(paper)).content.decode()
    assert "已经删除" in street.post(address(paper, first.pk), {"reason": "核对文书"}).content.decode()
    assert put(street, paper, PDF + b"more").status_code == 302


def test_only_who_may_uncover_her_number_takes_it_out_and_only_in_her_places(as_user: As, paper: Consent) -> None:
    street = as_user("street1")
    put(street, paper, PDF)
    with seen_by(EVERYWHERE):
        scan = ConsentScan.objects.get()
    assert "请写查看的原因" in street.post(address(paper, scan.pk), {"reason": ""}).content.decode()
    assert street.get(address(paper, scan.pk)).status_code == 405
    assert as_user("street2").get(address(paper)).status_code == 404
    assert as_user("street2").post(address(paper, scan.pk), {"reason": "核对文书"}).status_code == 404
    assert as_user("bureau1").post(address(paper, scan.pk), {"reason": "上级检查"}).content == PDF
    for name in ("lead1", "agent1", "quality1"):
        client = as_user(name)
        assert client.post(address(paper, scan.pk), {"reason": "核对文书"}).status_code == 403, name
        assert put(client, paper, PNG).status_code == 403, name
    assert put(as_user("bureau1"), paper, PNG).status_code == 403, "the street records, the bureau looks"
    assert street.post(address(paper, 999_999), {"reason": "核对文书"}).status_code == 404


def test_a_deletion_of_her_data_takes_the_scans_and_leaves_their_digests(as_user: As, paper: Consent) -> None:
    street = as_user("street1")
    put(street, paper, PDF)
    with seen_by(EVERYWHERE):
        copy = rights.copy_of(elder_id=paper.elder_id, reason="本人书面要求", by=bureau())
        assert copy["扫描件"][0]["SHA-256"] == hashlib.sha256(PDF).hexdigest()
        Elder.objects.filter(pk=paper.elder_id).update(status="ended")
        assert scans.forget(paper.elder_id) == 1
        scan = ConsentScan.objects.get()
    assert (bytes(scan.content), scan.sha256) == (b"", hashlib.sha256(PDF).hexdigest())
    assert scan.removed_at is not None


def test_a_scan_that_was_changed_in_the_database_is_not_given_out(as_user: As, paper: Consent) -> None:
    street = as_user("street1")
    put(street, paper, PDF)
    with seen_by(EVERYWHERE):
        scan = ConsentScan.objects.get()
        sealed = bytes(scan.content)
        ConsentScan.objects.filter(pk=scan.pk).update(content=sealed[:-1] + bytes([sealed[-1] ^ 1]))
    answer = street.post(address(paper, scan.pk), {"reason": "核对文书"})
    assert answer.status_code == 400
    assert "扫描件读不出来" in answer.content.decode()
