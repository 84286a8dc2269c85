"""A small store that speaks S3 over a real socket: objects, multipart uploads, signatures checked, faults on demand."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from anju.calls.recordings import signing

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def tag_of(body: bytes) -> str:
    """The tag of a part or a small object."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


class FakeS3(ThreadingHTTPServer):
    """What it holds and what it was told to do wrong."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.asked: list[str] = []
        self.cut_after: int | None = None
        """Drop the line in the middle of this request's body (counted from now)."""
        self.fail_next: list[int] = []
        self.fail_complete = False
        self.rot = False
        """Store other bytes than were sent."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FakeS3
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def _serve(self) -> None:
        server, parts = self.server, urlsplit(self.path)
        path, query = unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True))
        server.asked.append(f"{self.command} {path} {' '.join(sorted(query))}".strip())
        length = int(self.headers.get("Content-Length") or 0)
        if server.cut_after == 0 and length:
            self.rfile.read(length // 2)
            server.cut_after = None
            self.close_connection = True
            self.connection.close()
            return None
        if server.cut_after and length:
            server.cut_after -= 1
        body = self.rfile.read(length)
        if server.fail_next:
            return self._say(server.fail_next.pop(0), b"<Error><Code>SlowDown</Code></Error>")
        if not self._signed(parts.path, list(parse_qsl(parts.query, keep_blank_values=True)), body):
            return self._say(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        return getattr(self, f"_{self.command.lower()}")(path, query, body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve  # noqa: N815

    def _signed(self, raw: str, query: list[tuple[str, str]], body: bytes) -> bool:
        said = self.headers.get("Authorization", "")
        names = said.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        at = datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        digest = hashlib.sha256(body).hexdigest()
        right = signing.authorization(
            method=self.command, path=unquote(raw), query=query, headers={n: self.headers[n] for n in names}, payload=digest, at=at,
            key=KEY, secret=SECRET, region="cn-east-1",
        )  # fmt: skip
        return said == right and self.headers["x-amz-content-sha256"] == digest and {"host", "x-amz-date"} <= set(names)

    def _put(self, path: str, query: dict[str, str], body: bytes) -> None:
        if self.server.rot:
            body = body[:-1] + b"?"
        if "uploadId" in query:
            if query["uploadId"] not in self.server.uploads:
                return self._say(404, b"<Error><Code>NoSuchUpload</Code></Error>")
            self.server.uploads[query["uploadId"]][int(query["partNumber"])] = body
        else:
            self.server.objects[path] = body
        return self._say(200, etag=tag_of(body))

    def _post(self, path: str, query: dict[str, str], body: bytes) -> None:
        ns = b' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
        if "uploads" in query:
            name = f"up-{len(self.server.uploads) + 1}"
            self.server.uploads[name] = {}
            return self._say(
                200,
                b"<InitiateMultipartUploadResult"
                + ns
                + b"><UploadId>"
                + name.encode()
                + b"</UploadId></InitiateMultipartUploadResult>",
            )
        if self.server.fail_complete:
            self.server.fail_complete = False
            return self._say(200, b"<Error><Code>InternalError</Code></Error>")
        parts = self.server.uploads.pop(query["uploadId"])
        assert body.count(b"<Part>") == len(parts)
        self.server.objects[path] = b"".join(parts[n] for n in sorted(parts))
        return self._say(200, b"<CompleteMultipartUploadResult" + ns + b"/>")

    def _get(self, path: str, query: dict[str, str], body: bytes) -> None:
        if "uploadId" in query:
            if query["uploadId"] not in self.server.uploads:
                return self._say(404, b"<Error><Code>NoSuchUpload</Code></Error>")
            after, parts = int(query["part-number-marker"]), self.server.uploads[query["uploadId"]]
            some = sorted(n for n in parts if n > after)[:2]  # two a page, so that paging is tried
            more = any(n > (some[-1] if some else after) for n in parts)
            listed = "".join(
                f'<Part><PartNumber>{n}</PartNumber><ETag>"{tag_of(parts[n])}"</ETag></Part>' for n in some
            )
            return self._say(
                200,
                f'<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>{str(more).lower()}</IsTruncated>'
                f"<NextPartNumberMarker>{some[-1] if some else after}</NextPartNumberMarker>{listed}</ListPartsResult>".encode(),
            )
        if path not in self.server.objects:
            return self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return self._say(200, self.server.objects[path])

    def _head(self, path: str, query: dict[str, str], body: bytes) -> None:
        self._get(path, query, body)

    def _delete(self, path: str, query: dict[str, str], body: bytes) -> None:
        self.server.objects.pop(path, None)
        self._say(204)

    def _say(self, status: int, body: bytes = b"", etag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", f'"{etag}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def running() -> Iterator[FakeS3]:
    server = FakeS3()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
