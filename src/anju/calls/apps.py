from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "anju.calls"
    label = "calls"
    verbose_name = "通话"

    def ready(self) -> None:
        from anju.calls import actions
        from anju.calls.flow import CALL
        from anju.kernel.flow.registry import when

        when(CALL, any_=True, do=lambda call, done: actions.after_move(call, done.move))
