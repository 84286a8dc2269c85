from django.apps import AppConfig


class AlarmsConfig(AppConfig):
    name = "anju.alarms"
    label = "alarms"
    verbose_name = "告警"
