"""A call and its parties. Both rows are committed before the engine is told to ring anybody."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models

from anju.calls.flow import CALL
from anju.calls.models.counted import calls_counted, legs_counted
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.scope import ScopedModel

PURPOSES = {
    "elder": "呼叫老人",
    "elder_check": "机器人呼叫老人",
    "contact": "呼叫联系人",
    "contact_robot": "机器人呼叫联系人",
    "120": "120",
    "110": "110",
    "119": "119",
    "follow_up": "回访",
    "emergency_in": "紧急来电",
    "service_in": "来电",
    "call_back": "回拨",
    "doctor": "呼叫医生",
    "seat": "呼叫坐席",
    "other": "其他",
}


class LegRole(models.TextChoices):
    """What a party is in the call."""

    CALLER = "caller", "来电人"
    AGENT = "agent", "坐席"
    AGENT_B = "agent_b", "B 席"
    CONTACT = "contact", "联系人"
    ELDER = "elder", "老人"
    DOCTOR = "doctor", "医生"
    EXPERT = "expert", "专家"
    SOCIAL = "social", "社工"
    GRID = "grid", "网格员"
    PROPERTY = "property", "物业"
    COMMITTEE = "committee", "居委会"
    AMBULANCE = "120", "120"
    POLICE = "110", "110"
    FIRE = "119", "119"
    SUPERVISOR = "supervisor", "值班长"
    ROBOT = "robot", "机器人"
    OTHER = "other", "其他"


@runs(CALL)
class Call(FlowSubject, ScopedModel):
    """One call, in or out. Of a call that comes in, `planned_at` is its arrival in the engine, before any prompt."""

    scope_place: ClassVar[str] = "place"

    call_id = models.UUIDField("通话号", default=uuid.uuid4, unique=True, editable=False)
    place = models.CharField("区划", max_length=12)
    ref = models.CharField("为何事", max_length=40, db_index=True, blank=True, default="", db_default="")
    direction = models.CharField("方向", max_length=4, choices=[("out", "呼出"), ("in", "呼入")])
    purpose = models.CharField("用途", max_length=20, choices=list(PURPOSES.items()))
    whom = EncryptedTextField("对方", blank=True)
    number = EncryptedTextField("号码", blank=True)
    caller_index = models.CharField("号码索引", max_length=32, blank=True, default="", db_default="", editable=False)
    called = models.CharField("被叫号码", max_length=24, blank=True, default="", db_default="")
    access = models.CharField("接入", max_length=20, blank=True, default="", db_default="")
    emergency = models.BooleanField("紧急", default=False, db_default=False)
    priority = models.PositiveSmallIntegerField("优先级", default=1, db_default=1)
    queue = models.ForeignKey("calls.Queue", models.PROTECT, null=True, blank=True, verbose_name="队列")
    level = models.PositiveSmallIntegerField("溢出级别", default=0, db_default=0)
    home_id = models.BigIntegerField("住户", null=True, blank=True)
    elder_id = models.BigIntegerField("老人", null=True, blank=True)
    device_id = models.BigIntegerField("设备", null=True, blank=True)
    candidates = models.JSONField("可能是谁", default=list, blank=True, db_default=[])
    script = models.CharField("话术", max_length=40, blank=True, default="", db_default="")
    says = EncryptedTextField("读给对方", blank=True, default="", db_default="")
    says_after_key = EncryptedTextField("按键后读出", blank=True, default="", db_default="")
    by_hand = models.BooleanField("人工记录", default=False, db_default=False)
    exchange = models.CharField("话务引擎", max_length=40, blank=True, default="", db_default="")
    by = models.CharField("谁拨的", max_length=60, blank=True, default="", db_default="")
    by_user = models.BigIntegerField("谁拨的（用户）", null=True, blank=True)
    user_id = models.BigIntegerField("接听坐席", null=True, blank=True)
    planned_at = models.DateTimeField("记下时间")
    placed_at = models.DateTimeField("拨出时间", null=True, blank=True)
    queued_at = models.DateTimeField("进入排队", null=True, blank=True)
    offered_at = models.DateTimeField("首次振铃坐席", null=True, blank=True)
    answered_at = models.DateTimeField("接通时间", null=True, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    seen_at = models.DateTimeField("话务控制最近确认", null=True, blank=True)
    result = models.CharField("结果", max_length=20, blank=True, default="", db_default="")
    cause = models.CharField("原因", max_length=30, blank=True, default="", db_default="")
    resolved = models.BooleanField("一次解决", null=True, blank=True)
    tags = models.JSONField("标签", default=list, blank=True, db_default=[])
    satisfaction = models.PositiveSmallIntegerField("满意度", default=0, db_default=0)
    keys = models.JSONField("按键", default=list, blank=True, db_default=[])
    note = EncryptedTextField("备注", blank=True, default="", db_default="")

    class Meta(ScopedModel.Meta):
        verbose_name = "通话"
        verbose_name_plural = "通话"
        ordering = ["planned_at", "id"]
        indexes = [
            models.Index(fields=["direction", "planned_at"], name="calls_by_time"),
            models.Index(fields=["caller_index", "planned_at"], name="calls_of_number"),
            models.Index(fields=["state"], name="calls_live", condition=~models.Q(state="ended")),
        ]
        triggers = [guard(CALL), *calls_counted()]

    def __str__(self) -> str:
        return f"{self.purpose} {self.result or self.state}"

    def duration(self, slot: str, default: timedelta) -> timedelta:
        """A queue's own overflow time rules the net behind it: the switchboard comes first, the clock 15 s later."""
        if slot == "state" and self.state == "queued" and self.queue is not None:
            return timedelta(seconds=self.queue.overflow_seconds + 15)
        return default


