from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "anju.supervision.contacts"
    label = "contacts"
    verbose_name = "来信与留言"

    def ready(self) -> None:
        from anju.kernel.flow.registry import when
        from anju.supervision.contacts import actions
        from anju.supervision.contacts.flow import CONTACT

        when(CONTACT, any_=True, do=actions.after_move)
