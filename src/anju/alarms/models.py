"""What is stored of alarms: every press its own row, the troubles of the platform, the pulse of each source."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from anju.alarms.ears import EarsField
from anju.alarms.more_models import (  # noqa: F401 - the second half; Django looks for models here
    Fence,
    HealthLimit,
    HealthReading,
    HomeDoor,
    HomeDue,
    HomeHabit,
    HomeWitness,
    PlacementPrior,
    Whereabouts,
    followed,
)
from anju.kernel.scope import OpenModel, ScopedModel


class Alarm(ScopedModel):
    """One alarm. A repeated press is a row of its own that says what it joined and why (INC-01, SEN-03).

    The signal it came from is (`message_id`, `nth`), unique: a batch that is routed again can't raise it twice.
    `at` is the device's time, `received_at` when the message was durably here.
    """

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    class State(models.TextChoices):
        OPEN = "open", "处置中"
        JOINED = "joined", "已并入"
        CLOSED = "closed", "已关闭"
        DRILL = "drill", "演练/测试"

    class CaseKind(models.TextChoices):
        NONE = "", "—"
        INCIDENT = "incident", "紧急事件"
        REPAIR = "repair", "维修工单"

    number = models.CharField("编号", max_length=24, unique=True)
    home = models.ForeignKey(
        "elders.Home", models.PROTECT, null=True, blank=True, verbose_name="家庭", related_name="+"
    )
    device = models.ForeignKey(
        "devices.Device", models.PROTECT, null=True, blank=True, verbose_name="设备", related_name="+"
    )
    elder = models.ForeignKey(
        "elders.Elder", models.PROTECT, null=True, blank=True, verbose_name="老人", related_name="+"
    )
    place = models.CharField("区划", max_length=12)
    kind = models.CharField("类别", max_length=20)
    dty = models.CharField("设备类型码", max_length=4, blank=True)
    stc = models.CharField("状态码", max_length=4, blank=True)
    lco = models.CharField("位置码", max_length=4, blank=True)
    priority = models.PositiveSmallIntegerField("优先级")
    technical = models.BooleanField("技术类", default=False)
    label = models.CharField("名称", max_length=60)
    where = models.CharField("位置", max_length=60, blank=True)
    note = models.CharField("说明", max_length=300, blank=True)
    source = models.CharField("来源", max_length=40)
    at = models.DateTimeField("发生时间")
    received_at = models.DateTimeField("收到时间")
    raised_at = models.DateTimeField("立警时间")
    message_id = models.BigIntegerField("报文", null=True, blank=True)
    nth = models.PositiveSmallIntegerField("报文内序号", default=0)
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.OPEN)
    join_reason = models.CharField("并入原因", max_length=200, blank=True)
    case_kind = models.CharField("去向", max_length=8, choices=CaseKind.choices, blank=True)
    case_id = models.BigIntegerField("去向编号", null=True, blank=True)
    reset_at = models.DateTimeField("设备复位时间", null=True, blank=True)
    closed_at = models.DateTimeField("关闭时间", null=True, blank=True)
    closed_by = models.CharField("关闭人", max_length=60, blank=True)
    closed_reason = models.CharField("关闭原因", max_length=200, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "告警"
        verbose_name_plural = "告警"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["message_id", "nth"], name="alarms_one_alarm_a_signal"),
            models.CheckConstraint(condition=models.Q(priority__lte=9), name="alarms_priority_0_to_9"),
            models.CheckConstraint(
                condition=~models.Q(state="joined") | ~models.Q(join_reason=""), name="alarms_joined_says_why"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="closed") | (~models.Q(closed_by="") & ~models.Q(closed_reason="")),
                name="alarms_closed_says_who_and_why",
            ),
        ]
        indexes = [
            models.Index(fields=["home", "-id"], name="alarms_by_home"),
            models.Index(fields=["case_kind", "case_id"], name="alarms_by_case"),
            models.Index(
                fields=["device", "kind"],
                condition=models.Q(state="open", technical=True),
                name="alarms_open_technical",
            ),
            models.Index(fields=["received_at"], name="alarms_by_receipt"),
            BrinIndex(fields=["raised_at"], name="alarms_raised_brin"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.label}"


class Trouble(OpenModel):
    """The platform itself is in trouble: one open row per kind and subject, told to the leads, ended with its time."""

    scope_reason: ClassVar[str] = "平台自身的故障，不涉及任何家庭"

    class Kind(models.TextChoices):
        DIFFERENCE = "difference", "对账不平"
        PENDING = "pending", "滞留超过 5 秒"
        SPOOLED = "spooled", "网关暂存超过 5 秒"
        POISON = "poison", "报文处理失败"
        SOURCE_SILENT = "source_silent", "来源静默"
        UNDECODABLE = "undecodable", "报文无法解析"
        ORPHAN = "orphan", "告警无人受理"
        NO_RECORDING = "no_recording", "接通的电话没有录音"
        RECORDING_BAD = "recording_bad", "录音文件有问题"
        COPY_LATE = "copy_late", "录音备份滞后"
        DISK_LOW = "disk_low", "录音磁盘将满"

    kind = models.CharField("类别", max_length=16, choices=Kind.choices)
    subject = models.CharField("对象", max_length=80, blank=True)
    text = models.CharField("说明", max_length=300)
    since = models.DateTimeField("开始时间")
    last_at = models.DateTimeField("最近一次")
    until = models.DateTimeField("结束时间", null=True, blank=True)
    times = models.PositiveIntegerField("次数", default=1)

    class Meta:
        verbose_name = "平台异常"
        verbose_name_plural = "平台异常"
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=models.Q(until__isnull=True), name="alarms_one_open_trouble"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}"


class Pulse(OpenModel):
    """How often an operator's source speaks; it tells a quiet night from a cut line."""

    scope_reason: ClassVar[str] = "运营商平台连接的节奏，不涉及任何家庭"

    source = models.CharField("来源", max_length=40, primary_key=True)
    last_heard_at = models.DateTimeField("最近收到")
    usual_gap = models.FloatField("通常间隔（秒）")

    class Meta:
        verbose_name = "来源节奏"
        verbose_name_plural = "来源节奏"

    def __str__(self) -> str:
        return self.source


