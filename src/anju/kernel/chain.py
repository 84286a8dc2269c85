"""The hash chain of the audit log, apart from any database: what is hashed, how it is linked, how it is verified.

Stand-alone: `python -m anju.kernel.chain export.jsonl [anchors.jsonl]` verifies an export without Django or a database.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

GENESIS = "0" * 64
FIELDS = (
    "id", "at", "actor", "user_id", "address", "action", "subject", "subject_id", "place", "result", "reason", "detail",
)  # fmt: skip
"""What a line's hash covers, beside its number and the hash before it. `reason` as stored, that is, encrypted."""


def _sm3_of_cryptography(data: bytes) -> str:
    from cryptography.hazmat.primitives import hashes

    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def sm3(data: bytes) -> str:
    """SM3 (GB/T 32905) in hex, from hashlib where its OpenSSL has it, else from `cryptography`.

    Raises RuntimeError where neither has it: another algorithm in silence would be worse than no log.
    """
    if "sm3" in hashlib.algorithms_available:
        try:
            return hashlib.new("sm3", data).hexdigest()
        except ValueError:  # listed, but switched off by the machine's policy
            pass
    try:
        return _sm3_of_cryptography(data)
    except Exception as error:
        raise RuntimeError(
            "this machine has no SM3: install an OpenSSL with SM3 or the `cryptography` wheel"
        ) from error


def digest(n: int, before: str, line: Mapping[str, Any]) -> str:
    """The hash of line `n` after a line with the hash `before`."""
    body = json.dumps([n, before, [line[f] for f in FIELDS]], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sm3(body.encode())


def verify(lines: Iterable[Mapping[str, Any]], anchors: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    """Everything that is wrong with the log, in words; [] if it is whole.

    `lines` in the order of their numbers; `anchors` are heads ({"n", "hash"}) noted outside the database.
    """
    return list(_verify(lines, {int(a["n"]): str(a["hash"]) for a in anchors}))


def _verify(lines: Iterable[Mapping[str, Any]], anchors: dict[int, str]) -> Iterator[str]:
    expected, before = 1, GENESIS
    for line in lines:
        n = int(line["n"])
        if n != expected:
            yield f"lines {expected} to {n - 1} are missing" if n > expected else f"line {n} is there twice"
            before = ""  # the link to a line that is gone cannot be checked
        if before and digest(n, before, line) != line["hash"]:
            yield f"line {n} (id {line['id']}) was changed"
        if anchors.get(n, line["hash"]) != line["hash"]:
            yield f"line {n} is not the one that was anchored outside"
        expected, before = n + 1, str(line["hash"])
    highest = max(anchors, default=0)
    if highest >= expected:
        yield f"the log was cut: it ends at line {expected - 1}, but line {highest} was anchored outside"


def read(path: Path) -> list[dict[str, Any]]:
    """A file of JSON lines; a torn last line (the machine died while writing) is left out."""
    rows = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(text))
        except ValueError:
            continue
    return rows


def main(arguments: list[str]) -> int:
    """Verify an export; 1 if anything is wrong."""
    lines, anchors = read(Path(arguments[0])), read(Path(arguments[1])) if len(arguments) > 1 else []
    wrong = verify(lines, anchors)
    for what in wrong or [f"whole: {len(lines)} lines, {len(anchors)} anchors"]:
        sys.stdout.write(what + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
