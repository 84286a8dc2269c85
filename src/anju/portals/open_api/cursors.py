"""Opaque page marks: the id of the last row, packed so that nobody computes with it. Pure."""

from __future__ import annotations

import base64
import binascii

LARGEST = 2**63 - 1


class BadCursor(ValueError):
    """The mark is not one of ours."""


def pack(last_id: int) -> str:
    """The mark that goes on after this row."""
    return base64.urlsafe_b64encode(f"v1:{last_id}".encode()).decode().rstrip("=")


def unpack(mark: str) -> int | None:
    """The id behind a mark; None for the first page."""
    if not mark:
        return None
    try:
        text = base64.b64decode(mark + "=" * (-len(mark) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    version, _, number = text.partition(":")
    if version != "v1" or not number.isascii() or not number.isdigit() or len(number) > 19 or int(number) > LARGEST:
        raise BadCursor
    return int(number)
