from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "anju.incidents"
    label = "incidents"
    verbose_name = "紧急事件"
