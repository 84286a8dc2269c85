from django.apps import AppConfig


class OpenApiConfig(AppConfig):
    name = "anju.portals.open_api"
    label = "open_api"
    verbose_name = "开放接口"
