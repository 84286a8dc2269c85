from django.apps import AppConfig

from anju.design import navigation

SEATED = frozenset({"agent", "lead"})


class DeskConfig(AppConfig):
    name = "anju.portals.desk"
    label = "desk"
    verbose_name = "坐席台"

    def ready(self) -> None:
        """The rail of the desk. The desk itself never navigates: its other entries open beside it."""
        navigation.register(
            navigation.NavItem("/desk/", "坐席", "headset", frame="desk", order=10, roles=SEATED),
            navigation.NavItem("/desk/due", "待联系", "phone-out", frame="desk", order=15, roles=SEATED),
            navigation.NavItem("/district/incidents/", "事件", "sos", frame="desk", order=20, roles=SEATED),
            navigation.NavItem("/district/elders/", "老人", "user", frame="desk", order=30, roles=SEATED),
            navigation.NavItem("/district/repairs/", "工单", "wrench", frame="desk", order=40, roles=SEATED),
            navigation.NavItem("/district/devices/", "设备", "signal", frame="desk", order=50, roles=SEATED),
            navigation.NavItem("/desk/", "坐席台", "headset", frame="office", order=5, roles=SEATED),
        )
