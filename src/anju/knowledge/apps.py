from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "anju.knowledge"
    label = "knowledge"
    verbose_name = "知识"
