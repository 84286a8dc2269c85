from django.apps import AppConfig


class FieldworkConfig(AppConfig):
    name = "anju.fieldwork"
    label = "fieldwork"
    verbose_name = "装维"
