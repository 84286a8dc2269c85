"""The outbox: what is to be said to whom, written in the transaction that wants it said."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models

from anju.kernel.crypto import EncryptedTextField
from anju.kernel.scope import ScopedModel


def new_token() -> str:
    """The secret in the address to which a receiver reports delivery."""
    return secrets.token_urlsafe(24)


class Notice(ScopedModel):
    """One message to one receiver by one channel. `key` makes it unique: asking twice sends once."""

    scope_place: ClassVar[str] = "place"

    class State(models.TextChoices):
        WAITING = "waiting", "待发"
        SENDING = "sending", "正在发"
        SENT = "sent", "已发出"
        DELIVERED = "delivered", "已送达"
        READ = "read", "已读"
        FAILED = "failed", "发送失败"
        UNKNOWN = "unknown", "不知是否发出"
        HELD = "held", "未配置通道，未发出"

    key = models.CharField("幂等键", max_length=160, unique=True)
    channel = models.CharField("通道", max_length=12)  # platform | sms | app | wechat | webhook
    template = models.CharField("模板", max_length=40)
    place = models.CharField("区划", max_length=12)
    ref = models.CharField("为何事", max_length=40, blank=True, db_index=True)
    user_id = models.BigIntegerField("用户", null=True, blank=True)
    whom = EncryptedTextField("对方")
    number = EncryptedTextField("号码", blank=True, default="")
    title = models.CharField("标题", max_length=80)
    text = EncryptedTextField("内容")
    urgent = models.BooleanField("紧急", default=False)
    state = models.CharField("状态", max_length=12, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField("尝试次数", default=0)
    next_at = models.DateTimeField("下次尝试", null=True, blank=True)
    error = models.CharField("问题", max_length=200, blank=True)
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    created_at = models.DateTimeField("写下时间")
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField("发出时间", null=True, blank=True)
    delivered_at = models.DateTimeField("送达时间", null=True, blank=True)
    read_at = models.DateTimeField("读取时间", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "消息"
        verbose_name_plural = "消息"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["next_at"], name="notice_due", condition=models.Q(state__in=["waiting", "sending"])),
            models.Index(fields=["user_id", "-created_at"], name="notice_inbox"),
        ]

    def __str__(self) -> str:
        return f"{self.template} {self.channel} {self.state}"
