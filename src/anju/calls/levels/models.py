"""What level a queue must hold, and every proposal to move a seat because it did not."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from anju.kernel.scope import OpenModel


class LevelRule(OpenModel):
    """The level that a queue must hold: so many percent of the calls answered within so many seconds, looked at over a window."""

    scope_reason: ClassVar[str] = "a setting of the centre; it says nothing of an elder"

    queue = models.OneToOneField("calls.Queue", models.CASCADE, related_name="+", verbose_name="队列")
    within_seconds = models.PositiveSmallIntegerField("秒数", default=20, help_text="在多少秒内接起")
    target_percent = models.PositiveSmallIntegerField("目标（%）", default=80)
    window_minutes = models.PositiveSmallIntegerField("看多长时间（分钟）", default=15)
    longest_wait_seconds = models.PositiveSmallIntegerField("最长等待（秒）", default=45)
    seats_kept = models.PositiveSmallIntegerField(
        "至少留几席", default=1, help_text="从这个队列调走后至少要留的在席坐席"
    )
    automatic = models.BooleanField("自动调配", default=False, help_text="不勾选时只提出建议，由值班长一键执行")

    class Meta:
        verbose_name = verbose_name_plural = "队列话务水平"
        ordering = ["queue_id"]

    def __str__(self) -> str:
        return f"{self.queue_id}: {self.target_percent} % / {self.within_seconds} s"


class Proposal(OpenModel):
    """Move this seat to that queue, because; what became of it."""

    scope_reason: ClassVar[str] = "about seats of the centre; it says nothing of an elder"

    class State(models.TextChoices):
        OFFERED = "offered", "待定"
        TAKEN = "taken", "已执行"
        AUTOMATIC = "automatic", "已自动执行"
        DECLINED = "declined", "不采纳"
        LAPSED = "lapsed", "已不需要"

    user_id = models.BigIntegerField("坐席")
    seat_name = models.CharField("坐席姓名", max_length=40)
    extension = models.CharField("分机", max_length=10)
    from_queue = models.CharField("原队列", max_length=20, blank=True)
    to_queue = models.CharField("到队列", max_length=20)
    to_queue_name = models.CharField("到队列名称", max_length=40)
    why = models.CharField("理由", max_length=300)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.OFFERED)
    made_at = models.DateTimeField("提出时间")
    settled_at = models.DateTimeField("办理时间", null=True, blank=True)
    settled_by = models.CharField("办理人", max_length=60, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "调席建议"
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user_id"], condition=models.Q(state="offered"), name="levels_one_offer_a_seat"
            )
        ]

    def __str__(self) -> str:
        return f"{self.extension} → {self.to_queue} {self.state}"
