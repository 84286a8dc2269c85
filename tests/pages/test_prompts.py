"""A sentence that a machine reads says so; a person's recording says whose it is and since when."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from anju.calls.lines import queries as lines
from anju.calls.lines.config.plan import sounds_of
from anju.calls.lines.models import AccessNumber
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


def test_one_number_has_a_recording_of_its_own_and_falls_back_to_the_common_prompt(
    town: object, as_user: As, tmp_path: Path
) -> None:
    admin, lead = as_user("sysadmin1"), as_user("lead1")
    number = AccessNumber.objects.create(number="96219", label="街道热线", prompt="please_wait")
    code = f"number-{number.pk}"

    def first() -> str:
        return next(a.prompt for a in lines.access_numbers() if a.number == "96219")

    page = text(lead.get("/district/prompts/"))
    assert "街道热线" in page
    assert "通用：请稍候" in page
    assert first() == "please_wait"
    assert lead.get(f"/district/prompts/number/{number.pk}/audio").status_code == 404
    url, said = f"/district/prompts/number/{number.pk}/replace", "您好，这里是街道热线。"
    wav = SimpleUploadedFile("w.wav", recording())
    assert lead.post(url, {"text": said, "recording": wav}).status_code == 403
    short = {"text": said, "recording": SimpleUploadedFile("w.wav", recording(0.1))}
    assert "至少要 0.3 秒" in text(admin.post(url, short, follow=True))
    done = text(admin.post(url, {"text": said, "recording": SimpleUploadedFile("w.wav", recording())}, follow=True))
    assert "已换上专用录音" in done
    assert said in done
    assert lead.get(f"/district/prompts/number/{number.pk}/audio").content[:4] == b"RIFF"
    assert (first(), lines.sounds(tmp_path)[code].read_bytes()[:4]) == (code, b"RIFF")
    assert "已去掉专用录音" in text(admin.post(url, {"restore": "1"}, follow=True))
    assert (first(), code in lines.sounds(tmp_path)) == ("please_wait", False)


def test_with_a_real_engine_the_recording_is_played_when_the_engine_has_it(
    town: object, as_user: As, tmp_path: Path, settings: Any
) -> None:
    number = AccessNumber.objects.create(number="96219", label="街道热线", prompt="please_wait")
    wav = SimpleUploadedFile("w.wav", recording())
    as_user("sysadmin1").post(f"/district/prompts/number/{number.pk}/replace", {"text": "您好", "recording": wav})
    settings.ANJU_ARI_URL, settings.ANJU_EXCHANGE, settings.ANJU_ASTERISK_HOME = (
        "http://127.0.0.1:1",
        "asterisk",
        tmp_path,
    )
    access = [a.prompt for a in lines.access_numbers() if a.number == "96219"]
    assert access == ["please_wait"], "not written yet: callers hear what they heard before"
    there = sounds_of(tmp_path)
    there.mkdir(parents=True)
    (there / f"number-{number.pk}.wav").write_bytes(b"RIFF")
    assert [a.prompt for a in lines.access_numbers() if a.number == "96219"] == [f"number-{number.pk}"]
