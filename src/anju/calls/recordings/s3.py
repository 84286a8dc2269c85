"""Copies in an S3-compatible store: small files in one request, large ones in parts that survive a broken line."""

from __future__ import annotations

import hashlib
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from pathlib import Path

import httpx

from anju.calls.recordings import signing
from anju.kernel import clock

PART = 8 * 1024 * 1024
"""Bytes of one part; the protocol wants at least 5 MiB for all but the last."""
TIMEOUT = httpx.Timeout(30, connect=5)


class StoreRefused(OSError):
    """The store answered with an error; the text names it."""


class S3Store:
    """One bucket of one store, addressed by path (host/bucket/key), which every compatible store understands."""

    def __init__(
        self, *, host: str, bucket: str, prefix: str, key: str, secret: str, region: str, tls: bool = True,
        part: int = PART, transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        self.host, self.bucket, self.prefix, self.key, self.secret, self.region = (
            host,
            bucket,
            prefix.strip("/"),
            key,
            secret,
            region,
        )
        self.part = part
        self.label = f"对象存储 {host}/{bucket}"
        self._base = f"{'https' if tls else 'http'}://{host}"
        self._client = httpx.Client(timeout=TIMEOUT, transport=transport, trust_env=False)

    def put(self, name: str, source: Path, sha256: str, mark: str, note: Callable[[str], None]) -> None:
        """Upload, go on with an unfinished upload when `mark` names one, and read everything back to verify."""
        size = source.stat().st_size
        if self._held(name) != size:
            if size <= self.part:
                self._ask("PUT", name, body=source.read_bytes(), headers={"x-amz-meta-sha256": sha256})
            else:
                self._in_parts(name, source, sha256, mark, note)
        if self._digest(name) != sha256:
            self.remove(name)
            note("")
            raise StoreRefused(f"{name} 读回后校验不符，已删除，稍后重传")

    def get(self, name: str, target: Path) -> None:
        """Read a copy back into `target`."""
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            self._stream(name, out.write)

    def remove(self, name: str) -> None:
        """Delete a copy."""
        self._ask("DELETE", name, fine=(200, 204, 404))

    def _in_parts(self, name: str, source: Path, sha256: str, mark: str, note: Callable[[str], None]) -> None:
        done = self._parts(name, mark) if mark else None
        if done is None:
            answer = self._ask("POST", name, query=[("uploads", "")], headers={"x-amz-meta-sha256": sha256})
            mark, done = _text(answer, "UploadId"), {}
            note(mark)
        tags: list[str] = []
        with source.open("rb") as file:
            n = 0
            while block := file.read(self.part):
                n += 1
                md5 = hashlib.md5(block, usedforsecurity=False).hexdigest()
                if (
                    done.get(n, "").strip('"') != md5
                ):  # the tag of a part is its MD5, unless the store encrypts: then send again
                    reply = self._ask("PUT", name, query=[("partNumber", str(n)), ("uploadId", mark)], body=block)
                    done[n] = reply.headers.get("etag", "")
                tags.append(done[n])
        body = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(tags, 1))
        said = self._ask(
            "POST", name, query=[("uploadId", mark)],
            body=f"<CompleteMultipartUpload>{body}</CompleteMultipartUpload>".encode(),
        )  # fmt: skip
        if b"<Error>" in said.content:  # a store may answer 200 and fail while it joins the parts
            raise StoreRefused(f"{name} 合并分段失败：{_text(said, 'Code')}")
        note("")

    def _parts(self, name: str, mark: str) -> dict[int, str] | None:
        """The parts that arrived before the line broke, by number; None when the store has forgotten the upload."""
        found: dict[int, str] = {}
        after = "0"
        while True:
            answer = self._ask("GET", name, query=[("uploadId", mark), ("part-number-marker", after)], fine=(200, 404))
            if answer.status_code == 404:
                return None
            root = ET.fromstring(answer.content)  # noqa: S314
            for part in root.iter():
                if part.tag.endswith("}Part") or part.tag == "Part":
                    values = {child.tag.rpartition("}")[2]: child.text or "" for child in part}
                    found[int(values["PartNumber"])] = values["ETag"]
            if _text(answer, "IsTruncated") != "true":
                return found
            after = _text(answer, "NextPartNumberMarker")

    def _held(self, name: str) -> int | None:
        answer = self._ask("HEAD", name, fine=(200, 404))
        return int(answer.headers.get("content-length", -1)) if answer.status_code == 200 else None

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        self._stream(name, digest.update)
        return digest.hexdigest()

    def _stream(self, name: str, take: Callable[[bytes], object]) -> None:
        path = self._path(name)
        try:
            with self._client.stream(
                "GET", self._url(path), headers=self._signed("GET", path, [], {}, signing.EMPTY)
            ) as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise _refused(answer, name)
                for block in answer.iter_bytes():
                    take(block)
        except httpx.HTTPError as error:
            raise StoreRefused(f"{self.label} 连不上或中断：{type(error).__name__}") from error

    def _path(self, name: str) -> str:
        return "/" + "/".join(part for part in (self.bucket, self.prefix, name) if part)

    def _url(self, path: str, query: Iterable[tuple[str, str]] = ()) -> str:
        asked = signing.canonical_query(query)
        return f"{self._base}{signing.canonical_path(path)}{'?' + asked if asked else ''}"

    def _signed(
        self, method: str, path: str, query: list[tuple[str, str]], extra: Mapping[str, str], payload: str
    ) -> dict[str, str]:
        at = clock.now().astimezone(UTC)
        headers = {"host": self.host, "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}", "x-amz-content-sha256": payload, **extra}
        headers["Authorization"] = signing.authorization(
            method=method, path=path, query=query, headers=headers, payload=payload, at=at, key=self.key, secret=self.secret,
            region=self.region,
        )  # fmt: skip
        return headers

    def _ask(
        self, method: str, name: str, *, query: list[tuple[str, str]] | None = None, body: bytes = b"",
        headers: Mapping[str, str] | None = None, fine: tuple[int, ...] = (200, 204),
    ) -> httpx.Response:  # fmt: skip
        path, asked = self._path(name), query or []
        signed = self._signed(method, path, asked, headers or {}, hashlib.sha256(body).hexdigest())
        try:
            answer = self._client.request(method, self._url(path, asked), headers=signed, content=body or None)
        except httpx.HTTPError as error:
            raise StoreRefused(f"{self.label} 连不上或中断：{type(error).__name__}") from error
        if answer.status_code not in fine:
            raise _refused(answer, name)
        return answer


def _refused(answer: httpx.Response, name: str) -> StoreRefused:
    code = _text(answer, "Code") if answer.content else ""
    return StoreRefused(f"{name}：对象存储答 {answer.status_code} {code}".strip())


def _text(answer: httpx.Response, tag: str) -> str:
    try:
        root = ET.fromstring(answer.content)  # noqa: S314
    except ET.ParseError:
        return ""
    return next((e.text or "" for e in root.iter() if e.tag.rpartition("}")[2] == tag), "")
