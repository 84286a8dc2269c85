from django.apps import AppConfig

from anju.design import navigation

RAIL = (
    # page, address, label, icon, group, order
    ("overview", "/district/", "总览", "home", "", 10),
    ("elders", "/district/elders/", "服务对象", "user", "", 20),
    ("map", "/district/map/", "地图", "map", "", 25),
    ("incidents", "/district/incidents/", "事件", "sos", "运行", 30),
    ("repairs", "/district/repairs/", "装维工单", "wrench", "运行", 40),
    ("watch", "/district/watch/", "看护与检修", "eye", "运行", 45),
    ("devices", "/district/devices/", "设备与失联", "deaf", "运行", 50),
    ("storms", "/district/storms/", "区域失联", "storm", "运行", 51),
    ("calls", "/district/calls/", "通话与录音", "phone", "话务", 52),
    ("kpis", "/district/kpis/", "话务指标", "chart", "话务", 54),
    ("levels", "/district/levels/", "坐席调配", "headset", "话务", 55),
    ("quality", "/district/quality/", "质检", "ear", "话务", 56),
    ("quality.form", "/district/quality/form/", "质检表", "list", "话务", 56),
    ("scripts", "/district/scripts/", "服务话术", "book", "话务", 56),
    ("prompts", "/district/prompts/", "提示音", "volume", "话务", 56),
    ("planned", "/district/planned/", "计划外呼", "phone-out", "话务", 53),
    ("campaigns", "/district/campaigns/", "外呼任务", "phone-out", "话务", 53),
    ("contacts", "/district/contacts/", "来信与留言", "message", "话务", 57),
    ("complaints", "/district/complaints/", "意见与投诉", "message", "话务", 57),
    ("recordings", "/district/recordings/", "录音保管", "rec", "话务", 58),
    ("roster", "/district/roster/", "值班表", "clock", "值班", 58),
    ("handover", "/district/handover/", "交接班", "transfer", "值班", 58),
    ("experts", "/district/experts/", "专家坐席", "user", "值班", 59),
    ("ledger", "/district/ledger/", "信号账目", "list", "监督", 60),
    ("operations", "/district/operations/", "运行状况", "signal", "监督", 70),
    ("users", "/district/users/", "用户与岗位", "users", "管理", 80),
    ("audit", "/district/audit/", "审计", "shield", "管理", 90),
)


class DistrictConfig(AppConfig):
    name = "anju.portals.district"
    label = "district"
    verbose_name = "区县页面"

    def ready(self) -> None:
        """The light rail, for those who may open each page."""
        from anju.portals.district.access import PAGES

        navigation.register(
            *(
                navigation.NavItem(
                    url, label, icon, group=group, order=order, roles=frozenset(r.value for r in PAGES[page])
                )
                for page, url, label, icon, group, order in RAIL
            )
        )
