from django.apps import AppConfig


class DesignConfig(AppConfig):
    name = "anju.design"
    label = "design"
    verbose_name = "界面"
