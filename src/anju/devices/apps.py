from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "anju.devices"
    label = "devices"
    verbose_name = "设备"
