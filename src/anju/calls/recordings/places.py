"""Where recordings lie on this machine: the engine's folder, and what was taken in from it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from django.conf import settings

from anju.calls.recordings import vault
from anju.calls.recordings.stores import Store, store_at
from anju.kernel import clock


def incoming() -> Path:
    """Where the engine writes: `<leg>.wav`, `<leg>-in.wav`, `<leg>-out.wav`, and `bridge/<name>.wav`."""
    given = getattr(settings, "ANJU_RECORDINGS", "") or os.environ.get("ANJU_RECORDINGS", "")
    return Path(given) if given else Path(settings.ANJU_HOME) / "recordings"


def kept() -> Path:
    """Where the sealed files lie."""
    return incoming() / "kept"


def name_for(leg_id: str, track: str, at: datetime) -> str:
    """The sealed file's path below `kept()`: by day in China, so that a day can be found without the database."""
    return f"{clock.local(at):%Y/%m/%d}/{leg_id}.{track}{vault.SUFFIX}"


def keys() -> dict[str, bytes]:
    """The keys that seal and open."""
    return vault.keys_of(settings.SECRETS.field)


def second() -> Store | None:
    """The second storage, if one is named."""
    return store_at(getattr(settings, "ANJU_RECORDINGS_COPY", ""))
