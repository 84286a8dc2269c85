"""What is stored of alarms: every press its own row, the troubles of the platform, the pulse of each source."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from anju.kernel.scope import OpenModel, ScopedModel


class Alarm(ScopedModel):
    """One alarm. A repeated press is a row of its own that says what it joined and why (INC-01, SEN-03).

    The signal it came from is (`message_id`, `nth`), unique: a batch that is routed again can't raise it twice.
    `at` is the device's time, `received_at` when the message was durably here.
    """

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    class State(models.TextChoices):
        OPEN = "open", "处置中"
        JOINED = "joined", "已并入"
        CLOSED = "closed", "已关闭"
        DRILL = "drill", "演练/测试"

    class CaseKind(models.TextChoices):
        NONE = "", "—"
        INCIDENT = "incident", "紧急事件"
        REPAIR = "repair", "维修工单"

    number = models.CharField("编号", max_length=24, unique=True)
    home = models.ForeignKey(
        "elders.Home", models.PROTECT, null=True, blank=True, verbose_name="家庭", related_name="+"
    )
    device = models.ForeignKey(
        "devices.Device", models.PROTECT, null=True, blank=True, verbose_name="设备", related_name="+"
    )
    elder = models.ForeignKey(
        "elders.Elder", models.PROTECT, null=True, blank=True, verbose_name="老人", related_name="+"
    )
    place = models.CharField("区划", max_length=12)
    kind = models.CharField("类别", max_length=20)
    dty = models.CharField("设备类型码", max_length=4, blank=True)
    stc = models.CharField("状态码", max_length=4, blank=True)
    lco = models.CharField("位置码", max_length=4, blank=True)
    priority = models.PositiveSmallIntegerField("优先级")
    technical = models.BooleanField("技术类", default=False)
    label = models.CharField("名称", max_length=60)
    where = models.CharField("位置", max_length=60, blank=True)
    note = models.CharField("说明", max_length=300, blank=True)
    source = models.CharField("来源", max_length=40)
    at = models.DateTimeField("发生时间")
    received_at = models.DateTimeField("收到时间")
    raised_at = models.DateTimeField("立警时间")
    message_id = models.BigIntegerField("报文", null=True, blank=True)
    nth = models.PositiveSmallIntegerField("报文内序号", default=0)
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.OPEN)
    join_reason = models.CharField("并入原因", max_length=200, blank=True)
    case_kind = models.CharField("去向", max_length=8, choices=CaseKind.choices, blank=True)
    case_id = models.BigIntegerField("去向编号", null=True, blank=True)
    reset_at = models.DateTimeField("设备复位时间", null=True, blank=True)
    closed_at = models.DateTimeField("关闭时间", null=True, blank=True)
    closed_by = models.CharField("关闭人", max_length=60, blank=True)
    closed_reason = models.CharField("关闭原因", max_length=200, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "告警"
        verbose_name_plural = "告警"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["message_id", "nth"], name="alarms_one_alarm_a_signal"),
            models.CheckConstraint(condition=models.Q(priority__lte=9), name="alarms_priority_0_to_9"),
            models.CheckConstraint(
                condition=~models.Q(state="joined") | ~models.Q(join_reason=""), name="alarms_joined_says_why"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="closed") | (~models.Q(closed_by="") & ~models.Q(closed_reason="")),
                name="alarms_closed_says_who_and_why",
            ),
        ]
        indexes = [
            models.Index(fields=["home", "-id"], name="alarms_by_home"),
            models.Index(fields=["case_kind", "case_id"], name="alarms_by_case"),
            models.Index(
                fields=["device", "kind"],
                condition=models.Q(state="open", technical=True),
                name="alarms_open_technical",
            ),
            models.Index(fields=["received_at"], name="alarms_by_receipt"),
            BrinIndex(fields=["raised_at"], name="alarms_raised_brin"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.label}"


class Trouble(OpenModel):
    """The platform itself is in trouble: one open row per kind and subject, told to the leads, ended with its time."""

    scope_reason: ClassVar[str] = "平台自身的故障，不涉及任何家庭"

    class Kind(models.TextChoices):
        DIFFERENCE = "difference", "对账不平"
        PENDING = "pending", "滞留超过 5 秒"
        SPOOLED = "spooled", "网关暂存超过 5 秒"
        POISON = "poison", "报文处理失败"
        SOURCE_SILENT = "source_silent", "来源静默"
        UNDECODABLE = "undecodable", "报文无法解析"
        ORPHAN = "orphan", "告警无人受理"
        NO_RECORDING = "no_recording", "接通的电话没有录音"
        RECORDING_BAD = "recording_bad", "录音文件有问题"
        COPY_LATE = "copy_late", "录音备份滞后"
        DISK_LOW = "disk_low", "录音磁盘将满"

    kind = models.CharField("类别", max_length=16, choices=Kind.choices)
    subject = models.CharField("对象", max_length=80, blank=True)
    text = models.CharField("说明", max_length=300)
    since = models.DateTimeField("开始时间")
    last_at = models.DateTimeField("最近一次")
    until = models.DateTimeField("结束时间", null=True, blank=True)
    times = models.PositiveIntegerField("次数", default=1)

    class Meta:
        verbose_name = "平台异常"
        verbose_name_plural = "平台异常"
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=models.Q(until__isnull=True), name="alarms_one_open_trouble"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}"


class Pulse(OpenModel):
    """How often an operator's source speaks; it tells a quiet night from a cut line."""

    scope_reason: ClassVar[str] = "运营商平台连接的节奏，不涉及任何家庭"

    source = models.CharField("来源", max_length=40, primary_key=True)
    last_heard_at = models.DateTimeField("最近收到")
    usual_gap = models.FloatField("通常间隔（秒）")

    class Meta:
        verbose_name = "来源节奏"
        verbose_name_plural = "来源节奏"

    def __str__(self) -> str:
        return self.source
