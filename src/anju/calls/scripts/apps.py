from django.apps import AppConfig


class ScriptsConfig(AppConfig):
    name = "anju.calls.scripts"
    label = "call_scripts"
    verbose_name = "电话话术"
