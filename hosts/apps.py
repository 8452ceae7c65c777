from django.apps import AppConfig


class HostsConfig(AppConfig):
    """Docker: hosts, what is on them, and what can be done to it."""

    name = "hosts"

    def ready(self) -> None:
        from hosts import jobs

        jobs.add_kinds()
