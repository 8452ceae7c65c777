from django.apps import AppConfig


class JobsConfig(AppConfig):
    """What runs: jobs with progress, cancelling and recovery."""

    name = "jobs"
