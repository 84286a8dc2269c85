from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "anju.portals.desk"
    label = "desk"
    verbose_name = "坐席台"
