from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "anju.calls"
    label = "calls"
    verbose_name = "通话"

    def ready(self) -> None:
        from anju.calls import actions
        from anju.calls.flow import CALL, CALL_BACK
        from anju.kernel.flow.registry import when

        when(CALL, any_=True, do=lambda call, done: actions.after_move(call, done.move))
        when(CALL_BACK, any_=True, do=lambda owed, done: actions.after_call_back_move(owed, done.move))
