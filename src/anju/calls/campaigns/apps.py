from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "anju.calls.campaigns"
    label = "campaigns"
    verbose_name = "外呼任务"

    def ready(self) -> None:
        from anju.calls.campaigns import actions
        from anju.calls.campaigns.flow import CAMPAIGN
        from anju.kernel.flow.registry import when

        when(CAMPAIGN, any_=True, do=actions.after_move)
