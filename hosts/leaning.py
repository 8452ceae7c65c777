"""Who leans on a container: shares its network or another namespace, mounts its volumes, is linked to it, or is started
after it by Compose. As the tables know it; asked before somebody stops or removes it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from hosts.models import Container
from hosts.models.containers import ContainerDetail
from hosts.specs.replaced import joins

CHOSEN_AT_MOST = 100  # containers that are asked for at once
ROWS_AT_MOST = 2000  # of a host whose labels are looked through
DETAILS_AT_MOST = 500  # of a host that are opened: each is encrypted
DEPENDS_ON = "com.docker.compose.depends_on"  # service:condition:restart, ...


class Leaning(NamedTuple):
    """`container` leans on the one called `on`; `how` is "namespace", "volumes", "link" or "depends"."""

    container: Container
    on: str
    how: str

    @property
    def sentence(self) -> str:
        """Of both by name."""
        sentences = {
            "namespace": _(
                "%(name)s is in a namespace of %(on)s, its network or another: without it, it cannot start."
            ),
            "volumes": _("%(name)s takes its volumes from %(on)s."),
            "link": _("%(name)s is linked to %(on)s."),
            "depends": _("%(name)s depends on %(on)s in its Compose project."),
        }
        return sentences[self.how] % {"name": self.container.name, "on": self.on}


def leaning_on(user: Any, chosen: Sequence[Container]) -> list[Leaning]:
    """Those that `user` may see and that are not among `chosen` themselves, by name; each container once for each that it
    leans on."""
    found: dict[tuple[int, str], Leaning] = {}
    for host, those in groupby(sorted(chosen[:CHOSEN_AT_MOST], key=lambda c: c.host_id), key=lambda c: c.host_id):
        for leaning in _on_host(user, host, list(those)):
            found.setdefault((leaning.container.pk, leaning.on), leaning)
    return sorted(found.values(), key=lambda leaning: (leaning.container.name, leaning.on))


def sharing(user: Any, container: Container) -> list[str]:
    """Names of those in its network or another namespace of it, which are made anew with it."""
    return [leaning.container.name for leaning in leaning_on(user, [container]) if leaning.how == "namespace"]


def _on_host(user: Any, host: int, chosen: list[Container]) -> Iterator[Leaning]:
    others = Container.objects.visible_to(user).filter(host=host).exclude(pk__in=[c.pk for c in chosen])
    others = others.exclude(state="removing").order_by("-pk")
    details = ContainerDetail.objects.filter(container__in=others[:DETAILS_AT_MOST].values("pk"))
    for detail in details.select_related("container"):
        config = detail.inspect.get("HostConfig") or {}
        for one in chosen:
            if how := _how(config, one):
                yield Leaning(detail.container, one.name, how)
    projects = {one.project for one in chosen if one.project}
    for other in others.filter(project__in=projects)[:ROWS_AT_MOST]:
        services = {part.partition(":")[0].strip() for part in str(other.labels.get(DEPENDS_ON, "")).split(",")}
        for one in chosen:
            if one.service and one.service in services and one.project == other.project:
                yield Leaning(other, one.name, "depends")


def _how(host_config: dict[str, Any], one: Container) -> str:
    names = {one.engine_id, one.name}
    if joins(host_config, names):
        return "namespace"
    if names & set(_firsts(host_config.get("VolumesFrom"), ":")):
        return "volumes"
    links = (link.lstrip("/") for link in _firsts(host_config.get("Links"), ":"))
    return "link" if names & set(links) else ""


def _firsts(values: Any, mark: str) -> Iterable[str]:
    return (str(value).partition(mark)[0] for value in values) if isinstance(values, list) else ()
