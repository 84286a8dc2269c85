"""Recordings of calls: what was recorded, where it lies, until when it must be kept, and what is missing."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models

from anju.kernel.scope import ScopedModel

FAULTS = {
    "": "完好",
    "unfinished": "写入中断，已修复",
    "header_lost": "文件头丢失，已修复",
    "cut_short": "文件残缺，已修复",
    "empty": "没有声音",
}


class Recording(ScopedModel):
    """One sound file of one party of a call. `digest` is the SM3 of the plain WAV, so that an exported copy can be checked.

    `track` mixed holds both sides and is the recording of record; `in` is what the recorded party said, `out` what she heard.
    A row is never deleted; when its time is over the files go and the row says when, by whom and why.
    """

    scope_place: ClassVar[str] = "place"

    class Track(models.TextChoices):
        MIXED = "mixed", "双方混音"
        IN = "in", "对方声道"
        OUT = "out", "坐席声道"
        BRIDGE = "bridge", "会场混音"

    class State(models.TextChoices):
        KEPT = "kept", "在存"
        DAMAGED = "damaged", "校验不符"
        GONE = "gone", "文件不见"
        DELETED = "deleted", "到期已删"

    call = models.ForeignKey(
        "calls.Call", models.PROTECT, null=True, blank=True, related_name="recordings", verbose_name="通话"
    )
    leg_id = models.CharField("通道号", max_length=64)
    track = models.CharField("声道", max_length=6, choices=Track.choices)
    place = models.CharField("区划", max_length=12)
    started_at = models.DateTimeField("开始")
    seconds = models.FloatField("时长（秒）")
    bytes = models.BigIntegerField("WAV 字节数")
    peak = models.PositiveIntegerField("最大音量", default=0, help_text="0-32768；0 表示全程静音")
    fault = models.CharField("修复说明", max_length=12, blank=True, choices=list(FAULTS.items()))
    digest = models.CharField("SM3", max_length=64)
    file = models.CharField("封存文件", max_length=160, unique=True)
    sealed_bytes = models.BigIntegerField("封存字节数")
    sealed_sha256 = models.CharField("封存文件 SHA-256", max_length=64)
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.KEPT)
    kept_at = models.DateTimeField("入库时间")
    keep_until = models.DateField("保存至")
    policy_version = models.CharField("所依规则", max_length=80, blank=True)
    hold_reason = models.CharField("留存原因", max_length=200, blank=True, help_text="填写后到期不删")
    held_by = models.CharField("留存人", max_length=60, blank=True)
    checked_at = models.DateTimeField("最近校验", null=True, blank=True)
    copied_at = models.DateTimeField("备份时间", null=True, blank=True)
    copied_to = models.CharField("备份到", max_length=200, blank=True)
    upload = models.CharField("未完成的上传", max_length=300, blank=True)
    copy_problem = models.CharField("备份问题", max_length=200, blank=True)
    deleted_at = models.DateTimeField("删除时间", null=True, blank=True)
    deleted_by = models.CharField("删除人", max_length=60, blank=True)
    deleted_why = models.CharField("删除原因", max_length=200, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "录音"
        ordering = ["-started_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["leg_id", "track"], name="one_recording_a_track")]
        indexes = [
            models.Index(fields=["started_at"], name="recordings_by_time"),
            models.Index(fields=["keep_until"], name="recordings_expiring", condition=models.Q(state="kept")),
            models.Index(fields=["id"], name="recordings_uncopied", condition=models.Q(copied_at=None, state="kept")),
            models.Index(fields=["call"], name="recordings_of_call"),
        ]
        triggers = [
            pgtrigger.Protect(name="recording_rows_stay", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="recording_kept_its_time",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF NEW.digest <> OLD.digest OR NEW.leg_id <> OLD.leg_id OR NEW.bytes <> OLD.bytes
                       OR NEW.keep_until < OLD.keep_until THEN
                        RAISE EXCEPTION 'a recording keeps its digest, its length and its time';
                    END IF;
                    IF NEW.state = 'deleted' AND OLD.state <> 'deleted'
                       AND (OLD.keep_until >= (NEW.deleted_at AT TIME ZONE 'Asia/Shanghai')::date
                            OR OLD.hold_reason <> '' OR NEW.deleted_why = '') THEN
                        RAISE EXCEPTION 'a recording is not deleted before its time, while it is held, or without a reason';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.leg_id} {self.track}"

    @property
    def of_record(self) -> bool:
        """It says what was spoken: both voices, and more than an empty file."""
        return self.track in {self.Track.MIXED, self.Track.BRIDGE} and self.seconds > 0

    @property
    def silent(self) -> bool:
        """Nothing can be heard in it."""
        return self.bytes > 44 and self.peak < 40


class Gap(ScopedModel):
    """An answered call of which no recording was found, or one much shorter than the call, and what became of that."""

    scope_place: ClassVar[str] = "place"

    call = models.OneToOneField("calls.Call", models.CASCADE, related_name="recording_gap", verbose_name="通话")
    place = models.CharField("区划", max_length=12)
    found_at = models.DateTimeField("发现时间")
    settled_at = models.DateTimeField("了结时间", null=True, blank=True)
    settled_by = models.CharField("了结人", max_length=60, blank=True)
    reason = models.CharField("原因", max_length=200, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "缺录音的通话"
        ordering = ["-found_at"]
        indexes = [models.Index(fields=["found_at"], name="gaps_open", condition=models.Q(settled_at=None))]

    def __str__(self) -> str:
        return f"{self.call_id} {self.reason}"


class Strange(ScopedModel):
    """A file in the engine's folder that is no recording of ours or cannot be read: left where it is until somebody looks."""

    scope_place: ClassVar[str] = "place"

    name = models.CharField("文件名", max_length=200, unique=True)
    place = models.CharField("区划", max_length=12)
    bytes = models.BigIntegerField("字节数")
    problem = models.CharField("问题", max_length=200)
    found_at = models.DateTimeField("发现时间")

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "读不懂的录音文件"
        ordering = ["-found_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.problem}"
