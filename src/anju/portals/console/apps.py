from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "anju.portals.console"
    label = "console"
    verbose_name = "后台"

    def ready(self) -> None:
        from anju.design import navigation

        navigation.register(
            navigation.NavItem(
                "/console/", "后台", "sliders", group="管理", order=900, roles=frozenset({"system_admin"})
            )
        )
