"""AWS Signature Version 4, as every S3-compatible store wants it. Pure; checked against the published examples."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

EMPTY = hashlib.sha256(b"").hexdigest()


def canonical_path(path: str) -> str:
    """The path as it is signed and sent: every byte but letters, digits and -._~/ as %XX."""
    return quote(path, safe="/-._~")


def canonical_query(query: Iterable[tuple[str, str]]) -> str:
    """The query in the order and the spelling that are signed."""
    return "&".join(f"{quote(k, safe='-._~')}={quote(v, safe='-._~')}" for k, v in sorted(query))


def authorization(
    *, method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], payload: str, at: datetime,
    key: str, secret: str, region: str, service: str = "s3",
) -> str:  # fmt: skip
    """The Authorization header. `headers` are all that are signed (with host, x-amz-date …), `payload` the body's SHA-256 in hex."""
    moment = at.astimezone(UTC)
    stamp, day = f"{moment:%Y%m%dT%H%M%SZ}", f"{moment:%Y%m%d}"
    named = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    signed = ";".join(name for name, _ in named)
    request = "\n".join(
        [
            method,
            canonical_path(path),
            canonical_query(query),
            "".join(f"{name}:{value}\n" for name, value in named),
            signed,
            payload,
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    chain = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        chain = hmac.digest(chain, part.encode(), "sha256")
    signature = hmac.new(chain, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope},SignedHeaders={signed},Signature={signature}"
