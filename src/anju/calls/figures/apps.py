from django.apps import AppConfig


class FiguresConfig(AppConfig):
    name = "anju.calls.figures"
    label = "kpis"
    verbose_name = "话务计数"
