"""What may be done with the telephone lines: give seats and phones, replace a prompt, have the engine take it over."""

from __future__ import annotations

import wave
from io import BytesIO

from django.db import transaction

from anju.accounts.models import User
from anju.accounts.permissions import must
from anju.calls.lines import jobs, sound, speech
from anju.calls.lines.models import (
    AccessNumber,
    NumberPrompt,
    OneKeyPhone,
    Prompt,
    RescueNumber,
    SeatPhone,
    Trunk,
    new_secret,
)
from anju.kernel import audit, clock
from anju.kernel.flow.actor import Actor

CHANGE = "dictionary.change"


@transaction.atomic
def put_trunk(*, name: str, by: Actor, **values: object) -> Trunk:
    """A trunk, new or changed."""
    must(by, CHANGE)
    trunk, _ = Trunk.objects.update_or_create(name=name, defaults=values)
    changed()
    return trunk


@transaction.atomic
def ensure_trunk(*, name: str, label: str, by: Actor) -> Trunk:
    """A trunk that proves itself with its name and a new random secret, unless it is there already."""
    must(by, CHANGE)
    trunk, made = Trunk.objects.get_or_create(
        name=name, defaults={"label": label, "user": name, "secret": new_secret()}
    )
    if made:
        changed()
    return trunk


@transaction.atomic
def put_number(*, number: str, by: Actor, **values: object) -> AccessNumber:
    """An access number, new or changed."""
    must(by, CHANGE)
    row, _ = AccessNumber.objects.update_or_create(number=number, defaults=values)
    changed()
    return row


@transaction.atomic
def put_phone(*, name: str, device_id: int, number: str = "", by: Actor) -> OneKeyPhone:
    """A one-key phone of a device, new or changed; its secret stays."""
    must(by, CHANGE)
    row, _ = OneKeyPhone.objects.update_or_create(name=name, defaults={"device_id": device_id, "number": number})
    changed()
    return row


@transaction.atomic
def put_rescue_number(*, label: str, number: str, by: Actor) -> RescueNumber:
    """Whom the engine dials when nothing else is left."""
    must(by, CHANGE)
    row, _ = RescueNumber.objects.update_or_create(number=number, defaults={"label": label})
    changed()
    return row


@transaction.atomic
def ensure_seats() -> int:
    """Every user with a seat number has a telephone; how many were made."""
    missing = User.objects.exclude(seat_number="").filter(seat_phone__isnull=True)
    made = [SeatPhone.objects.create(user=user) for user in missing]
    if made:
        changed()
    return len(made)


@transaction.atomic
def upload_prompt(*, code: str, content: bytes, text: str, by: Actor) -> Prompt:
    """A person's recording instead of the synthetic voice. sound.UnusableSound (Chinese) when it can't be used."""
    must(by, CHANGE)
    if code not in speech.PROMPTS:
        raise sound.UnusableSound("没有这个提示音。请在列表里选一个。")
    row, _ = Prompt.objects.update_or_create(code=code, defaults=_recorded(content, text, by))
    audit.record("prompt.replaced", subject="prompt", subject_id=row.pk, detail={"code": code, "seconds": row.seconds})
    changed()
    return row


def _recorded(content: bytes, text: str, by: Actor) -> dict[str, object]:
    """The fields of a recording that can be used, brought to the telephone's rate and loudness; UnusableSound else."""
    samples, _rate = sound.read(content)
    made = sound.prompt_of(content)
    with wave.open(BytesIO(made)) as wav:
        seconds = wav.getnframes() / sound.RATE
    return {
        "sound": made, "text": text, "seconds": round(seconds, 2), "level": round(sound.loudness(samples), 1),
        "uploaded_at": clock.now(), "uploaded_by": by.name,
    }  # fmt: skip


@transaction.atomic
def upload_number_prompt(*, number_id: int, content: bytes, text: str, by: Actor) -> NumberPrompt:
    """A recording that callers of this number alone hear first. sound.UnusableSound (Chinese) when it can't be used."""
    must(by, CHANGE)
    number = AccessNumber.objects.select_for_update().filter(pk=number_id).first()
    if number is None:
        raise sound.UnusableSound("没有这个接入号，请刷新页面。")
    row, _ = NumberPrompt.objects.update_or_create(number=number, defaults=_recorded(content, text, by))
    detail = {"number": number.number, "seconds": row.seconds}
    audit.record("prompt.replaced", subject="access_number", subject_id=number.pk, detail=detail)
    changed()
    return row


@transaction.atomic
def drop_number_prompt(*, number_id: int, by: Actor) -> None:
    """Callers of this number hear the common prompt again."""
    must(by, CHANGE)
    for row in NumberPrompt.objects.filter(number=number_id).select_related("number"):
        detail = {"number": row.number.number}
        audit.record("prompt.restored", subject="access_number", subject_id=row.number_id, detail=detail)
        row.delete()
    changed()


@transaction.atomic
def restore_prompt(*, code: str, by: Actor) -> None:
    """Back to the synthetic voice."""
    must(by, CHANGE)
    for row in Prompt.objects.filter(code=code):
        audit.record("prompt.restored", subject="prompt", subject_id=row.pk, detail={"code": code})
        row.delete()
    changed()


def changed() -> None:
    """The tables changed: the engine takes it over a moment later, without dropping a call."""
    jobs.apply.defer(key="lines.apply")
