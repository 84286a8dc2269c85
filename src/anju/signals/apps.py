from django.apps import AppConfig


class SignalsConfig(AppConfig):
    name = "anju.signals"
    label = "signals"
    verbose_name = "信号"
