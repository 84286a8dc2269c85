from django.apps import AppConfig


class PublicConfig(AppConfig):
    name = "anju.portals.public"
    label = "public"
    verbose_name = "公众页面"
