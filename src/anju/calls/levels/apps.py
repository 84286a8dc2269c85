from django.apps import AppConfig


class LevelsConfig(AppConfig):
    name = "anju.calls.levels"
    label = "levels"
    verbose_name = "话务水平"
