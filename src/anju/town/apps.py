from django.apps import AppConfig


class TownConfig(AppConfig):
    name = "anju.town"
    label = "town"
    verbose_name = "虚拟小镇"
