from django.apps import AppConfig


class PlannedConfig(AppConfig):
    name = "anju.calls.planned"
    label = "planned_calls"
    verbose_name = "计划外呼"

    def ready(self) -> None:
        from anju.calls.planned import actions
        from anju.calls.planned.flow import PLANNED
        from anju.kernel.flow.registry import when

        when(PLANNED, entering="due", do=lambda call, _: actions.decide(call))
        when(PLANNED, any_=True, do=actions.after_move)
