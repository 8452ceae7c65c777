from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who: users, roles, tokens, audit."""

    name = "accounts"

    def ready(self) -> None:
        from accounts import second_factor, sessions  # noqa: F401, PLC0415  (receivers; needs the apps loaded)
