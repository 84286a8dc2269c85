"""What people ask of the switchboard, what it owes callers, and what it has still to tell."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from anju.calls.flow import CALL_BACK
from anju.calls.models.call import Call
from anju.kernel.crypto import EncryptedJSONField, EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.scope import OpenModel, ScopedModel

WHY = [("abandoned", "接通前挂断"), ("lost", "系统中断"), ("rescued", "转应急振铃")]


class Command(OpenModel):
    """A verb that somebody asked for (dial, hold, transfer …). Taken once by the switchboard; stale ones are refused."""

    scope_reason: ClassVar[str] = "read by the switchboard; pages see the call, which has a scope"

    command_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    verb = models.CharField("操作", max_length=20)
    call_id = models.UUIDField("通话号", null=True, blank=True)
    args = EncryptedJSONField("参数", default=dict)
    by = models.CharField("谁", max_length=60)
    by_user = models.BigIntegerField("谁（用户）", null=True, blank=True)
    asked_at = models.DateTimeField("提出")
    taken_at = models.DateTimeField("受理", null=True, blank=True)
    done_at = models.DateTimeField("办结", null=True, blank=True)
    result = models.CharField("结果", max_length=20, blank=True, default="", db_default="")
    error = models.CharField("未办原因", max_length=200, blank=True, default="", db_default="")

    class Meta:
        verbose_name = verbose_name_plural = "话务指令"
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], name="commands_open", condition=models.Q(taken_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.verb} {self.result}"


@runs(CALL_BACK)
class CallBack(FlowSubject, ScopedModel):
    """A caller in need hung up (or was cut off) before anybody spoke with her: somebody must ring back."""

    scope_place: ClassVar[str] = "place"

    call = models.OneToOneField(Call, models.CASCADE, related_name="call_back", verbose_name="原来电")
    place = models.CharField("区划", max_length=12)
    number = EncryptedTextField("号码")
    caller_index = models.CharField("号码索引", max_length=32, blank=True, default="", db_default="", db_index=True)
    endpoint = models.CharField("端点", max_length=60, blank=True, default="", db_default="")
    home_id = models.BigIntegerField("住户", null=True, blank=True)
    elder_id = models.BigIntegerField("老人", null=True, blank=True)
    why = models.CharField("缘由", max_length=20, choices=WHY)
    attempts = models.PositiveSmallIntegerField("已回拨次数", default=0)
    last_call_id = models.UUIDField("最近一次回拨", null=True, blank=True)
    created_at = models.DateTimeField("建立时间")

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "待回拨"
        ordering = ["created_at", "id"]
        triggers = [guard(CALL_BACK)]

    def __str__(self) -> str:
        return f"{self.why} {self.state}"


class News(OpenModel):
    """A fact that is written with the call and announced right after, in order: the ring never waits for who listens."""

    scope_reason: ClassVar[str] = "read by the switchboard alone, gone within a day"

    news_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    fact = models.CharField(max_length=40)
    data = EncryptedJSONField(default=dict)
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    problem = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], name="news_untold", condition=models.Q(told_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.fact} {self.told_at}"


class Switchboard(OpenModel):
    """The one switchboard that acts. `epoch` is its fence: whoever writes with an older one is refused."""

    scope_reason: ClassVar[str] = "one row about a process"

    epoch = models.BigIntegerField(default=0)
    engine = models.CharField("话务引擎", max_length=40, blank=True, default="")
    engine_ok = models.BooleanField(default=False)
    real = models.BooleanField("能接真实电话", default=False)
    detail = models.CharField(max_length=200, blank=True, default="")
    started_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    live_calls = models.PositiveIntegerField(default=0)
    waiting_calls = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "话务控制"

    def __str__(self) -> str:
        return f"{self.engine} {self.epoch}"
