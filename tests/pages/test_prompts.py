"""A sentence that a machine reads says so; a person's recording says whose it is and since when."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from anju.calls.lines.speech import PROMPTS

pytestmark = [pytest.mark.django_db, pytest.mark.req("CALL-13", "CALL-02")]
As = Callable[[str], Client]


def text(answer: Any) -> str:
    return str(answer.content.decode())


def recording(seconds: float = 1.0) -> bytes:
    """A tone of 440 Hz as a WAV file."""
    made = io.BytesIO()
    with wave.open(made, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(
            b"".join(struct.pack("<h", int(9000 * math.sin(n * 0.3456))) for n in range(int(seconds * 8000)))
        )
    return made.getvalue()


def test_a_placeholder_is_marked_counted_and_gone_when_somebody_recorded_it(town: object, as_user: As) -> None:
    admin, lead = as_user("sysadmin1"), as_user("lead1")
    page = text(lead.get("/district/prompts/"))
    assert page.count("占位音，请上传真人录音") == len(PROMPTS)
    assert "上传录音" not in page, "a lead reads, the system administrator changes"
    assert f"有 {len(PROMPTS)} 句还是占位音" in text(lead.get("/district/operations/"))
    assert lead.get("/district/prompts/welcome/audio").content[:4] == b"RIFF"
    assert lead.get("/district/prompts/nothing/audio").status_code == 404
    given = {"text": "您好，这里是望潮区居家养老服务中心。", "recording": SimpleUploadedFile("w.wav", recording())}
    assert lead.post("/district/prompts/welcome/replace", given).status_code == 403
    bad = {"text": "不是声音", "recording": SimpleUploadedFile("w.wav", b"RIFFnothing")}
    assert "已换成" not in text(admin.post("/district/prompts/welcome/replace", bad, follow=True))
    given["recording"] = SimpleUploadedFile("w.wav", recording())
    done = text(admin.post("/district/prompts/welcome/replace", given, follow=True))
    assert "已换成真人录音" in done
    assert "裘志刚" in done
    assert done.count("占位音，请上传真人录音") == len(PROMPTS) - 1
    assert f"有 {len(PROMPTS) - 1} 句还是占位音" in text(lead.get("/district/operations/"))
    assert "已换回占位音" in text(admin.post("/district/prompts/welcome/replace", {"restore": "1"}, follow=True))
    assert as_user("street1").get("/district/prompts/").status_code == 403
