from django.apps import AppConfig


class ApiConfig(AppConfig):
    """REST: calls the same actions and filters as the pages."""

    name = "api"
