from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "anju.portals.console"
    label = "console"
    verbose_name = "后台"

    def ready(self) -> None:
        from django.contrib import admin

        from anju.design import navigation

        for model in [m for m in admin.site._registry if not m.__module__.startswith("anju.")]:
            admin.site.unregister(model)  # forms of packages know neither our roles nor our audit

        navigation.register(
            navigation.NavItem(
                "/console/", "后台", "sliders", group="管理", order=900, roles=frozenset({"system_admin"})
            )
        )
