"""The region tree and what a district has decided about durations."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models

from anju.kernel import clock
from anju.kernel.scope import OpenModel, ScopedModel
from anju.places.rules import LEVEL_LABELS, Level


class Place(OpenModel):
    """A district, street, community or grid. The key is its statistics code (12 digits, a grid 14)."""

    scope_reason: ClassVar[str] = "names of public places are public"

    code = models.CharField("统计用区划代码", max_length=14, primary_key=True)
    civil_code = models.CharField(
        "民政区划代码", max_length=14, blank=True, help_text="与统计代码不同时才填，例如开发区"
    )
    name = models.CharField("名称", max_length=60)
    level = models.CharField("级别", max_length=10, choices=[(v.value, LEVEL_LABELS[v]) for v in Level])
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    sorting = models.PositiveSmallIntegerField("排序", default=0)
    committee_phone = models.CharField("居委会电话", max_length=20, blank=True)

    class Meta:
        verbose_name = "区域"
        verbose_name_plural = "区域"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[0-9]{12}([0-9]{2})?$"), name="place_code_12_or_14"
            ),
            models.UniqueConstraint(
                fields=["civil_code"], condition=~models.Q(civil_code=""), name="one_place_a_civil_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyProfile(ScopedModel):
    """Durations that a place has set, as one numbered version. A version is never changed, only followed by a next."""

    scope_place: ClassVar[str] = "place__code"

    place = models.ForeignKey(Place, models.PROTECT, related_name="+", verbose_name="区域")
    version = models.PositiveIntegerField("版本")
    data = models.JSONField("时限（秒）", default=dict)
    reason = models.CharField("理由", max_length=200)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="制定人"
    )
    made_at = models.DateTimeField("制定时间", default=clock.now)

    class Meta(ScopedModel.Meta):
        verbose_name = "时限方案"
        verbose_name_plural = "时限方案"
        ordering = ["place", "-version"]
        constraints = [models.UniqueConstraint(fields=["place", "version"], name="one_policy_version")]
        triggers = [pgtrigger.Protect(name="policy_never_changed", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.place_id} 第 {self.version} 版"
