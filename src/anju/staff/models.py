"""Who is on duty when, how a shift was handed over, and the experts with their hours and appointments."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from anju.kernel import clock
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.scope import ScopedModel
from anju.staff.flow import BOOKING, HAND_OVER

POSTS = {"agent": "坐席", "lead": "值班长", "dispatcher": "派单员", "installer": "装维值守", "quality": "质检"}
FIELDS = {"doctor": "医生", "lawyer": "律师", "psychologist": "心理咨询", "nurse": "护理", "policy": "政策"}


class Duty(ScopedModel):
    """One person on duty for one span. Never deleted: a change is a new row and the old one is struck out."""

    scope_place: ClassVar[str] = "place"

    place = models.CharField("区划", max_length=12)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="duties", verbose_name="谁")
    post = models.CharField("岗位", max_length=12, choices=list(POSTS.items()))
    start = models.DateTimeField("开始")
    end = models.DateTimeField("结束")
    shift = models.CharField("班次", max_length=20, blank=True)
    note = models.CharField("说明", max_length=120, blank=True)
    made_by = models.CharField("谁排的", max_length=60)
    struck_at = models.DateTimeField("撤下时间", null=True, blank=True)
    struck_why = models.CharField("撤下原因", max_length=120, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "值班"
        verbose_name_plural = "值班表"
        ordering = ["start", "post", "user"]
        indexes = [models.Index(fields=["start", "end"], name="staff_duty_span")]
        constraints = [
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="staff_duty_ends_later")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.start:%m-%d %H:%M}"


@runs(HAND_OVER)
class HandOver(FlowSubject, ScopedModel):
    """From one shift's lead to the next: what is open, what to mind. Frozen when it is offered."""

    scope_place: ClassVar[str] = "place"

    place = models.CharField("区划", max_length=12)
    ends_at = models.DateTimeField("本班结束")
    from_lead = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    to_lead = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    facts = models.JSONField("当时的数", default=dict)
    text = EncryptedTextField("交班内容", blank=True, default="")
    taken_at = models.DateTimeField("接班时间", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "交接班"
        verbose_name_plural = "交接班"
        ordering = ["-ends_at"]
        triggers = [guard(HAND_OVER)]
        constraints = [models.UniqueConstraint(fields=["place", "ends_at"], name="staff_one_hand_over_a_shift")]

    def __str__(self) -> str:
        return f"{self.place} {self.ends_at:%m-%d %H:%M}"

    def duration(self, slot: str, default: timedelta) -> timedelta:  # noqa: ARG002
        """The time to write it runs from the end of the shift."""
        return default + (max(self.ends_at - clock.now(), timedelta(0)) if self.state == "writing" else timedelta(0))


class Expert(ScopedModel):
    """A doctor, lawyer or psychologist with duty times. Reached by seat when she has one, else by telephone."""

    scope_place: ClassVar[str] = "place"

    place = models.CharField("区划", max_length=12)
    name = models.CharField("姓名", max_length=40)
    field = models.CharField("专业", max_length=14, choices=list(FIELDS.items()))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="账号"
    )
    phone = EncryptedTextField("电话", blank=True, default="")
    unit = models.CharField("单位", max_length=80, blank=True)
    hours = models.JSONField("值守时间", default=dict, help_text='{"0": [["09:00", "11:30"]]}，0 是周一')
    away = models.JSONField("请假日期", default=list)
    active = models.BooleanField("在岗", default=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "专家"
        verbose_name_plural = "专家"
        ordering = ["field", "name"]

    def __str__(self) -> str:
        return self.name


@runs(BOOKING)
class Booking(FlowSubject, ScopedModel):
    """An appointment with an expert who was off duty when somebody asked."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    place = models.CharField("区划", max_length=12)
    expert = models.ForeignKey(Expert, models.PROTECT, related_name="bookings", verbose_name="专家")
    elder = models.ForeignKey("elders.Elder", models.PROTECT, null=True, blank=True, related_name="+")
    caller = EncryptedTextField("找她的人", blank=True, default="")
    phone = EncryptedTextField("回电号码")
    about = EncryptedTextField("什么事")
    at = models.DateTimeField("约在")
    made_by = models.CharField("谁约的", max_length=60)
    call_id = models.CharField("来电", max_length=40, blank=True)
    outcome = EncryptedTextField("办理结果", blank=True, default="")

    class Meta(ScopedModel.Meta):
        verbose_name = "专家预约"
        verbose_name_plural = "专家预约"
        ordering = ["at"]
        triggers = [guard(BOOKING)]
        indexes = [models.Index(fields=["state", "at"], name="staff_booking_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["expert", "at"], condition=models.Q(state__in=["booked", "reminded"]), name="staff_slot_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.expert_id} {self.at:%m-%d %H:%M}"
