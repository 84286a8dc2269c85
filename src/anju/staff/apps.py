"""The duty roster, hand-over and expert seats as a Django app."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """Registers the module's models and flows."""

    name = "anju.staff"
    label = "staff"
    verbose_name = "值班与专家"

    def ready(self) -> None:
        """Register the listeners of the two flows."""
        from anju.kernel.flow.registry import when
        from anju.staff import actions
        from anju.staff.flow import BOOKING, HAND_OVER

        when(HAND_OVER, move="press", do=actions.hand_over_pressed)
        when(BOOKING, move="missed", do=actions.booking_missed)
        when(BOOKING, move="press", do=actions.booking_missed)
