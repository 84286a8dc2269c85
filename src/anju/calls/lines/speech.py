"""Sentences that the telephone says: the fixed prompts, and free text read by a synthetic voice.

The voice is espeak-ng with its pinyin rules. Its plain Mandarin voice reads Chinese characters as English, so the text is
turned into pinyin first. What it says is understood, and no more: each prompt is meant to be replaced by a recording.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from anju.calls.lines import sound

FOLDER = Path(__file__).parent / "prompts"
VOICE = "cmn-latn-pinyin"
SPEED = "165"
"""Words a minute; old people hear slow speech better."""

PROMPTS = {
    "welcome": ("接听", "您好，这里是居家养老服务中心，正在为您转接。"),
    "emergency_welcome": ("紧急接听", "紧急救助，正在接通。"),
    "all_busy": ("坐席全忙", "现在坐席都在忙，请不要挂机，我们马上接听。"),
    "please_wait": ("请稍候", "请稍候。"),
    "recorded_notice": ("录音告知", "为保证服务质量，通话将被录音。"),
    "press_one": ("联系人按键", "能赶去请按一，带钥匙请按二，去不了请按三。"),
    "elder_check": ("机器人问候老人", "您好，这里是居家养老服务中心。收到了您的求助，如果没有事，请按一。需要帮助，请按二，或者直接说话。"),
    "elder_check_thanks": ("问候老人后", "知道了，祝您平安。有事请随时按呼救键。"),
    "satisfaction": ("满意度", "请为本次服务评价。非常满意请按五，满意请按四，一般请按三，不满意请按二，很不满意请按一。"),
    "thanks": ("致谢", "谢谢您的来电，再见。"),
    "off_hours_expert": ("专家不在", "现在不是专家值班时间，坐席会为您登记预约。"),
    "silent_check": ("无声确认", "您好，听得到吗？如果不方便说话，请按任意键。"),
    "rescue_wait": ("应急等待", "正在呼叫所有值班人员，请不要挂机。"),
    "abandoned_callback": ("断线回拨", "您好，刚才您的紧急电话断了。需要帮助请按一，没有事请按二。"),
    "invalid_key": ("按键不对", "没有这个选项，请重新按键。"),
    "goodbye_no_answer": ("没有应答", "没有听到您的回答，我们会再联系您，再见。"),
    "no_answer_contact": ("联系不上", "暂时联系不上，我们会继续拨打。"),
}  # fmt: skip
"""Code → (what it is called in the back office, what it says)."""

_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")


class NoVoice(Exception):
    """No speech synthesis on this machine; fixed prompts still play."""


def has_voice() -> bool:
    """Whether free text can be read aloud here."""
    return shutil.which("espeak-ng") is not None


def pinyin(text: str) -> str:
    """How the voice is given a sentence: 您好 → nin2 hao3, digits one by one."""
    from pypinyin import Style, lazy_pinyin  # its dictionary takes a tenth of every process's start

    spoken = text.translate(_DIGITS)
    words = lazy_pinyin(spoken, style=Style.TONE3, neutral_tone_with_five=True, errors=_other)
    return re.sub(r"\s+", " ", " ".join(w for w in words if w.strip())).strip()


def _other(text: str) -> str:
    return re.sub(r"[，、；：]", ",", re.sub(r"[。！？\n]", ".", text))


def read_aloud(text: str) -> bytes:
    """The sentence as a prompt. Raises NoVoice where espeak-ng is not installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise NoVoice("espeak-ng is not installed: apt-get install espeak-ng")
    done = subprocess.run(
        [program, "-v", VOICE, "-s", SPEED, "-g", "2", "--stdin", "--stdout"],
        input=pinyin(text).encode(), capture_output=True, check=False, timeout=20,
    )  # fmt: skip
    if done.returncode or len(done.stdout) < 100:
        raise NoVoice(f"espeak-ng failed: {done.stderr.decode(errors='replace').strip()[:200]}")
    samples, rate = sound.read(_with_length(done.stdout))
    return sound.write(sound.level_out(sound.resample(samples, rate)))


def _with_length(content: bytes) -> bytes:
    """On a pipe espeak-ng can't go back to write the length; without it the file is shorter than it says."""
    size = len(content) - 44
    return content[:4] + (size + 36).to_bytes(4, "little") + content[8:40] + size.to_bytes(4, "little") + content[44:]


def rendered(text: str, folder: Path) -> Path:
    """The sentence as a file in that folder, made once. Raises NoVoice."""
    path = folder / f"said-{hashlib.sha256(text.encode()).hexdigest()[:20]}.wav"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        sound.save(path, read_aloud(text))
        path.chmod(0o644)
    return path


def render_all() -> list[Path]:
    """Make the committed prompts and the waiting tune anew (manage.py prompts); answers the files."""
    FOLDER.mkdir(exist_ok=True)
    made = []
    for code, (_label, text) in PROMPTS.items():
        path = FOLDER / f"{code}.wav"
        sound.save(path, read_aloud(text))
        made.append(path)
    sound.save(FOLDER / "tune.wav", sound.tune())
    return [*made, FOLDER / "tune.wav"]
