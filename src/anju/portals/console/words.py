"""Turns our `.po` of back-office words into the `.mo` that Django reads, without the gettext tools.

Reads what this project's own file uses: msgid, msgid_plural, msgstr, msgstr[0], strings over several lines.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

FOLDER = Path(__file__).parent / "locale" / "zh_Hans" / "LC_MESSAGES"
PO, MO = FOLDER / "django.po", FOLDER / "django.mo"


def read(text: str) -> dict[str, str]:
    """Message → translation; a plural message is `singular\\0plural`."""
    catalogue: dict[str, str] = {}
    entry: dict[str, str] = {}
    key = ""
    for line in [*text.splitlines(), "msgid"]:
        word, _, rest = line.strip().partition(" ")
        if word == "msgid":
            if "msgid" in entry:
                plural = f"\0{entry['msgid_plural']}" if "msgid_plural" in entry else ""
                catalogue[entry["msgid"] + plural] = entry.get("msgstr", entry.get("msgstr[0]", ""))
            entry = {}
        if word.startswith("msg"):
            key, entry[word] = word, json.loads(rest) if rest else ""
        elif word.startswith('"'):
            entry[key] += json.loads(line.strip())
    return catalogue


def compiled(catalogue: dict[str, str]) -> bytes:
    """The GNU `.mo` format: a header, two tables of (length, offset), the texts."""
    rows = sorted((k.encode(), v.encode()) for k, v in catalogue.items())
    start = 7 * 4 + 16 * len(rows)
    texts, tables = b"", [b"", b""]
    for side in (0, 1):
        for row in rows:
            tables[side] += struct.pack("<II", len(row[side]), start + len(texts))
            texts += row[side] + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, len(rows), 28, 28 + 8 * len(rows), 0, start)
    return header + tables[0] + tables[1] + texts


def compile_file() -> int:
    """Write the `.mo`; how many messages it has."""
    catalogue = read(PO.read_text(encoding="utf-8"))
    MO.write_bytes(compiled(catalogue))
    return len(catalogue) - 1