class Leg(ScopedModel):
    """One party of a call: the intent to ring it, committed before the engine hears of it, and what became of it.

    `leg_id` is the engine's channel id: ours for those that we ring, the engine's own for those that call in.
    """

    scope_place: ClassVar[str] = "call__place"

    call = models.ForeignKey(Call, models.CASCADE, related_name="legs", verbose_name="通话")
    leg_id = models.CharField("通道号", max_length=64, unique=True, editable=False)
    role = models.CharField("身份", max_length=12, choices=LegRole.choices)
    endpoint = models.CharField("端点", max_length=60, help_text="seat:8001 · number · phone:线路名")
    name = EncryptedTextField("姓名", blank=True, default="", db_default="")
    number = EncryptedTextField("号码", blank=True, default="", db_default="")
    user_id = models.BigIntegerField("用户", null=True, blank=True)
    seat = models.CharField("坐席分机", max_length=10, blank=True, default="", db_default="")
    planned_at = models.DateTimeField("记下时间")
    ringing_at = models.DateTimeField("振铃", null=True, blank=True)
    answered_at = models.DateTimeField("接通", null=True, blank=True)
    ended_at = models.DateTimeField("离开", null=True, blank=True)
    wrapped_at = models.DateTimeField("整理完毕", null=True, blank=True)
    cause = models.CharField("原因", max_length=20, blank=True, default="", db_default="")
    result = models.CharField("结果", max_length=20, blank=True, default="", db_default="")
    held = models.BooleanField("保持中", default=False, db_default=False)
    muted = models.BooleanField("静音中", default=False, db_default=False)

    class Meta(ScopedModel.Meta):
        verbose_name = "通话的一方"
        verbose_name_plural = "通话的各方"
        ordering = ["planned_at", "id"]
        indexes = [
            models.Index(fields=["call", "role"], name="legs_by_role"),
            models.Index(fields=["user_id", "planned_at"], name="legs_of_user"),
        ]
        triggers = legs_counted()

    def __str__(self) -> str:
        return f"{self.role} {self.result}"
