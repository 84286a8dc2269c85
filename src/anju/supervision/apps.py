from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "anju.supervision"
    label = "supervision"
    verbose_name = "质检与投诉"
