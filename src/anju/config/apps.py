from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "anju.config"
    label = "config"
    verbose_name = "组装"

    def ready(self) -> None:
        from anju.config import wiring

        wiring.connect()
