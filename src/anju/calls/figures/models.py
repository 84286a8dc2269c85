"""Counts of days that are over, so that a year of a million calls is added up instead of counted again.

Nothing here is a source: every row can be thrown away and is computed again from calls, legs and the log of seats. Triggers
on those three tables mark a computed day as stale in the same transaction that changes what it was computed from.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from anju.kernel.scope import OpenModel, ScopedModel


class Day(OpenModel):
    """One day (China time) whose counts are stored. While `stale` they are not used, and are computed again."""

    scope_reason: ClassVar[str] = "which days are counted; it says nothing of anybody"

    day = models.DateField("日", primary_key=True)
    stale = models.BooleanField("待重算", default=True, db_default=True)
    noted_at = models.DateTimeField("列入时间")
    computed_at = models.DateTimeField("算于", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "话务日"
        ordering = ["day"]
        indexes = [models.Index(fields=["day"], condition=models.Q(stale=True), name="kpis_days_stale")]

    def __str__(self) -> str:
        return f"{self.day}"


class Counts(ScopedModel):
    """What is counted of calls, whichever way they are cut. Times are microseconds, so that sums are exact."""

    scope_place: ClassVar[str] = "place"

    day = models.DateField("日")
    hour = models.PositiveSmallIntegerField("钟点")
    place = models.CharField("区划", max_length=12)
    queue_id = models.BigIntegerField("队列", null=True)
    emergency = models.BooleanField("紧急")
    offered = models.IntegerField(default=0)
    answered = models.IntegerField(default=0)
    within_15 = models.IntegerField(default=0)
    within_20 = models.IntegerField(default=0)
    within_60 = models.IntegerField(default=0)
    within_180 = models.IntegerField(default=0)
    abandoned = models.IntegerField(default=0)
    wait_us = models.BigIntegerField(default=0)
    talked = models.IntegerField(default=0)
    talk_us = models.BigIntegerField(default=0)
    wrapped = models.IntegerField(default=0)
    wrap_us = models.BigIntegerField(default=0)
    judged = models.IntegerField(default=0)
    solved = models.IntegerField(default=0)
    outgoing = models.IntegerField(default=0)
    outgoing_answered = models.IntegerField(default=0)
    rated = models.IntegerField(default=0)
    satisfied = models.IntegerField(default=0)

    class Meta(ScopedModel.Meta):
        abstract = True


class Cell(Counts):
    """The counts of one hour, place, queue and urgency."""

    abandoned_short = models.IntegerField(default=0)

    class Meta(Counts.Meta):
        abstract = False
        verbose_name = verbose_name_plural = "话务计数"
        indexes = [models.Index(fields=["day"], name="kpis_cells_of_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.hour}"


class SeatCell(Counts):
    """The same for one agent at one seat: her ringings, and of the calls that she took first whether they were solved.

    `taker` is False where nobody took the call and `user_id` is who dialled it.
    """

    user_id = models.BigIntegerField("坐席", null=True)
    seat = models.CharField("坐席号", max_length=10)
    taker = models.BooleanField("接起", default=True)
    missed = models.IntegerField(default=0)

    class Meta(Counts.Meta):
        abstract = False
        verbose_name = verbose_name_plural = "坐席话务计数"
        indexes = [models.Index(fields=["day"], name="kpis_seat_cells_of_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.seat}"


class SeatTime(OpenModel):
    """How long a seat was busy and present on one day, in microseconds."""

    scope_reason: ClassVar[str] = "seats are the centre's; it says nothing of an elder"

    day = models.DateField("日")
    user_id = models.BigIntegerField("坐席")
    seat = models.CharField("坐席号", max_length=10)
    busy_us = models.BigIntegerField(default=0)
    present_us = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "在席时长"
        indexes = [models.Index(fields=["day"], name="kpis_seat_time_of_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.seat}"
