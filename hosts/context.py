"""What the frame of every page shows: counts, the fleet's state, running jobs."""

from functools import cached_property
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest

from accounts.rights import Right, standing_of
from hosts.models import Container, Host, Image, Network, Service, Swarm, Volume
from hosts.models.hosts import LIVE_STATES
from jobs.models import Job


class Frame:
    """Counted only when somebody asks: fragments and the login page never do, but a list may ask for its own count."""

    def __init__(self, user: Any) -> None:
        self._user = user

    @cached_property
    def containers(self) -> int:
        """How many there are."""
        return Container.objects.visible_to(self._user).count()

    @cached_property
    def nav(self) -> dict[str, int]:
        """Counts beside the entries of the sidebar."""
        nouns = {"images": Image, "networks": Network, "volumes": Volume}
        return {name: model.objects.visible_to(self._user).count() for name, model in nouns.items()} | {
            "containers": self.containers,
            "hosts": self.fleet["total"],
            "jobs": self.jobs_running,
        }

    @cached_property
    def fleet(self) -> dict[str, int]:
        """How many enabled hosts there are and how many of them answer."""
        return (
            Host.objects.visible_to(self._user)
            .filter(enabled=True)
            .aggregate(total=Count("pk"), online=Count("pk", filter=Q(state__in=LIVE_STATES)))
        )

    @cached_property
    def has_swarms(self) -> bool:
        """Whether any host is in a swarm that is known, or a service in one is their team's."""
        own = standing_of(self._user).reach(Right.SERVICES_VIEW).own
        return Swarm.objects.visible_to(self._user).exists() or (
            bool(own) and Service.objects.visible_to(self._user).exists()
        )

    @cached_property
    def jobs_running(self) -> int:
        """Queued and running jobs."""
        return Job.objects.visible_to(self._user).listed().open().count()


def frame_of(request: HttpRequest) -> Frame:
    """The frame of the page that answers `request`: view and template count nothing twice."""
    if not hasattr(request, "frame"):
        request.frame = Frame(getattr(request, "user", None))  # type: ignore[attr-defined]
    return request.frame  # type: ignore[attr-defined]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: {{ frame.nav.containers }}, {{ frame.fleet.online }}, {{ frame.jobs_running }}."""
    return {"frame": frame_of(request)}
