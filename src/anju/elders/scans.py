"""Scans of signed papers (HZ 附件2, 附件3; REG-06): what is signed on paper can be seen again without going to the archive.

A file is judged by what it holds, not by its name, sealed before it is stored, and given out for a reason that is kept
and that the person sees. Who may take it out is who may uncover what stands on it: her ID number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from anju.accounts.permissions import must
from anju.elders import masks
from anju.elders.checks import NotAccepted, reason_given
from anju.elders.models import Consent, ConsentScan
from anju.kernel import audit, clock, crypto
from anju.kernel.flow.actor import Actor

LARGEST = 10 * 1024 * 1024
"""Bytes of one file: a paper of four sides at 300 dpi in colour is about three million."""
MOST = 6
"""Files of one paper: each side photographed by itself."""
TYPES = {"pdf": "application/pdf", "jpeg": "image/jpeg", "png": "image/png"}
ENDINGS = {"pdf": "pdf", "jpeg": "jpg", "png": "png"}
_BOUND = "elders.consentscan.content"
_TAIL = 2048
"""Bytes at the end in which a file must say that it is over: what broke off on the way is refused."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan as a page lists it."""

    id: int
    consent_id: int
    label: str
    size: int
    sha256: str
    at: datetime
    is_there: bool


@dataclass(frozen=True, slots=True)
class File:
    """A scan as it is given out."""

    name: str
    content_type: str
    body: bytes


def kind_of(body: bytes) -> str:
    """`pdf`, `jpeg` or `png` by what the file holds; NotAccepted for anything else and for what is not whole."""
    tail = body[-_TAIL:]
    if body.startswith(b"%PDF-"):
        kind, whole = "pdf", b"%%EOF" in tail
    elif body.startswith(b"\xff\xd8\xff"):
        kind, whole = "jpeg", b"\xff\xd9" in tail
    elif body.startswith(b"\x89PNG\r\n\x1a\n"):
        kind, whole = "png", b"IEND" in tail
    else:
        raise NotAccepted("只收 PDF、JPEG、PNG 的扫描件或照片，请换一个文件")
    if not whole:
        raise NotAccepted("文件不完整，可能没传完，请重新扫描或重新上传")
    return kind


def check_size(size: int) -> None:
    """Before a byte of it is read."""
    if not size:
        raise NotAccepted("文件是空的，请重新选择")
    if size > LARGEST:
        raise NotAccepted(f"文件超过 {LARGEST // 1024 // 1024} MB，请调低扫描精度或分页上传")


@transaction.atomic
def attach(*, consent_id: int, body: bytes, by: Actor) -> ConsentScan:
    """Put a scan to a recorded paper."""
    must(by, "consent.record")
    check_size(len(body))
    kind, digest = kind_of(body), hashlib.sha256(body).hexdigest()
    consent = Consent.objects.select_for_update(of=("self",)).select_related("elder__home").get(pk=consent_id)
    there = ConsentScan.objects.filter(consent=consent, removed_at=None)
    if there.filter(sha256=digest).exists():
        raise NotAccepted("这个文件已经传过了")
    if there.count() >= MOST:
        raise NotAccepted(f"一份文书最多 {MOST} 个文件，请先删除多余的")
    scan = ConsentScan.objects.create(
        consent=consent,
        kind=kind,
        size=len(body),
        sha256=digest,
        content=crypto.seal(body, _BOUND),
        added_by_id=by.user_id,
    )
    _note(scan, "consent.scan_add")
    return scan


@transaction.atomic
def take(*, scan_id: int, reason: str, by: Actor) -> File:
    """The scan for somebody who may uncover what stands on it, for a reason that is kept."""
    must(by, "consent.scan")
    if not masks.may_uncover("id_number", by.roles):
        raise NotAccepted("扫描件上有身份证号，您的岗位不能查看")
    why = reason_given(reason, "查看")
    scan = ConsentScan.objects.select_related("consent__elder__home").get(pk=scan_id)
    if scan.removed_at is not None:
        raise NotAccepted("这个扫描件已经删除")
    _note(scan, "consent.scan", why)
    try:
        body = crypto.unseal(bytes(scan.content), _BOUND)
    except crypto.Undecipherable as broken:
        raise NotAccepted("扫描件读不出来，请报系统管理员") from broken
    return File(f"{scan.consent.document}-{scan.pk}.{ENDINGS[scan.kind]}", TYPES[scan.kind], body)


@transaction.atomic
def remove(*, scan_id: int, reason: str, by: Actor) -> None:
    """A scan that does not belong there: its content goes, that it was there stays."""
    must(by, "consent.record")
    why = reason_given(reason, "删除")
    scan = ConsentScan.objects.select_for_update(of=("self",)).select_related("consent__elder__home").get(pk=scan_id)
    if scan.removed_at is not None:
        raise NotAccepted("这个扫描件已经删除")
    scan.content, scan.removed_at = b"", clock.now()
    scan.save(update_fields=["content", "removed_at"])
    _note(scan, "consent.scan_remove", why)


def forget(elder_id: int) -> int:
    """The contents of all her scans go with her data; digests stay. How many."""
    rows = ConsentScan.objects.filter(consent__elder_id=elder_id, removed_at=None)
    return rows.update(content=b"", removed_at=clock.now())


def of(consent_ids: Iterable[int]) -> dict[int, list[Scan]]:
    """The scans of these papers in the order in which they came; their contents are not read."""
    found: dict[int, list[Scan]] = {}
    rows = ConsentScan.objects.filter(consent_id__in=list(consent_ids)).defer("content").order_by("pk")
    for row in rows:
        one = Scan(
            row.pk, row.consent_id, row.get_kind_display(), row.size, row.sha256, row.created_at, row.removed_at is None
        )
        found.setdefault(row.consent_id, []).append(one)
    return found


def listed(elder_id: int) -> list[dict[str, str | int]]:
    """What a copy of her data says of them: the files themselves are given out one by one."""
    rows = (
        ConsentScan.objects.filter(consent__elder_id=elder_id).defer("content").select_related("consent").order_by("pk")
    )
    return [
        {
            "文书": r.consent.document,
            "格式": r.get_kind_display(),
            "字节": r.size,
            "SHA-256": r.sha256,
            "上传": r.created_at.isoformat(),
        }
        for r in rows
    ]


def counts(elder_id: int) -> dict[int, int]:
    """How many scans each of her papers has."""
    rows = ConsentScan.objects.filter(consent__elder_id=elder_id, removed_at=None)
    return dict(rows.values_list("consent_id").annotate(n=Count("pk")).order_by())


def _note(scan: ConsentScan, what: str, reason: str = "") -> None:
    elder = scan.consent.elder
    audit.record(
        what, subject="elder", subject_id=elder.pk, place=elder.home.place, reason=reason,
        detail={"consent": scan.consent_id, "scan": scan.pk, "sha256": scan.sha256},
    )  # fmt: skip
