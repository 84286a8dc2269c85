from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "anju.accounts"
    label = "accounts"
    verbose_name = "账号与岗位"

    def ready(self) -> None:
        from anju.accounts import traces

        traces.connect()
