"""The second half of what is stored: doors, second witnesses, where she is, what was measured, what people told of her habits."""

from __future__ import annotations

from typing import ClassVar, Final

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from anju.kernel.scope import OpenModel, ScopedModel

FOLLOW: Final = (
    "INSERT INTO alarms_homedue (home_id, look_at, heard_until) "
    "SELECT home_id, CASE WHEN watched THEN look_at END, CASE WHEN watched THEN heard_until END FROM {rows} "
    "ON CONFLICT (home_id) DO UPDATE SET look_at = EXCLUDED.look_at, heard_until = EXCLUDED.heard_until "
    "WHERE (alarms_homedue.look_at, alarms_homedue.heard_until) IS DISTINCT FROM (EXCLUDED.look_at, EXCLUDED.heard_until)"
)
"""Makes `HomeDue` what these rows of `HomeWatch` say."""


def followed(name: str, operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """After each statement that writes `HomeWatch`, in its transaction: `HomeDue` follows, for all its rows at once."""
    return pgtrigger.Trigger(
        name=name, level=pgtrigger.Statement, when=pgtrigger.After, operation=operation,
        referencing=pgtrigger.Referencing(new="written"),  # type: ignore[no-untyped-call]
        func=FOLLOW.format(rows="written") + "; RETURN NULL;",
    )  # fmt: skip


class HomeDue(ScopedModel):
    """The two times of a home that every sweep asks of all homes, in rows of fifty bytes: one pass reads a sixth of the pages.

    Written by the triggers of `HomeWatch` alone. A home that is not watched has no times here (ADR 0012).
    """

    scope_place: ClassVar[str] = "watch__place"
    scope_elder: ClassVar[str] = "watch__home__elders"

    watch = models.OneToOneField(
        "alarms.HomeWatch",
        models.CASCADE,
        primary_key=True,
        db_column="home_id",
        related_name="due",
        verbose_name="看护",
    )
    look_at = models.DateTimeField("下次查看", null=True, blank=True)
    heard_until = models.DateTimeField("听到何时", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "看护期限"
        verbose_name_plural = "看护期限"
        ordering = ["watch"]

    def __str__(self) -> str:
        return f"家庭 {self.pk}"


class HomeDoor(ScopedModel):
    """The entrance door of one home: since when it was not opened or stands open, and what is usual for it (SEN-02).

    Touched by door events only, a few a day; `learnt` is the packed state of `door.DoorRhythm`.
    """

    scope_place: ClassVar[str] = "place"

    home = models.OneToOneField("elders.Home", models.CASCADE, primary_key=True, related_name="+", verbose_name="家庭")
    place = models.CharField("区划", max_length=14)
    device = models.ForeignKey("devices.Device", models.SET_NULL, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField("最近开门")
    is_open = models.BooleanField("开着", default=False)
    open_since = models.DateTimeField("开着起", null=True, blank=True)
    learnt = models.JSONField("规律", default=dict)
    still_at = models.DateTimeField("久未开门期限")
    ajar_at = models.DateTimeField("未关期限", null=True, blank=True)
    look_at = models.DateTimeField("下次查看", null=True, blank=True, db_index=True)
    raised = models.JSONField("已报", default=list)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "入户门"
        ordering = ["home"]

    def __str__(self) -> str:
        return f"入户门 {self.home_id}"


class HomeWitness(ScopedModel):
    """One second witness of a home (water, electricity, gas, calls), kept only while a consent covers it (SEN-04).

    `series` are the readings of the last days as [seconds, total]; nothing older is kept.
    """

    scope_place: ClassVar[str] = "place"

    class Kind(models.TextChoices):
        WATER = "water", "用水"
        POWER = "power", "用电"
        GAS = "gasuse", "用气"
        CALLS = "phone_use", "通话"

    home = models.ForeignKey("elders.Home", models.CASCADE, related_name="+", verbose_name="家庭")
    place = models.CharField("区划", max_length=14)
    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    device = models.ForeignKey("devices.Device", models.SET_NULL, null=True, blank=True, related_name="+")
    series = models.JSONField("读数", default=list)
    heard_at = models.DateTimeField("最近读数")
    last_use_at = models.DateTimeField("最近使用", null=True, blank=True)
    look_at = models.DateTimeField("下次查看", null=True, blank=True, db_index=True)
    raised = models.JSONField("已报", default=list)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "第二佐证"
        ordering = ["home", "kind"]
        constraints = [models.UniqueConstraint(fields=["home", "kind"], name="alarms_one_witness_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.home_id}"


class HomeHabit(ScopedModel):
    """What staff or family told of her habits: a nap, a weekly outing, up by seven, a day that should teach nothing (SEN-08)."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "home__elders"

    class Kind(models.TextChoices):
        QUIET = "quiet", "这段时间常没动静"
        UP_BY = "up_by", "最晚这时有动静"
        IGNORE = "ignore", "这一天不作数"

    class How(models.TextChoices):
        STAFF = "staff", "工作人员"
        FAMILY = "family", "家属告知"
        PHONE = "phone", "本人电话告知"

    home = models.ForeignKey("elders.Home", models.CASCADE, related_name="+", verbose_name="家庭")
    place = models.CharField("区划", max_length=14)
    kind = models.CharField("种类", max_length=8, choices=Kind.choices)
    days = models.PositiveSmallIntegerField("星期", default=127)
    start = models.FloatField("从几点", default=0)
    end = models.FloatField("到几点", default=0)
    on_day = models.DateField("哪一天", null=True, blank=True)
    said_by = models.CharField("谁记的", max_length=60)
    said_how = models.CharField("谁说的", max_length=8, choices=How.choices, default=How.STAFF)
    note = models.CharField("说明", max_length=200, blank=True)
    said_at = models.DateTimeField("记于")
    ended_at = models.DateTimeField("取消于", null=True, blank=True)
    ended_by = models.CharField("谁取消", max_length=60, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "作息更正"
        ordering = ["home", "-said_at"]
        indexes = [models.Index(fields=["home"], condition=models.Q(ended_at=None), name="alarms_habits_now")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.home_id}"


class PlacementPrior(OpenModel):
    """What is usual in homes whose motion sensor hangs in the same place: the start of every new home there."""

    scope_reason: ClassVar[str] = "sums over many homes; names none and can't be traced to one"

    placement = models.CharField("位置", max_length=20, primary_key=True)
    homes = models.PositiveIntegerField("户数")
    days = models.PositiveIntegerField("户日")
    table = models.JSONField("规律")
    learnt_at = models.DateTimeField("学于")
    source = models.CharField("来源", max_length=60, default="live")

    class Meta(OpenModel.Meta):
        verbose_name = verbose_name_plural = "人群先验"
        ordering = ["placement"]

    def __str__(self) -> str:
        return f"{self.placement}（{self.homes} 户）"


class Fence(ScopedModel):
    """A circle that she is expected to stay in; who leaves it, or stays out for too long, raises an alarm (SEN-05)."""

    scope_place: ClassVar[str] = "place"

    home = models.ForeignKey("elders.Home", models.CASCADE, related_name="+", verbose_name="家庭")
    place = models.CharField("区划", max_length=14)
    name = models.CharField("名称", max_length=40)
    latitude = models.FloatField("纬度", validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField("经度", validators=[MinValueValidator(-180), MaxValueValidator(180)])
    radius = models.PositiveIntegerField("半径（米）")
    at_edge = models.BooleanField("出围栏即报", default=True)
    minutes = models.PositiveIntegerField("在外多久报（分）", default=30)
    set_by = models.CharField("谁设的", max_length=60)
    set_at = models.DateTimeField("设于")
    ended_at = models.DateTimeField("取消于", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "电子围栏"
        ordering = ["home"]
        constraints = [
            models.UniqueConstraint(fields=["home"], condition=models.Q(ended_at=None), name="alarms_one_fence")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.home_id}"


class Whereabouts(ScopedModel):
    """Where she was last seen, and the fixes of the last day as [seconds, latitude, longitude, accuracy in metres] (WGS-84)."""

    scope_place: ClassVar[str] = "place"

    home = models.OneToOneField("elders.Home", models.CASCADE, primary_key=True, related_name="+", verbose_name="家庭")
    place = models.CharField("区划", max_length=14)
    device = models.ForeignKey("devices.Device", models.SET_NULL, null=True, blank=True, related_name="+")
    fixes = models.JSONField("定位", default=list)
    side = models.CharField("在内在外", max_length=8, default="unknown")
    since = models.DateTimeField("从何时", null=True, blank=True)
    look_at = models.DateTimeField("下次查看", null=True, blank=True, db_index=True)
    raised = models.JSONField("已报", default=list)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "位置"
        ordering = ["home"]

    def __str__(self) -> str:
        return f"位置 {self.home_id}"


class HealthLimit(ScopedModel):
    """A person's own limits of one measure; where there is none, the usual clinical ones hold (`measures.MEASURES`)."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    elder = models.ForeignKey("elders.Elder", models.CASCADE, related_name="+", verbose_name="老人")
    place = models.CharField("区划", max_length=14)
    measure = models.CharField("指标", max_length=16)
    low = models.FloatField("下限", null=True, blank=True)
    high = models.FloatField("上限", null=True, blank=True)
    set_by = models.CharField("谁设的", max_length=60)
    why = models.CharField("依据", max_length=200)
    set_at = models.DateTimeField("设于")

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "健康阈值"
        ordering = ["elder", "measure"]
        constraints = [models.UniqueConstraint(fields=["elder", "measure"], name="alarms_one_limit_a_measure")]

    def __str__(self) -> str:
        return f"{self.elder_id} {self.measure}"


class HealthReading(ScopedModel):
    """One measured value and what became of it (SEN-07)."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    class Verdict(models.TextChoices):
        FINE = "fine", "正常"
        REPEAT = "repeat", "请复测"
        ALARM = "alarm", "报警"
        OFF = "off", "不可信，请复测"

    elder = models.ForeignKey("elders.Elder", models.CASCADE, related_name="+", verbose_name="老人")
    home = models.ForeignKey("elders.Home", models.CASCADE, related_name="+", verbose_name="家庭")
    place = models.CharField("区划", max_length=14)
    device = models.ForeignKey("devices.Device", models.SET_NULL, null=True, blank=True, related_name="+")
    measure = models.CharField("指标", max_length=16)
    value = models.FloatField("数值")
    at = models.DateTimeField("测量时间")
    verdict = models.CharField("判断", max_length=8, choices=Verdict.choices)
    words = models.CharField("说明", max_length=120, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "健康读数"
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["elder", "measure", "at"], name="alarms_one_reading_a_moment")]

    def __str__(self) -> str:
        return f"{self.measure} {self.value}"
