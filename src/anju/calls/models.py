"""Every call, also those made by hand on a telephone beside the desk. Kept three years (XC 5.10)."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from anju.calls.flow import CALL
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
    "other": "其他",
}


@runs(CALL)
class Call(FlowSubject, ScopedModel):
    """One call. The row is committed before the engine hears of it."""

    scope_place: ClassVar[str] = "place"

    call_id = models.UUIDField("通话号", default=uuid.uuid4, unique=True, editable=False)
    place = models.CharField("区划", max_length=12)
    ref = models.CharField("为何事", max_length=40, db_index=True)
    direction = models.CharField("方向", max_length=4, choices=[("out", "呼出"), ("in", "呼入")])
    purpose = models.CharField("用途", max_length=20, choices=list(PURPOSES.items()))
    whom = EncryptedTextField("对方")
    number = EncryptedTextField("号码")
    script = models.CharField("话术", max_length=40, blank=True)
    says = EncryptedTextField("读给对方", blank=True, default="")
    says_after_key = EncryptedTextField("按键后读出", blank=True, default="")
    by_hand = models.BooleanField("人工记录", default=False)
    exchange = models.CharField("话务引擎", max_length=40, blank=True)
    by = models.CharField("谁拨的", max_length=60)
    planned_at = models.DateTimeField("记下时间")
    placed_at = models.DateTimeField("拨出时间", null=True, blank=True)
    answered_at = models.DateTimeField("接通时间", null=True, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    result = models.CharField("结果", max_length=20, blank=True)
    keys = models.JSONField("按键", default=list, blank=True)
    note = EncryptedTextField("备注", blank=True, default="")

    class Meta(ScopedModel.Meta):
        verbose_name = "通话"
        verbose_name_plural = "通话"
        ordering = ["planned_at", "id"]
        triggers = [guard(CALL)]

    def __str__(self) -> str:
        return f"{self.purpose} {self.result or self.state}"
