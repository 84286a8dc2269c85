"""What the open interface remembers: which asked-for move was already done under which key."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from anju.kernel import clock
from anju.kernel.scope import OpenModel


class Done(OpenModel):
    """One idempotency key of one user and what was answered. Written in the transaction of the move itself."""

    scope_reason: ClassVar[str] = (
        "read only by the user who wrote it; holds ids and the answer's status, nothing personal"
    )

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField("幂等键", max_length=80)
    request = models.CharField("请求", max_length=160)
    at = models.DateTimeField("时间", default=clock.now)

    class Meta:
        verbose_name = verbose_name_plural = "接口幂等键"
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="open_api_one_key_a_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.key}"
