from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who: users, roles, tokens, audit."""

    name = "accounts"
