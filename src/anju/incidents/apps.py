from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "anju.incidents"
    label = "incidents"
    verbose_name = "紧急事件"

    def ready(self) -> None:
        from anju.incidents.actions import reactions

        reactions.connect()
