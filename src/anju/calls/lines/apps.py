from django.apps import AppConfig


class LinesConfig(AppConfig):
    name = "anju.calls.lines"
    label = "lines"
    verbose_name = "电话线路"
