from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "anju.calls"
    label = "calls"
    verbose_name = "通话"
