"""What is stored of scripted calls: the menus that callers hear, and what they pressed when asked how it was."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from anju.calls.scripts.menus import ACTIONS, KEYS, Key, Table
from anju.kernel.scope import OpenModel, ScopedModel


class Menu(OpenModel):
    """One menu of keys. The one with an access number is what callers of that number hear first; emergencies never do."""

    scope_reason: ClassVar[str] = "a dictionary of the centre; it says nothing of an elder"

    code = models.SlugField("代码", max_length=20, unique=True)
    name = models.CharField("名称", max_length=40)
    access_number = models.CharField(
        "接入号", max_length=24, blank=True, default="", help_text="拨打这个号码先听本菜单；紧急号码不经过菜单"
    )
    prompt = models.CharField("语音", max_length=40, blank=True, default="", help_text="语音提示的代码")
    says = models.CharField("或读出这句话", max_length=300, blank=True, default="")
    wait_seconds = models.PositiveSmallIntegerField(
        "等按键秒数", default=6, validators=[MinValueValidator(2), MaxValueValidator(30)]
    )
    tries = models.PositiveSmallIntegerField(
        "听几遍", default=2, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    otherwise = models.CharField(
        "不按键转到队列", max_length=20, blank=True, default="", help_text="空 = 该接入号的队列；总会转到人工"
    )
    active = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "按键菜单"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["access_number"],
                condition=models.Q(active=True) & ~models.Q(access_number=""),
                name="one_menu_a_number",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def table(self) -> Table:
        """As the pure language has it."""
        keys = {k.key: Key(k.key, k.action, k.argument) for k in self.keys.all()} if self.pk else {}
        prompts = (self.prompt,) if self.prompt else ()
        return Table(self.code, prompts, self.says, keys, self.otherwise, self.wait_seconds, self.tries)


class MenuKey(OpenModel):
    """One key of a menu."""

    scope_reason: ClassVar[str] = "a dictionary of the centre; it says nothing of an elder"

    menu = models.ForeignKey(Menu, models.CASCADE, related_name="keys", verbose_name="菜单")
    key = models.CharField("按键", max_length=1, choices=[(k, k) for k in KEYS])
    action = models.CharField("动作", max_length=10, choices=list(ACTIONS.items()))
    argument = models.CharField(
        "到哪里", max_length=40, blank=True, default="", help_text="队列、菜单或语音提示的代码；重听和返回不填"
    )
    label = models.CharField("说明", max_length=40, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "菜单按键"
        ordering = ["menu", "key"]
        constraints = [models.UniqueConstraint(fields=["menu", "key"], name="one_line_a_key")]

    def __str__(self) -> str:
        return f"{self.menu_id} {self.key}"


class Survey(ScopedModel):
    """How somebody found the service, by a key: 5 very good … 1 very bad. Once for each call."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    call_id = models.UUIDField("通话号", unique=True)
    place = models.CharField("区划", max_length=12)
    ref = models.CharField("为何事", max_length=40, blank=True, default="", db_index=True)
    subject = models.CharField("评的是", max_length=10, choices=[("call", "本次通话"), ("service", "上门服务")])
    user_id = models.BigIntegerField("坐席", null=True, blank=True)
    elder_id = models.BigIntegerField("老人", null=True, blank=True)
    score = models.PositiveSmallIntegerField("分数", validators=[MinValueValidator(1), MaxValueValidator(5)])
    at = models.DateTimeField("时间")

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "按键评价"
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["user_id", "at"], name="survey_of_agent")]
        constraints = [
            models.CheckConstraint(condition=models.Q(score__gte=1, score__lte=5), name="survey_one_to_five")
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.score}"
