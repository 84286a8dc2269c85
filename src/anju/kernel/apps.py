from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "anju.kernel"
    label = "kernel"
    verbose_name = "内核"
