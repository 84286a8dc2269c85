from django.apps import AppConfig


class DistrictConfig(AppConfig):
    name = "anju.portals.district"
    label = "district"
    verbose_name = "区域工作台"
