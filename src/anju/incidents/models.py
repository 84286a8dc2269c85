"""What is stored of an emergency: the case, its line of time, the people who were asked to come, the bells that rang."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from anju.incidents import conditions
from anju.incidents import plan as plans
from anju.incidents.flow import ATTEMPT, BELL, CALL_BACK, INCIDENT
from anju.incidents.scenes import belongs
from anju.kernel import clock
from anju.kernel.crypto import EncryptedJSONField, EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.flow.table import Duty
from anju.kernel.scope import ScopedModel

CLASSES = {
    "rescued": "已救助",
    "hospital": "送医",
    "safe": "平安",
    "refused": "本人拒绝",
    "deceased": "去世",
    "mis_press": "误碰",
    "child": "小孩玩耍",
    "nobody_speaks": "无人说话但人没事",
    "test": "试机",
    "device_fault": "设备故障",
    "late_data": "迟到数据",
    "drill": "演练",
}
"""How a case ended. The false-alarm classes are those of `rules.FALSE_CLASSES`."""


TWO_MINUTES = timedelta(minutes=2)


@runs(INCIDENT, conditions=conditions)
class Incident(FlowSubject, ScopedModel):
    """One emergency of one home (or of a caller of whom little is known), from the first alarm to the archive."""

    scope_place: ClassVar[str] = "place"
    scope_grid: ClassVar[str] = "home__area"
    scope_elder: ClassVar[str] = "elder"

    number = models.CharField("编号", max_length=20)
    opened_on = models.DateField("开案日")
    place = models.CharField("区划", max_length=12, db_index=True)
    home = models.ForeignKey("elders.Home", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    elder = models.ForeignKey("elders.Elder", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    unknown_key = models.CharField("未知住户的线索", max_length=80, blank=True)
    priority = models.PositiveSmallIntegerField("优先级")
    kind = models.CharField("种类", max_length=40)
    kind_label = models.CharField("种类名称", max_length=80)
    drill = models.BooleanField("演练", default=False)
    opened_at = models.DateTimeField("开案时间")
    first_alarm_at = models.DateTimeField("首次报警时间")
    accepted_at = models.DateTimeField("接警时间", null=True, blank=True)
    a_seat = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    b_seat = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    plan = EncryptedJSONField("冻结的预案")
    scenes = models.JSONField("场景", default=list, blank=True)
    answers = models.JSONField("已知答复", default=list, blank=True)
    callbacks = models.PositiveSmallIntegerField("无人应答的回拨次数", default=0)
    ladder_open = models.BooleanField("正在逐一联系", default=False)
    helper_until = models.DateTimeField("约定到达", null=True, blank=True)
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="later")
    outcome = EncryptedTextField("结果", blank=True, default="")
    outcome_class = models.CharField("结果分类", max_length=20, blank=True, choices=list(CLASSES.items()))
    cause = models.CharField("原因", max_length=200, blank=True)
    closed_at = models.DateTimeField("归档时间", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "紧急事件"
        verbose_name_plural = "紧急事件"
        ordering = ["-priority", "opened_at"]
        triggers = [guard(INCIDENT)]
        constraints = [models.UniqueConstraint(fields=["opened_on", "number"], name="incident_number_of_the_day")]
        indexes = [
            models.Index(fields=["home", "state"], name="incident_of_home"),
            models.Index(fields=["state", "-priority"], name="incident_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind_label}"

    def duration(self, slot: str, default: timedelta) -> timedelta:
        """The frozen policy's limit for the state being entered or for one of its duties."""
        if slot != "state":
            return plans.duty_limit(self.plan, slot, default)
        if self.state == "waiting":
            return plans.accept_limit(self.plan, self.priority)
        if self.state == "helper_coming" and self.helper_until:
            longest = plans.limit(self.plan, "incident.helper_coming", default)
            return max(timedelta(seconds=30), min(longest, self.helper_until - clock.now()))
        usual = plans.limit(self.plan, f"incident.{self.state}", default)
        if self.state == "overdue" and self.state_since:
            pressed = clock.now() - self.state_since
            return usual if pressed < plans.limit(self.plan, "incident.overdue_contacts", TWO_MINUTES) else usual * 2
        return usual

    def has_duty(self, duty: Duty) -> bool:
        """Whether the scenes of this case ask for this duty."""
        return belongs(duty.name, self.scenes, self.answers)


