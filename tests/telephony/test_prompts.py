"""What callers hear first, through the real engine: a number's own recording, and the prompt of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from anju.accounts.permissions import THE_PLATFORM
from anju.calls.lines import actions, queries
from anju.calls.lines.config import writing
from anju.calls.lines.config.plan import Plan
from anju.calls.lines.models import AccessNumber, NumberPrompt, Prompt
from anju.calls.simulator import tones
from tests.telephony.centre import HOTLINE, Centre
from tests.telephony.engine_room import EngineRoom, until
from tests.telephony.sipp import TONES

pytestmark = [pytest.mark.telephony, pytest.mark.timeout(240)]
OTHER = "96218"
COMMON = "please_wait"


@pytest.fixture
def numbers(centre: Centre, tmp_path: Path) -> Iterator[tuple[AccessNumber, AccessNumber]]:
    """Two numbers that play the same prompt; the engine has its usual sounds again afterwards."""
    yield (
        AccessNumber.objects.create(number=HOTLINE, label="街道热线", prompt=COMMON),
        AccessNumber.objects.create(number=OTHER, label="别的热线", prompt=COMMON),
    )
    AccessNumber.objects.all().delete()
    Prompt.objects.all().delete()
    _to_the_engine(centre.room, tmp_path / "usual")
    assert not NumberPrompt.objects.exists()


def _to_the_engine(room: EngineRoom, folder: Path) -> None:
    """As the job `lines.apply` lays sounds there; the lines stay as they are."""
    writing.write(Plan(room.machine, room.lines), queries.sounds(folder), room.tune, owner=room.owner)


def _recording(path: Path, voice: str) -> bytes:
    """Nine seconds of a voice, below the longest prompt that a caller is kept with."""
    tones.write(path, [(9.0, frozenset({TONES[voice]}))])
    return path.read_bytes()


@pytest.mark.req("CALL-02", "CALL-13")
def test_callers_of_a_number_hear_its_own_recording_and_those_of_another_the_prompt_of_all(centre, numbers, tmp_path):
    own, _other = numbers
    actions.upload_number_prompt(
        number_id=own.pk, content=_recording(tmp_path / "own.wav", "second"), text="专用", by=THE_PLATFORM
    )
    actions.upload_prompt(
        code=COMMON, content=_recording(tmp_path / "all.wav", "doctor"), text="大家的", by=THE_PLATFORM
    )
    _to_the_engine(centre.room, tmp_path / "prompts")
    centre.opens()
    hers, others = centre.calls(HOTLINE), centre.calls(OTHER, number="13900000002", voice="family")
    until(lambda: hers.hears() == {"second"}, "she hears the recording of the number that she called")
    until(lambda: others.hears() == {"doctor"}, "whoever called another number hears what all hear")
    for caller in (hers, others):
        caller.hang_up()
    centre.nothing_is_left()
