"""The environment that every process of an installation gets: options, the operator's settings, defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from anju.ops.home import Home

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "USER")
"""What of the caller's own environment a process may see, beside ANJU_* and DATABASE_URL."""


def is_setting(name: str) -> bool:
    """The name is one of our settings."""
    return name.startswith("ANJU_") or name in {"DATABASE_URL", "MQTT_URL", "MQTT_TOPIC"}


def read_settings(path: Path) -> dict[str, str]:
    """KEY=VALUE a line; blank lines and lines that begin with # are skipped; quotes around a value are dropped."""
    if not path.exists():
        return {}
    known: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        if not equals or not is_setting(name.strip()):
            raise ValueError(f"{path}, line {number}: write ANJU_NAME=value (or DATABASE_URL=…), not {text!r}")
        known[name.strip()] = value.strip().strip("\"'")
    return known


def settings_of(home: Home) -> dict[str, str]:
    """The operator's settings: the file, and above it the caller's environment."""
    told = {name: value for name, value in os.environ.items() if is_setting(name)}
    return {**read_settings(home.settings), **told}


def for_processes(home: Home, settings: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a process."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        **settings,
        "ANJU_HOME": str(home.path),
        "DJANGO_SETTINGS_MODULE": "anju.config.settings",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "" if os.access(Path(__file__).parent, os.W_OK) else "1",
    }