class HomeWatch(ScopedModel):
    """The open silence of one home: one narrow row, no index on its deadlines, so that each message is one HOT update.

    Times that a message may still change are here; what the home has taught is in `HomeRhythm`. A home without a row is
    not watched (no consent, no sensor), and the pages say so: `why_not`. What the sweep asks of every home the database
    itself copies to `HomeDue` with each write (ADR 0012); this row alone decides.
    """

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "home__elders"

    home = models.OneToOneField("elders.Home", models.CASCADE, primary_key=True, verbose_name="家庭", related_name="+")
    place = models.CharField("区划", max_length=14)
    watched = models.BooleanField("正在看护", default=True)
    why_not = models.CharField("为何不看护", max_length=60, blank=True)
    budget = models.FloatField("误报预算（次/30天）", default=2.0)
    period = models.PositiveIntegerField("上报周期（秒）", default=1800)
    mode = models.PositiveSmallIntegerField("在家/外出", default=0)
    first_at = models.DateTimeField("开始学习", null=True, blank=True)
    last_life_at = models.DateTimeField("最近生命迹象", null=True, blank=True)
    last_life_what = models.CharField("迹象", max_length=40, blank=True)
    last_door_at = models.DateTimeField("最近开门", null=True, blank=True)
    covered_until = models.DateTimeField("数据听全到何时", null=True, blank=True)
    heard_until = models.DateTimeField("听到何时", null=True, blank=True)
    soft_at = models.DateTimeField("先问老人", null=True, blank=True)
    hard_at = models.DateTimeField("须有人看", null=True, blank=True)
    look_at = models.DateTimeField("下次查看", null=True, blank=True)
    natural_at = models.DateTimeField("传感器最近迹象", null=True, blank=True)
    learn_from = models.DateTimeField("此后才学", null=True, blank=True)
    habits = models.JSONField("告知的作息", default=list)
    placement = models.CharField("传感器位置", max_length=20, blank=True)
    stale = models.BooleanField("待核对", default=False)
    paused_until = models.DateTimeField("暂停到", null=True, blank=True)
    raised = models.JSONField("已报", default=list)
    ears = EarsField("各传感器", default=dict)
    lost = models.JSONField("缺失时段", default=list)

    class Meta(ScopedModel.Meta):
        verbose_name = "家庭看护"
        verbose_name_plural = "家庭看护"
        ordering = ["home"]
        indexes = [models.Index(fields=["home"], condition=models.Q(stale=True), name="alarms_watch_stale")]
        triggers = [
            followed("watch_made_due", pgtrigger.Insert), followed("watch_changed_due", pgtrigger.Update),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"家庭 {self.home_id}"


class HomeWorst(ScopedModel):
    """If she fell now and could not press, within how many hours would somebody look: one row a home, stored by the sweep.

    Apart from `HomeWatch` so that its indexes cost no message anything. `hours` is infinite when nobody would look;
    `won` is what the best repair would win (hours), `others` further measures as [code, words, hours, device].
    """

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "home__elders"

    home = models.OneToOneField(
        "elders.Home", models.CASCADE, primary_key=True, related_name="worst", verbose_name="家庭"
    )
    place = models.CharField("区划", max_length=14)
    hours = models.FloatField("最迟几小时")
    cause = models.CharField("原因", max_length=12)
    words = models.CharField("原因说明", max_length=120)
    won = models.FloatField("可早几小时", default=0.0)
    measure = models.CharField("办法", max_length=12, blank=True)
    measure_words = models.CharField("办法说明", max_length=120, blank=True)
    device = models.ForeignKey("devices.Device", models.SET_NULL, null=True, blank=True, related_name="+")
    others = models.JSONField("其他办法", default=list)
    computed_at = models.DateTimeField("算于")

    class Meta(ScopedModel.Meta):
        verbose_name = "最迟发现时间"
        verbose_name_plural = "最迟发现时间"
        ordering = ["home"]
        indexes = [
            models.Index(fields=["-hours", "home"], name="alarms_worst_longest"),
            models.Index(fields=["-won", "home"], name="alarms_worst_gain", condition=models.Q(won__gt=0)),
            models.Index(fields=["computed_at"], name="alarms_worst_oldest"),
        ]

    def __str__(self) -> str:
        return f"家庭 {self.home_id}"


class HomeRhythm(ScopedModel):
    """What a home has taught: the packed state of `rhythm.Rhythm`, less than 2 KB, written when a silence ends."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "home__elders"

    home = models.OneToOneField("elders.Home", models.CASCADE, primary_key=True, verbose_name="家庭", related_name="+")
    place = models.CharField("区划", max_length=14)
    packed = models.BinaryField("节律")
    prior = models.CharField("先验", max_length=60, default="generic")
    changed_at = models.DateTimeField("更新时间")

    class Meta(ScopedModel.Meta):
        verbose_name = "家庭节律"
        verbose_name_plural = "家庭节律"
        ordering = ["home"]

    def __str__(self) -> str:
        return f"家庭 {self.home_id}"


class HomeState(ScopedModel):
    """What people said of a home: away on holiday, in hospital, a visitor, a test. It ends by itself (SEN-01)."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "home__elders"

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", "外出居住"
        HOSPITAL = "hospital", "住院"
        VISITOR = "visitor", "家有来客"
        TEST = "test", "设备测试"

    home = models.ForeignKey("elders.Home", models.PROTECT, verbose_name="家庭", related_name="+")
    place = models.CharField("区划", max_length=14)
    kind = models.CharField("状态", max_length=10, choices=Kind.choices)
    since = models.DateTimeField("开始")
    until = models.DateTimeField("结束")
    said_by = models.CharField("谁说的", max_length=60)
    said_how = models.CharField("从哪里", max_length=20, default="staff")
    note = models.CharField("说明", max_length=200, blank=True)
    ended_at = models.DateTimeField("实际结束", null=True, blank=True)
    ended_why = models.CharField("为何结束", max_length=60, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "家庭状态"
        verbose_name_plural = "家庭状态"
        ordering = ["-since"]
        indexes = [
            models.Index(fields=["home", "-since"], name="alarms_state_of_home"),
            models.Index(fields=["until"], condition=models.Q(ended_at=None), name="alarms_state_running"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(until__gt=models.F("since")), name="alarms_state_ends_later")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.home_id}"


class Storm(ScopedModel):
    """One outage that made many homes deaf: one case for the desk, and the list of the homes to call (SEN-09)."""

    scope_place: ClassVar[str] = "place"

    place = models.CharField("区划", max_length=12)
    kind = models.CharField("共同点", max_length=10)
    key = models.CharField("是哪个", max_length=80)
    since = models.DateTimeField("失联起")
    opened_at = models.DateTimeField("发现于")
    ended_at = models.DateTimeField("恢复于", null=True, blank=True)
    alarm = models.ForeignKey(Alarm, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(ScopedModel.Meta):
        verbose_name = "区域失联"
        verbose_name_plural = "区域失联"
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(ended_at__isnull=True), name="alarms_one_open_storm"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class StormHome(ScopedModel):
    """One blind home of a storm. It leaves when it is heard again, or when somebody has spoken with her."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "home__elders"

    storm = models.ForeignKey(Storm, models.CASCADE, related_name="homes")
    home = models.ForeignKey("elders.Home", models.PROTECT, related_name="+")
    place = models.CharField("区划", max_length=12)
    since = models.DateTimeField("听到何时")
    rank = models.IntegerField("先后")
    due_at = models.DateTimeField("期限", null=True, blank=True)
    back_at = models.DateTimeField("恢复", null=True, blank=True)
    called_at = models.DateTimeField("联系", null=True, blank=True)
    called_by = models.CharField("谁联系", max_length=60, blank=True)
    result = models.CharField("结果", max_length=80, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "失联家庭"
        verbose_name_plural = "失联家庭"
        ordering = ["rank", "home"]
        constraints = [models.UniqueConstraint(fields=["storm", "home"], name="alarms_home_once_in_a_storm")]

    def __str__(self) -> str:
        return f"{self.storm_id}/{self.home_id}"
