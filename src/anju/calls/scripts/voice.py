"""Free text, read aloud for one person: rendered for her call, thrown away after it (it may hold the code of a door)."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from django.conf import settings

from anju.calls.lines import speech
from anju.ops import asterisk

FOLDER = "said"


def read_aloud(text: str) -> Path | None:
    """A sound file that only the engine's user may read; None where no voice is installed."""
    home = Path(settings.ANJU_ASTERISK_HOME)
    try:
        path = speech.rendered(text, home / FOLDER / uuid.uuid4().hex)
    except speech.NoVoice:
        return None
    owner = asterisk.user()
    for part, mode in ((home / FOLDER, 0o700), (path.parent, 0o700), (path, 0o600)):
        asterisk.own(part, owner, mode)
    return path


def throw_away(path: Path) -> None:
    """Nobody hears it again."""
    shutil.rmtree(path.parent, ignore_errors=True)


def tidy() -> int:
    """What a killed switchboard left behind; how many."""
    left = list((Path(settings.ANJU_ASTERISK_HOME) / FOLDER).glob("*"))
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)
