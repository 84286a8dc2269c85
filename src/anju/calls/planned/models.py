"""What shall be called and when, and each dated call of it, written down before it is dialled."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from anju.calls.planned.flow import PLANNED
from anju.calls.planned.rules import DAYS, KINDS, MOODS
from anju.kernel import clock
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.scope import ScopedModel

WAYS = {"robot": "机器人拨打", "agent": "坐席拨打"}
RESULTS = {
    "well": "按键应答", "help": "按键求助", "scored": "按键评价", "reached": "坐席已联系上", "missed": "未联系上", "skipped": "本次未拨",
    "raised": "已转事件", "called_off": "已取消",
}  # fmt: skip
_KINDS = [(code, kind.label) for code, kind in KINDS.items()]


class CallPlan(ScopedModel):
    """Who is called, what for, on which days and at which time of the centre (24-hour clock)."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    place = models.CharField("区划", max_length=12)
    elder_id = models.BigIntegerField("老人", db_index=True)
    home_id = models.BigIntegerField("住户")
    kind = models.CharField("用途", max_length=10, choices=_KINDS)
    way = models.CharField("谁来拨", max_length=6, choices=list(WAYS.items()), default="robot")
    says = EncryptedTextField("说什么", blank=True, default="")
    days = models.CharField("哪些天", max_length=10, choices=list(DAYS.items()))
    first = models.DateField("从哪天起")
    until = models.DateField("到哪天止", null=True, blank=True)
    at = models.TimeField("时间（24 小时制）")
    tries = models.PositiveSmallIntegerField(
        "最多拨几次", default=2, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    gap_minutes = models.PositiveSmallIntegerField(
        "隔几分钟再拨", default=10, validators=[MinValueValidator(3), MaxValueValidator(120)]
    )
    made_by = models.CharField("谁定的", max_length=60)
    made_at = models.DateTimeField("定的时间")
    paused_at = models.DateTimeField("暂停时间", null=True, blank=True)
    ended_at = models.DateTimeField("停止时间", null=True, blank=True)
    ended_by = models.CharField("谁停的", max_length=60, blank=True, default="")

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "呼叫计划"
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.days} {self.at}"


@runs(PLANNED)
class PlannedCall(FlowSubject, ScopedModel):
    """One call on one day. `call_at` is when it is dialled next; the process' own deadline wakes it."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    plan = models.ForeignKey(CallPlan, models.PROTECT, null=True, related_name="calls", verbose_name="计划")
    on = models.DateField("哪一天", null=True)
    place = models.CharField("区划", max_length=12)
    elder_id = models.BigIntegerField("老人", null=True, db_index=True)
    home_id = models.BigIntegerField("住户", null=True)
    kind = models.CharField("用途", max_length=10, choices=_KINDS)
    way = models.CharField("谁来拨", max_length=6, choices=list(WAYS.items()), default="robot")
    ref = models.CharField("为何事", max_length=40, blank=True, default="", db_index=True)
    name = EncryptedTextField("对方（没有档案的人）", blank=True, default="")
    number = EncryptedTextField("号码（没有档案的人）", blank=True, default="")
    key = models.CharField("按了哪个键", max_length=1, choices=[(d, d) for d in "0123456789"], blank=True, default="")
    says = EncryptedTextField("说什么", blank=True, default="")
    agreed_at = models.DateTimeField("约定时刻")
    call_at = models.DateTimeField("下次拨打")
    latest = models.DateTimeField("机器人最迟")
    tries = models.PositiveSmallIntegerField("最多拨几次")
    gap_minutes = models.PositiveSmallIntegerField("隔几分钟再拨")
    tried = models.PositiveSmallIntegerField("拨了几次", default=0)
    last_call_id = models.UUIDField("最近一通", null=True, db_index=True)
    why = models.CharField("为什么到这一步", max_length=60, blank=True, default="")
    result = models.CharField("结果", max_length=10, choices=list(RESULTS.items()), blank=True, default="")
    score = models.PositiveSmallIntegerField("评分", default=0)
    mood = models.CharField("情绪", max_length=10, choices=list(MOODS.items()), blank=True, default="")
    needs = EncryptedTextField("发现的需要", blank=True, default="")
    note = EncryptedTextField("话后小结", blank=True, default="")
    done_by = models.BigIntegerField("谁联系的", null=True)
    done_at = models.DateTimeField("了结时间", null=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "计划外呼"
        ordering = ["call_at", "id"]
        indexes = [models.Index(fields=["state", "call_at"], name="planned_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["plan", "on"], name="one_planned_call_a_day"),
            models.UniqueConstraint(
                fields=["ref"],
                condition=~models.Q(ref="") & models.Q(state__in=["waiting", "due", "ringing", "agent"]),
                name="one_open_call_a_matter",
            ),
        ]
        triggers = [guard(PLANNED)]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    def duration(self, slot: str, default: timedelta) -> timedelta:
        """Waiting lasts until the time agreed; an agent has half an hour where somebody may lie in bed and not wake."""
        if slot == "state" and self.state == "waiting":
            return max(timedelta(0), self.call_at - clock.now())
        if slot == "state" and self.state == "agent":
            return KINDS[self.kind].agent_within
        return default
