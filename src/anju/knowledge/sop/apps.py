from django.apps import AppConfig


class SopConfig(AppConfig):
    name = "anju.knowledge.sop"
    label = "sop"
    verbose_name = "服务话术"
