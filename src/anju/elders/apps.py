from django.apps import AppConfig


class EldersConfig(AppConfig):
    name = "anju.elders"
    label = "elders"
    verbose_name = "老人档案"
