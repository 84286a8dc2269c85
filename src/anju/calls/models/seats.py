"""Seats, queues and who can do what."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from anju.calls.models.counted import stretches_counted
from anju.kernel.scope import OpenModel

SEAT_STATES = [
    ("off", "离线"),
    ("ready", "就绪"),
    ("ringing", "振铃"),
    ("talking", "通话"),
    ("wrap_up", "整理"),
    ("break", "小休"),
]


class SkillGroup(OpenModel):
    """What some agents can do and some calls need: dialect, health, orders."""

    scope_reason: ClassVar[str] = "a dictionary of the centre; it says nothing of an elder"

    code = models.CharField("代码", max_length=20, unique=True)
    name = models.CharField("名称", max_length=40)

    class Meta:
        verbose_name = verbose_name_plural = "技能组"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Queue(OpenModel):
    """Where calls wait. The emergency queue has the highest priority and asks for no skill."""

    scope_reason: ClassVar[str] = "a dictionary of the centre; it says nothing of an elder"

    code = models.CharField("代码", max_length=20, unique=True)
    name = models.CharField("名称", max_length=40)
    priority = models.PositiveSmallIntegerField("优先级", default=1, help_text="0-9，9 最先")
    emergency = models.BooleanField("紧急队列", default=False)
    skills = models.ManyToManyField(SkillGroup, blank=True, verbose_name="需要的技能组")
    prompt = models.CharField("应答语音", max_length=40, blank=True, default="welcome")
    ring_seconds = models.PositiveSmallIntegerField("每席振铃秒数", default=15)
    overflow_seconds = models.PositiveSmallIntegerField("溢出秒数", default=20)
    ring_all = models.BooleanField("同时振铃", default=False, help_text="紧急队列：空闲坐席同时振铃，先接先得")
    wrap_up_seconds = models.PositiveSmallIntegerField("整理时限秒数", default=60)
    survey = models.BooleanField("通话后满意度", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "队列"
        ordering = ["-priority", "code"]

    def __str__(self) -> str:
        return self.name


class Skill(OpenModel):
    """An agent of a skill group. A higher level is asked first."""

    scope_reason: ClassVar[str] = "belongs to a user; pages read it through calls.queries"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="skills", verbose_name="坐席")
    group = models.ForeignKey(SkillGroup, models.CASCADE, related_name="members", verbose_name="技能组")
    level = models.PositiveSmallIntegerField("等级", default=5, help_text="1-9，9 最熟")

    class Meta:
        verbose_name = verbose_name_plural = "坐席技能"
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="one_skill_a_group")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.group_id} {self.level}"


class SeatState(OpenModel):
    """How a seat stands now. `wants` is the agent's own word (off, ready, break); `state` is what holds at the moment."""

    scope_reason: ClassVar[str] = "a seat of the centre; it says nothing of an elder"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, verbose_name="坐席")
    extension = models.CharField("分机", max_length=10, unique=True)
    state = models.CharField("状态", max_length=10, choices=SEAT_STATES, default="off", db_default="off")
    wants = models.CharField("本人选择", max_length=10, choices=SEAT_STATES, default="off", db_default="off")
    reason = models.CharField("原因", max_length=40, blank=True, default="", db_default="")
    since = models.DateTimeField("自何时")
    until = models.DateTimeField("整理时限", null=True, blank=True)
    call_id = models.UUIDField("通话号", null=True, blank=True)
    misses = models.PositiveSmallIntegerField("连续未接", default=0, db_default=0)
    is_lead = models.BooleanField("值班长席", default=False, db_default=False)
    mic_ok = models.BooleanField("麦克风已检查", default=False, db_default=False)
    device = models.CharField("话机", max_length=80, blank=True, default="", db_default="")
    registered = models.BooleanField("软电话在线", default=False, db_default=False)
    queue = models.ForeignKey(Queue, models.SET_NULL, null=True, blank=True, verbose_name="固定在队列")

    class Meta:
        verbose_name = verbose_name_plural = "坐席状态"
        ordering = ["extension"]

    def __str__(self) -> str:
        return f"{self.extension} {self.state}"


class SeatLog(OpenModel):
    """One stretch of time in one state; the row is written when the stretch begins and closed when it ends."""

    scope_reason: ClassVar[str] = "a seat of the centre; it says nothing of an elder"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="坐席")
    extension = models.CharField("分机", max_length=10)
    state = models.CharField("状态", max_length=10, choices=SEAT_STATES)
    reason = models.CharField("原因", max_length=40, blank=True, default="", db_default="")
    call_id = models.UUIDField("通话号", null=True, blank=True)
    since = models.DateTimeField("自")
    until = models.DateTimeField("至", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "坐席状态记录"
        ordering = ["since", "id"]
        indexes = [
            models.Index(fields=["user", "since"], name="seat_log_of_user"),
            models.Index(fields=["user"], name="seat_log_open", condition=models.Q(until__isnull=True)),
        ]
        triggers = stretches_counted()

    def __str__(self) -> str:
        return f"{self.extension} {self.state} {self.since:%F %T}"
