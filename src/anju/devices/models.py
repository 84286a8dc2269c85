"""The catalogue of products, the devices in stock and in homes, and how each is doing."""

from __future__ import annotations

from django.db import models

from anju.kernel.scope import OpenModel, ScopedModel

# Where a device of nobody's home counts as standing: the receiving district. Never empty: nothing may be hidden.
RECEIVING_DISTRICT = "330199000000"

# Where in the home, as people say it → SCAIP location code.
POSITIONS = {
    "卫生间": "011", "卧室": "012", "厨房": "021", "大门": "039", "客厅": "043", "床头": "012", "走廊": "",
}  # fmt: skip


class Product(OpenModel):
    """A maker's model. What its messages mean is its profile: data (see `devices.profile`)."""

    scope_reason = "a catalogue"

    class Kind(models.TextChoices):
        SOS = "sos", "一键呼救"
        MOTION = "motion", "人体活动"
        DOOR = "door", "门磁"
        PHONE = "phone", "一键通电话"
        GAS = "gas", "燃气报警"
        SMOKE = "smoke", "烟雾报警"
        FALL = "fall", "跌倒检测"
        BED = "bed", "床垫"
        WATER = "water", "水表"
        POWER = "power", "电表"
        GASUSE = "gasuse", "燃气表"
        LOCATOR = "locator", "定位终端"
        HEALTH = "health", "健康测量"
        CAMERA = "camera", "家庭监控"
        SCENE = "scene", "扩展场景"
        OTHER = "other", "其他"

    class Source(models.TextChoices):
        CTWING = "ctwing", "电信 CTWing"
        ONENET = "onenet", "移动 OneNET"
        MQTT = "mqtt", "MQTT"
        GENERIC = "generic", "通用接口"

    code = models.CharField("型号代码", max_length=40, unique=True)
    name = models.CharField("名称", max_length=60)
    maker = models.CharField("厂家", max_length=60)
    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    source = models.CharField("接入方式", max_length=10, choices=Source.choices)
    product_id = models.CharField("平台产品编号", max_length=80)
    profile = models.JSONField("规约", default=dict)

    class Meta(OpenModel.Meta):
        ordering = ["kind", "code"]
        constraints = [models.UniqueConstraint(fields=["source", "product_id"], name="one_profile_a_product")]
        verbose_name = verbose_name_plural = "产品型号"

    def __str__(self) -> str:
        return self.name


class Device(ScopedModel):
    """One piece. `place` is the home's while it is installed, else the place that keeps it."""

    scope_place = "place"
    scope_grid = "home__area"
    scope_elder = "home__elders"

    class Status(models.TextChoices):
        STOCK = "stock", "库存"
        INSTALLED = "installed", "在用"
        REMOVED = "removed", "已拆除"

    imei = models.CharField("IMEI", max_length=40, unique=True)
    operator_id = models.CharField("平台设备号", max_length=80, blank=True, default="")
    product = models.ForeignKey(Product, models.PROTECT, related_name="devices", verbose_name="型号")
    home = models.ForeignKey(
        "elders.Home", models.PROTECT, null=True, blank=True, related_name="devices", verbose_name="家庭"
    )
    place = models.CharField("区域", max_length=12, default=RECEIVING_DISTRICT)
    position = models.CharField("安装位置", max_length=20, blank=True, default="")
    lco = models.CharField("位置码", max_length=4, blank=True, default="")
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.STOCK)
    installed_at = models.DateTimeField("安装时间", null=True, blank=True)
    removed_at = models.DateTimeField("拆除时间", null=True, blank=True)
    test_from = models.DateTimeField("测试开始", null=True, blank=True)
    test_until = models.DateTimeField("测试至", null=True, blank=True)
    sn = models.CharField("序列号", max_length=60, blank=True, default="")

    class Meta(ScopedModel.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["operator_id"], condition=~models.Q(operator_id=""), name="one_device_an_operator_id"),
            models.CheckConstraint(
                condition=~models.Q(status="installed") | models.Q(home__isnull=False), name="installed_means_in_a_home",
            ),
        ]  # fmt: skip
        verbose_name = verbose_name_plural = "设备"

    def __str__(self) -> str:
        return f"{self.position}{self.product.name} {self.imei}"


class Vitals(ScopedModel):
    """How a device is doing. A hot row: no index on what changes, so every update stays in its page (migration 0002)."""

    scope_place = "device__place"
    scope_grid = "device__home__area"

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, related_name="vitals")
    last_heard_at = models.DateTimeField("最近通信", null=True)
    last_event_at = models.DateTimeField("最近活动", null=True)
    battery = models.SmallIntegerField("电量 %", null=True)
    rsrp = models.SmallIntegerField("信号强度 dBm", null=True)
    snr = models.SmallIntegerField("信噪比 dB", null=True)
    cell_id = models.BigIntegerField("小区", null=True)
    tamper = models.BooleanField("被拆动", default=False)
    online = models.BooleanField("在线", default=False)
    last_seq = models.BigIntegerField("最近序号", null=True)
    silent_since = models.DateTimeField("失联判定时间", null=True)
    firmware = models.CharField("固件版本", max_length=80, blank=True, default="")

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "设备状态"

    def __str__(self) -> str:
        return f"{self.device_id}: {self.last_heard_at}"


class UnknownDevice(ScopedModel):
    """A device that talks to us and that nobody registered. Its messages are kept; an SOS of it still rings."""

    scope_place = "place"

    key = models.CharField("设备号", max_length=80, unique=True)
    operator_id = models.CharField("平台设备号", max_length=80, blank=True, default="")
    source = models.CharField("来源", max_length=20)
    product_id = models.CharField("平台产品编号", max_length=80, blank=True, default="")
    place = models.CharField("区域", max_length=12, default=RECEIVING_DISTRICT)
    first_heard_at = models.DateTimeField("首次出现")
    last_heard_at = models.DateTimeField("最近出现")
    messages = models.IntegerField("消息数", default=0)
    last_kinds = models.CharField("最近信号", max_length=120, blank=True, default="")
    registered = models.ForeignKey(
        Device, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="登记为"
    )
    registered_at = models.DateTimeField("登记时间", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        ordering = ["-last_heard_at"]
        verbose_name = verbose_name_plural = "未登记设备"

    def __str__(self) -> str:
        return self.key
