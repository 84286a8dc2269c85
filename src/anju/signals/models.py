"""The durable log of what devices said. Made and read by SQL (migration 0002): partitions by local day.

Ids: `Message.id` = lane << 40 | number in the lane. Numbers are consecutive from 1 in every lane, which is what lets a
plain cursor read a lane without missing a row and lets the ledger prove that none is gone.
"""

from __future__ import annotations

from django.db import models

from anju.kernel.scope import OpenModel, ScopedModel


class MessageOutcome(models.TextChoices):
    """What became of an acknowledged message."""

    PENDING = "pending", "待处理"
    DUPLICATE = "duplicate", "重复"
    UNDECODABLE = "undecodable", "无法解析"
    SIGNALS = "signals", "已解析"


class SignalOutcome(models.TextChoices):
    """What became of a signal."""

    PENDING = "pending", "待处理"
    NO_ALARM = "no_alarm", "无需报警"
    OPENED = "opened", "已报警"
    JOINED = "joined", "并入已有报警"
    DRILL = "drill", "测试"
    QUARANTINED = "quarantined", "隔离"


class Lane(OpenModel):
    """One stream of commits: one writer, one COPY in flight, so its messages become visible in the order of their numbers.

    A lane ends when an outcome is unknown (connection lost during a commit) or its gateway does; it is never reused.
    """

    scope_reason = "bookkeeping of the log; holds nothing about persons"

    class Kind(models.TextChoices):
        LIVE = "live", "网关"
        SPOOL = "spool", "补传"
        INNER = "inner", "平台"
        HISTORY = "history", "演示历史"

    gateway = models.CharField("网关", max_length=120)
    kind = models.CharField("类别", max_length=10, choices=Kind.choices, default=Kind.LIVE)
    urgent = models.BooleanField("紧急", default=False)
    segment = models.UUIDField("补传文件", null=True, unique=True)
    opened_at = models.DateTimeField("开始时间")
    closed_at = models.DateTimeField("结束时间", null=True)
    last_seq = models.BigIntegerField("最后序号", default=0)  # a lower bound while open, exact once closed

    class Meta(OpenModel.Meta):
        verbose_name = verbose_name_plural = "接收通道"

    def __str__(self) -> str:
        return f"{self.gateway} #{self.pk}"


class Cursor(OpenModel):
    """How far the router has read a lane. Its own row, so that the gateway never waits for the router's transaction."""

    scope_reason = "bookkeeping of the log; holds nothing about persons"

    lane = models.OneToOneField(Lane, models.CASCADE, primary_key=True, related_name="read")
    seq = models.BigIntegerField("已读序号", default=0)
    floor = models.DateTimeField("最早未读时间")  # nothing unread was received before: prunes partitions
    done = models.BooleanField("已读完", default=False)

    class Meta(OpenModel.Meta):
        indexes = [models.Index(fields=["lane"], condition=models.Q(done=False), name="lanes_to_read")]
        verbose_name = verbose_name_plural = "读取位置"

    def __str__(self) -> str:
        return f"lane {self.lane_id} @ {self.seq}"


class Source(OpenModel):
    """How lately and how often each operator's source talks, kept by the gateway (a handful of rows)."""

    scope_reason = "bookkeeping of the log; holds nothing about persons"

    source = models.CharField("来源", max_length=20, primary_key=True)
    last_at = models.DateTimeField("最近消息")
    usual_gap = models.FloatField("通常间隔 秒", default=60)
    messages = models.BigIntegerField("消息数", default=0)

    class Meta(OpenModel.Meta):
        verbose_name = verbose_name_plural = "消息来源"

    def __str__(self) -> str:
        return self.source


class Message(OpenModel):
    """One acknowledged message, raw and decoded (not managed: see migration 0002)."""

    scope_reason = (
        "raw frames before anyone knows whose home they are; pages reach them only through a scoped Signal or as counts"
    )

    id = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField("接收时间")
    device_at = models.DateTimeField("设备时间", null=True)
    uid = models.UUIDField("唯一号")
    source = models.CharField("来源", max_length=20)
    product_id = models.CharField("产品", max_length=80)
    device_key = models.CharField("设备号", max_length=80)
    operator_id = models.CharField("平台设备号", max_length=80)
    kind = models.CharField("类型", max_length=20)
    outcome = models.CharField("处理结果", max_length=12, choices=MessageOutcome.choices)
    n = models.SmallIntegerField("信号数")  # 0 = undecodable; a decodable message has at least one
    windowed = models.BooleanField("无时间戳")
    dedup = models.BinaryField("去重键")
    decoded = models.TextField("解析结果")
    raw = models.BinaryField("原文", null=True)  # None once its retention is over, and where `raw_back` is not 0
    raw_back = models.SmallIntegerField("原文在前几条", default=0)
    """A body with several messages stands with the first of them on its lane: so many numbers before this one (`bodies`)."""
    note = models.TextField("说明")

    class Meta(OpenModel.Meta):
        managed = False
        db_table = "signals_message"
        verbose_name = verbose_name_plural = "设备消息"

    def __str__(self) -> str:
        return f"{self.source} {self.device_key} {self.received_at:%F %T}"


class Signal(ScopedModel):
    """One signal and what became of it, written by the router (not managed: see migration 0002)."""

    scope_place = "place"
    scope_elder = "home__elders"

    id = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField("接收时间")
    at = models.DateTimeField("发生时间")
    message_id = models.BigIntegerField("消息")
    nth = models.SmallIntegerField("序")
    source = models.CharField("来源", max_length=20)
    device = models.ForeignKey("devices.Device", models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    home = models.ForeignKey("elders.Home", models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    place = models.CharField("区域", max_length=12)
    kind = models.CharField("信号", max_length=20)
    dty = models.CharField("设备类型码", max_length=4)
    stc = models.CharField("状态码", max_length=4)
    lco = models.CharField("位置码", max_length=4)
    count = models.IntegerField("次数")
    value = models.JSONField("读数", null=True)
    seq = models.BigIntegerField("设备序号", null=True)
    outcome = models.CharField("处理结果", max_length=12, choices=SignalOutcome.choices)
    reason = models.TextField("原因")
    alarm_id = models.BigIntegerField("报警", null=True)
    attempts = models.SmallIntegerField("尝试次数", default=0)
    retry_at = models.DateTimeField("下次尝试", null=True)

    class Meta(ScopedModel.Meta):
        managed = False
        db_table = "signals_signal"
        verbose_name = verbose_name_plural = "信号"

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%F %T}"
