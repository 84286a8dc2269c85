"""What the desk itself must remember: which press it has already carried out, and who has a desk open."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from anju.kernel import clock
from anju.kernel.scope import OpenModel


class Press(OpenModel):
    """One press of a button on one version of a case: a double click or a repeated request is the same act and is carried out once."""

    scope_reason: ClassVar[str] = "a hash, without any person in it"

    key = models.CharField("按下的键", max_length=64, primary_key=True)
    at = models.DateTimeField("时间", default=clock.now, db_index=True)

    class Meta:
        verbose_name = "按键记录"
        verbose_name_plural = "按键记录"

    def __str__(self) -> str:
        return self.key


class Presence(OpenModel):
    """When a user's desk was last known to be open. `told` is set once a lost desk was reported to its cases."""

    scope_reason: ClassVar[str] = "colleagues of one centre see each other"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+", verbose_name="用户"
    )
    seen_at = models.DateTimeField("最近在席")
    told = models.BooleanField("已告知离席", default=False)

    class Meta:
        verbose_name = "在席"
        verbose_name_plural = "在席"

    def __str__(self) -> str:
        return f"{self.user_id}"


class Telephone(OpenModel):
    """Which open page is the telephone of a seat: whoever came last. Another page that reads a strange name steps aside."""

    scope_reason: ClassVar[str] = "a seat of the centre; it says nothing of an elder"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+", verbose_name="用户"
    )
    page = models.CharField("页面", max_length=40)
    since = models.DateTimeField("自")

    class Meta:
        verbose_name = "话机所在页面"
        verbose_name_plural = "话机所在页面"

    def __str__(self) -> str:
        return f"{self.user_id} {self.page}"