class Entry(ScopedModel):
    """One line of what happened. Lines are only added."""

    scope_place: ClassVar[str] = "incident__place"
    scope_grid: ClassVar[str] = "incident__home__area"
    scope_elder: ClassVar[str] = "incident__elder"

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="entries")
    at = models.DateTimeField("时间")
    source = models.CharField("来源", max_length=12)  # device A B lead system elder contact call
    kind = models.CharField("种类", max_length=30)
    text = EncryptedTextField("内容")
    data = models.JSONField("数据", default=dict, blank=True)
    by = models.CharField("何人", max_length=60, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "经过"
        verbose_name_plural = "经过"
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["incident", "at"], name="entry_of_incident")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.at:%H:%M:%S} {self.kind}"


@runs(ATTEMPT)
class Attempt(FlowSubject, ScopedModel):
    """One contact whose turn it was: when, how, and what came of it."""

    scope_place: ClassVar[str] = "incident__place"
    scope_grid: ClassVar[str] = "incident__home__area"
    scope_elder: ClassVar[str] = "incident__elder"

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="attempts")
    rung = models.PositiveSmallIntegerField("第几位")
    channel = models.CharField("方式", max_length=12, default="phone")  # phone | robot
    call_id = models.UUIDField("通话", null=True, blank=True)
    turn_at = models.DateTimeField("轮到时间")
    called_at = models.DateTimeField("拨出时间", null=True, blank=True)
    result = models.CharField("结果", max_length=20, blank=True)
    result_at = models.DateTimeField("结果时间", null=True, blank=True)
    eta_at = models.DateTimeField("约定到达", null=True, blank=True)
    with_key = models.BooleanField("带钥匙", default=False)
    proof = models.JSONField("按键凭据", default=dict, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "联系记录"
        verbose_name_plural = "联系记录"
        ordering = ["turn_at", "id"]
        triggers = [guard(ATTEMPT)]

    def __str__(self) -> str:
        return f"{self.incident_id} 第 {self.rung + 1} 位 {self.result or self.state}"

    @property
    def place(self) -> str:
        """The place of its incident."""
        return self.incident.place

    def duration(self, slot: str, default: timedelta) -> timedelta:  # noqa: ARG002
        """60 s for a ring unless the frozen policy says otherwise; the promised time for somebody on the way."""
        if self.state == "coming":
            late = timedelta(minutes=5)
            left = (self.eta_at - clock.now()) if self.eta_at else default
            return left if left > timedelta(0) else late
        if self.state in {"talking", "unsaid"}:
            return plans.limit(self.incident.plan, f"incident.contact_{self.state}", default)
        return plans.limit(self.incident.plan, "incident.contact_attempt", default)


@runs(CALL_BACK)
class ElderCall(FlowSubject, ScopedModel):
    """One of the two call-backs of a silent line (INC-04): a row with its own clock, whoever dials it.

    `call_id` is the real call when the platform dialled; without one it was made on a telephone beside the desk.
    """

    scope_place: ClassVar[str] = "incident__place"
    scope_grid: ClassVar[str] = "incident__home__area"
    scope_elder: ClassVar[str] = "incident__elder"

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="elder_calls")
    round = models.PositiveSmallIntegerField("第几次", default=1)
    call_id = models.UUIDField("通话", null=True, blank=True)
    robot = models.BooleanField("机器人拨打", default=False)
    asked_at = models.DateTimeField("要求时间")

    class Meta(ScopedModel.Meta):
        verbose_name = "回拨老人"
        verbose_name_plural = "回拨老人"
        ordering = ["asked_at", "id"]
        triggers = [guard(CALL_BACK)]

    def __str__(self) -> str:
        return f"{self.incident_id} 第 {self.round} 次回拨 {self.state_label}"

    @property
    def place(self) -> str:
        """The place of its incident."""
        return self.incident.place

    def duration(self, slot: str, default: timedelta) -> timedelta:  # noqa: ARG002
        """The frozen policy's limit, e.g. "incident.call_back_ringing"."""
        return plans.limit(self.incident.plan, f"incident.call_back_{self.state}", default)


@runs(BELL)
class Bell(FlowSubject, ScopedModel):
    """Something in a case that somebody already holds must be noticed within seconds."""

    scope_place: ClassVar[str] = "incident__place"
    scope_grid: ClassVar[str] = "incident__home__area"
    scope_elder: ClassVar[str] = "incident__elder"

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="bells")
    reason = models.CharField("原因", max_length=20)  # raised | joined | ask_b | dropped | handed
    text = models.CharField("说明", max_length=200)
    at = models.DateTimeField("时间")
    heard_by = models.CharField("谁确认", max_length=60, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "席位提醒"
        verbose_name_plural = "席位提醒"
        triggers = [guard(BELL)]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.reason}"

    @property
    def place(self) -> str:
        """The place of its incident."""
        return self.incident.place

    def duration(self, slot: str, default: timedelta) -> timedelta:  # noqa: ARG002
        """15 s unless the frozen policy says otherwise."""
        return plans.limit(self.incident.plan, "incident.bell", default)
