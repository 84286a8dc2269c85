"""The first minute on a fresh machine: what is missing is said, what is there is not installed again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anju.ops import install


def test_a_python_without_venv_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "VENV", tmp_path / "absent")
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(install.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match=r"sudo apt-get install -y python3-venv python3\.\d+-venv"):
        install.make_venv()


def test_an_unchanged_lock_installs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, stamp, python = tmp_path / "requirements.lock", tmp_path / "anju.json", tmp_path / "python"
    lock.write_text("django==1 \\\n    --hash=sha256:00\n")
    python.touch()
    for name, value in {"STAMP": stamp, "PYTHON": python, "RUNTIME": lock, "ROOT": tmp_path}.items():
        monkeypatch.setattr(install, name, value)
    asked: list[list[Path]] = []
    monkeypatch.setattr(install, "install", asked.append)
    monkeypatch.setattr(install, "link_sources", lambda: None)
    monkeypatch.setattr("sys.argv", ["install"])
    stamp.write_text(json.dumps({lock.name: install.print_of(lock)}))
    install.main()
    assert asked == []
    lock.write_text("django==2 \\\n    --hash=sha256:00\n")
    install.main()
    assert asked == [[lock]]
    install.main()
    assert asked == [[lock]]


def test_the_locks_have_a_hash_for_everything() -> None:
    for lock in (install.RUNTIME, install.DEV):
        blocks = lock.read_text().split("\n")
        names = [line for line in blocks if line[:1].isalnum()]
        assert len(names) > 40
        assert all(line.endswith("\\") for line in names), "a library without a hash"
        assert all(line.startswith("    --hash=sha256:") for line in blocks if line and line not in names)
