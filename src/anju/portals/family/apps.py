from django.apps import AppConfig


class FamilyConfig(AppConfig):
    name = "anju.portals.family"
    label = "family"
    verbose_name = "家属页面"
