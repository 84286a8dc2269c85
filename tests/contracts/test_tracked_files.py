"""What is committed names no registry's host, no index and no machine: it must work on everybody's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = re.compile(
    "|".join(
        [
            r"py" + r"pi\.(org|python|tuna)", r"files\.python" + r"hosted", r"registry\.npm", r"deb" + r"ian\.org/debian",
            r"--(extra-)?index" + r"-url\s+\S", r"--find" + r"-links\s+\S", r'"resolved":\s*"http',
            r"/wo" + r"rk/\w", r"/ro" + r"ot/\w", r"/opt/wh" + r"eels",
        ],
    ),
)  # fmt: skip


def wrong_lines(text: str) -> list[str]:
    """The lines that name a place of somebody's own."""
    return [line.strip()[:120] for line in text.splitlines() if FORBIDDEN.search(line)]


def tracked() -> list[Path]:
    """Every committed or added file that is text."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.decode().split("\0") if name]


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    for sample in ("--index" + "-url http://x", "see /ro" + "ot/x", '"resol' + 'ved": "https://x"'):
        assert wrong_lines(sample), sample
    assert not wrong_lines("the folder below /ro" + "ot, say; https://example.org/wo" + "rk/")
    found = {}
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        if lines := wrong_lines(text):
            found[str(path.relative_to(ROOT))] = lines[:3]
    assert not found
