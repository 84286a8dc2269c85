from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "anju.portals.console"
    label = "console"
    verbose_name = "后台"
