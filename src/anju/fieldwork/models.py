"""What is stored of field work: repair orders and what was reported on each."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from anju.fieldwork import rules
from anju.fieldwork.flow import REPAIR
from anju.kernel import clock
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.scope import ScopedModel


@runs(REPAIR, conditions=rules)
class RepairOrder(FlowSubject, ScopedModel):
    """维修工单 (HZ 附件6 四.2). One open order per device and cause; a later report of the same joins it as a `Report`."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "home__elders"

    number = models.CharField("工单号", max_length=24)
    year = models.PositiveSmallIntegerField("年份")
    home = models.ForeignKey(
        "elders.Home", models.PROTECT, null=True, blank=True, verbose_name="家庭", related_name="+"
    )
    device = models.ForeignKey(
        "devices.Device", models.PROTECT, null=True, blank=True, verbose_name="设备", related_name="+"
    )
    place = models.CharField("区划", max_length=12)
    cause = models.CharField("原因", max_length=20)
    cause_label = models.CharField("故障", max_length=60)
    where = models.CharField("位置", max_length=60, blank=True)
    detail = models.CharField("申告内容", max_length=300, blank=True)
    origin = models.CharField("申告方", max_length=60)
    reported_at = models.DateTimeField("申告时间")
    seen_at = models.DateTimeField("到场时间", null=True, blank=True)
    contacted_at = models.DateTimeField("首次联系时间", null=True, blank=True)
    appointment_at = models.DateTimeField("预约时间", null=True, blank=True)
    assignee = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name="装维员", related_name="+"
    )
    repeats = models.PositiveSmallIntegerField("近 90 天第几次", default=1)
    urged = models.PositiveSmallIntegerField("催修次数", default=0)
    recovered_at = models.DateTimeField("设备自行恢复时间", null=True, blank=True)
    support_note = models.CharField("支撑核实", max_length=300, blank=True)
    found = models.CharField("故障原因与处理", max_length=300, blank=True)
    tested = models.BooleanField("已现场测试", default=False)
    materials = models.JSONField("用料", default=list, blank=True)
    satisfied = models.BooleanField("回访满意", null=True, blank=True)
    withdrawn_why = models.CharField("退单原因", max_length=300, blank=True)
    closed_at = models.DateTimeField("归档时间", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "维修工单"
        verbose_name_plural = "维修工单"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "cause"],
                condition=models.Q(closed_at__isnull=True),
                name="fieldwork_one_open_order_a_cause",
            ),
            models.UniqueConstraint(fields=["year", "number"], name="fieldwork_number_once_a_year"),
        ]
        triggers = [guard(REPAIR)]
        indexes = [models.Index(fields=["device", "cause", "-reported_at"], name="fieldwork_repeats")]

    def __str__(self) -> str:
        return f"{self.number} {self.cause_label}"

    def duration(self, slot: str, default: timedelta) -> timedelta:
        """How long this state may last: an order on its way is also bound by the promises counted from its report."""
        return rules.time_left(
            self.state if slot == "state" else slot,
            default,
            now=clock.now(),
            reported_at=self.reported_at,
            appointment_at=self.appointment_at,
            seen=self.seen_at is not None,
        )


class Report(ScopedModel):
    """One report of a fault: an alarm or a call. Joined reports are counted, never swallowed."""

    scope_place: ClassVar[str] = "order__place"

    order = models.ForeignKey(RepairOrder, models.CASCADE, related_name="reports", verbose_name="工单")
    alarm_id = models.BigIntegerField("告警", null=True, blank=True, unique=True)
    at = models.DateTimeField("时间")
    text = models.CharField("内容", max_length=300)
    by = models.CharField("申告方", max_length=60)

    class Meta(ScopedModel.Meta):
        verbose_name = "申告记录"
        verbose_name_plural = "申告记录"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
