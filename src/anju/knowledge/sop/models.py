"""Versions of scripts that people of the centre wrote, and the sheets that were filled in during calls and cases."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models

from anju.kernel.crypto import EncryptedJSONField, EncryptedTextField
from anju.kernel.scope import OpenModel, ScopedModel


class Edition(OpenModel):
    """A script as somebody changed it, as one numbered version. Never changed: old sheets say by which they were asked."""

    scope_reason: ClassVar[str] = "words of the centre; they say nothing of anybody"

    code = models.CharField("代码", max_length=30)
    version = models.PositiveIntegerField("版本")
    body = models.JSONField("内容")
    made_by = models.CharField("谁改的", max_length=60)
    made_at = models.DateTimeField("改于")

    class Meta:
        verbose_name = verbose_name_plural = "话术版本"
        ordering = ["code", "-version"]
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="sop_one_version")]
        triggers = [pgtrigger.Protect(name="edition_never_changed", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.code} 第 {self.version} 版"


class Sheet(ScopedModel):
    """What was asked and answered by one script in one call or case. The questions are frozen when it is begun."""

    scope_place: ClassVar[str] = "place"

    place = models.CharField("区划", max_length=12)
    call_id = models.UUIDField("通话号", null=True, blank=True, db_index=True)
    incident_id = models.BigIntegerField("事件", null=True, blank=True, db_index=True)
    elder_id = models.BigIntegerField("老人", null=True, blank=True, db_index=True)
    home_id = models.BigIntegerField("住户", null=True, blank=True)
    code = models.CharField("话术", max_length=30)
    version = models.PositiveIntegerField("版本")
    fields = models.JSONField("所问", default=list)
    answers = EncryptedJSONField("所答", default=dict)
    outcome = models.CharField("整理结果", max_length=30, blank=True, default="")
    lacks = models.CharField("缺项原因", max_length=20, blank=True, default="")
    lacks_words = EncryptedTextField("缺项说明", blank=True, default="")
    user_id = models.BigIntegerField("坐席", db_index=True)
    made_by = models.CharField("谁问的", max_length=60)
    begun_at = models.DateTimeField("开始")
    closed_at = models.DateTimeField("整理完毕", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "话术记录"
        ordering = ["begun_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["call_id", "code"], name="sop_once_a_call"),
            models.UniqueConstraint(
                fields=["incident_id", "code"], condition=models.Q(call_id=None), name="sop_once_a_case"
            ),
        ]
        indexes = [
            models.Index(fields=["user_id"], condition=models.Q(closed_at=None), name="sop_open_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.begun_at:%m-%d %H:%M}"
