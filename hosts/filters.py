"""What the lists of hosts, containers, images, networks, volumes and events can be filtered and sorted by."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Case, CharField, Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, IsNull
from django.utils import timezone

from accounts.rights import Right, standing_of
from common.lists import Rows, Table, any_of, one_of
from common.moments import moment
from hosts.models import Container, Host, Network, Use, Volume
from hosts.models.containers import NEEDS_ATTENTION, STOPPED
from hosts.models.hosts import LIVE_STATES
from hosts.models.volumes import ANONYMOUS

PRUNED_AT_MOST = 1000  # rows that are looked at

EVENT_ACTIONS = [
    "commit",
    "connect",
    "create",
    "delete",
    "destroy",
    "die",
    "disable",
    "disconnect",
    "enable",
    "export",
    "health_status",
    "import",
    "kill",
    "load",
    "mount",
    "oom",
    "pause",
    "prune",
    "pull",
    "push",
    "reload",
    "remove",
    "rename",
    "restart",
    "save",
    "start",
    "stop",
    "tag",
    "unmount",
    "unpause",
    "untag",
    "update",
]
EVENT_KINDS = ("config", "container", "daemon", "image", "network", "node", "plugin", "secret", "service", "volume")


# ---------------------------------------------------------------- conditions
class LabelValue(Func):
    """The value of one label as text, NULL without it; its name may have dots, quotes, and be a number."""

    output_field = TextField()

    def __init__(self, name: str) -> None:
        super().__init__(F("labels"), Value(name))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(SELECT value FROM json_each(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") WHERE key = (", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" ->> ", **context)


def _labels(values: list[str]) -> Q:
    return any_of(map(_label, values))


def _label(value: str) -> Q:
    """name or name=value"""
    name, equals, content = value.partition("=")
    return Q(Exact(LabelValue(name), content)) if equals else Q(IsNull(LabelValue(name), False))


def _images(values: list[str]) -> Q:
    """A reference, one without its tag, or the beginning of an id."""
    return any_of(Q(image=value) | Q(image__startswith=f"{value}:") | Q(image_id__startswith=value) for value in values)


def _actions(values: list[str]) -> Q:
    """health_status stands for what it says too: "health_status: unhealthy"."""
    return any_of(Q(action=value) | Q(action__startswith=f"{value}:") for value in values)


# ---------------------------------------------------------------- who is used
def images_with_use(images: QuerySet[Any]) -> QuerySet[Any]:
    """`images` with `use`: in use, dangling or unused."""
    users = Container.objects.filter(host=OuterRef("host"), image_id=OuterRef("engine_id"))
    return images.annotate(use=_use(Exists(users), When(dangling=True, then=Value("dangling"))))


def unused_images(images: QuerySet[Any], *, everything: bool, going: Iterable[int] = ()) -> QuerySet[Any]:
    """Those that no container uses, besides these that go as well (their keys); only dangling ones unless `everything`."""
    users = Container.objects.filter(host=OuterRef("host"), image_id=OuterRef("engine_id")).exclude(pk__in=list(going))
    rows = images.filter(~Exists(users))
    return rows if everything else rows.filter(dangling=True)


def with_use(noun: str, things: QuerySet[Any]) -> QuerySet[Any]:
    """Networks or volumes (`noun`) with `use`: in use or unused. Volumes can be sorted by size then, the unknown less."""
    if noun == "volume":
        things = things.alias(size_known=Coalesce("size", -1))
    return things.annotate(
        use=_use(Exists(Use.objects.filter(noun=noun, host=OuterRef("host"), name=OuterRef("name"))))
    )


def with_state(plugins: QuerySet[Any]) -> QuerySet[Any]:
    """Plugins with `state_word`: enabled or disabled."""
    word = Case(When(enabled=True, then=Value("enabled")), default=Value("disabled"), output_field=CharField())
    return plugins.annotate(state_word=word)


def users_of(noun: str, thing: Any, containers: QuerySet[Any]) -> QuerySet[Any]:
    """Those of `containers` that use this network or volume (`noun`)."""
    return users_of_name(noun, thing.host, thing.name, containers)


def users_of_name(noun: str, host: Host, name: str, containers: QuerySet[Any]) -> QuerySet[Any]:
    """The same, of the network or volume of that name on a host, which need not be in our tables."""
    uses = Use.objects.filter(noun=noun, host=host, name=name)
    return containers.filter(pk__in=uses.values("container"))


def unused(noun: str, things: QuerySet[Any], going: Iterable[int] = ()) -> QuerySet[Any]:
    """Those networks or volumes (`noun`) that no container uses, be it one that does not run, besides these that go as
    well (their keys)."""
    uses = Use.objects.filter(noun=noun, host=OuterRef("host"), name=OuterRef("name"))
    return things.exclude(Exists(uses.exclude(container__in=list(going))))


def prunable_networks(user: Any, host: Host, only: list[str] | None = None, going: Iterable[int] = ()) -> list[Network]:
    """Those of a host that `user` sees and no container uses (besides those `going`), by name, but for what is not
    people's; of these only the ids `only`."""
    rows = unused("network", Network.objects.visible_to(user).filter(host=host), going).order_by("name", "pk")
    if only is not None:
        rows = rows.filter(engine_id__in=only)
    return [network for network in rows[:PRUNED_AT_MOST] if network.is_prunable]


def prunable_volumes(
    user: Any, host: Host, *, everything: bool = False, label: str = "", only: list[str] | None = None
) -> QuerySet[Any]:
    """Those of a host that `user` sees and no container uses, the largest first; only anonymous ones unless
    `everything`; with the label (name or name=value), and of these only the names `only`."""
    rows = unused("volume", Volume.objects.visible_to(user).select_related("host").filter(host=host))
    if not everything:
        rows = rows.filter(name__regex=f"^{ANONYMOUS.pattern}$")
    if label:
        rows = rows.filter(_label(storable(label)))
    if only is not None:
        rows = rows.filter(name__in=[storable(name) for name in only])
    return rows.order_by(F("size").desc(nulls_last=True), "name")


def storable(text: str) -> str:
    """`text` as a database can hold it: JSON can spell half a surrogate pair, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _use(used: Exists, *others: When) -> Case:
    return Case(When(used, then=Value("in use")), *others, default=Value("unused"), output_field=CharField())


def stopped(containers: Rows, *, hours: int = 0, label: str = "") -> Rows:
    """Those that do not run, for `hours` already, and that have the label (name or name=value): what a prune removes."""
    containers = containers.filter(state__in=STOPPED)
    if hours:
        before = timezone.now() - timedelta(hours=hours)
        containers = containers.filter(Q(finished__lt=before) | Q(finished=None, created__lt=before))
    return containers.filter(_label(storable(label))) if label else containers


# ---------------------------------------------------------------- what is used
def with_figures(rows: Rows, user: Any, sort: str) -> Rows:
    """Containers that can be sorted by `sort`: what they use now is looked up if it says so; those of whom that is
    unknown, or hidden from `user`, are less."""
    if sort.removeprefix("-") not in {"cpu", "memory"}:
        return rows
    reach = standing_of(user).reach(Right.STATS_VIEW)
    if not reach.anywhere:
        return rows.alias(cpu_now=Value(-1), memory_now=Value(-1))
    now = Q(state="running", host__state__in=LIVE_STATES)
    if not reach.everywhere:
        now &= Container.within(reach)
    cpu = Coalesce(Case(When(now, then="series__cpu")), -1.0)
    memory = Coalesce(Case(When(now, then="series__memory")), -1)
    return rows.alias(cpu_now=cpu, memory_now=memory)


# ---------------------------------------------------------------- lists
HOSTS = Table(
    search=("name", "url", "engine_version", "os"),
    sorts={
        "name": ["name"],
        "state": ["state", "name"],
        "engine": ["engine", "engine_version", "name"],
        "cpu": ["cpu_percent", "name"],
        "memory": ["memory_used", "name"],
        "seen": ["last_seen", "name"],
    },
    first="name",
    facets={"state": "state", "kind": "kind", "engine": "engine", "label": ""},
    conditions={"label": _labels},
)
CONTAINERS = Table(
    search=("words", "host__name"),
    sorts={
        "name": ["name"],
        "state": ["state", "name"],
        "host": ["host__name", "name"],
        "image": ["image", "name"],
        "project": ["project", "service", "name"],
        "created": ["created"],
        "started": ["started"],
        "cpu": ["cpu_now"],
        "memory": ["memory_now"],
    },
    first="name",
    facets={
        "host": "host__name",
        "state": "state",
        "health": "health",
        "project": "project",
        "image": "image",
        "label": "",
        "attention": "",
    },
    conditions={"image": _images, "label": _labels, "attention": lambda values: NEEDS_ATTENTION},
)
IMAGES = Table(
    search=("words", "engine_id", "host__name"),
    sorts={"name": ["name"], "host": ["host__name", "name"], "size": ["size"], "created": ["created"]},
    first="name",
    facets={"host": "host__name", "use": "use", "label": ""},
    conditions={"label": _labels},
)
NETWORKS = Table(
    search=("name", "driver", "host__name"),
    sorts={"name": ["name"], "host": ["host__name", "name"], "driver": ["driver", "name"], "created": ["created"]},
    first="name",
    facets={"host": "host__name", "driver": "driver", "use": "use"},
)
VOLUMES = Table(
    search=NETWORKS.search,
    sorts={**NETWORKS.sorts, "size": ["size_known", "name"]},
    first="name",
    facets={"host": "host__name", "driver": "driver", "use": "use", "label": ""},
    conditions={"label": _labels},
)
REGISTRIES = Table(search=("name", "address"), sorts={"name": ["name"], "address": ["address", "name"]}, first="name")
BACKUPS = Table(
    search=("volume", "host", "key", "by_name"),
    sorts={
        "created": ["created"],
        "volume": ["volume", "host", "created"],
        "host": ["host", "volume", "created"],
        "destination": ["destination__name", "created"],
        "size": ["bytes"],
    },
    first="-created",
    facets={"host": "host", "volume": "volume", "destination": "destination__name"},
)
DESTINATIONS = Table(
    search=("name", "folder", "url", "bucket"), sorts={"name": ["name"], "kind": ["kind", "name"]}, first="name"
)
DESTINATION_NAMES = Table(search=("name",), sorts=DESTINATIONS.sorts, first="name")
RECORDINGS = Table(
    search=("host", "container", "by_name", "command"),
    sorts={
        "began": ["began"],
        "host": ["host", "container"],
        "by": ["by_name", "began"],
        "seconds": ["seconds"],
        "bytes": ["bytes"],
    },
    first="-began",
    facets={"host": "host", "by": "by_name", "mode": "mode", "state": "end"},
)
FORWARDS = Table(search=("name", "address"), sorts={"name": ["name"], "kind": ["kind", "name"]}, first="name")
PLUGINS = Table(
    search=("name", "reference", "description", "kind", "host__name"),
    sorts={"name": ["name"], "host": ["host__name", "name"], "state": ["enabled", "name"], "kind": ["kind", "name"]},
    first="name",
    facets={"host": "host__name", "state": "state_word", "kind": "kind"},
)
SWARMS = Table(search=("name", "engine_id"), sorts={"name": ["name"], "created": ["created"]}, first="name")
NODES = Table(
    search=("name", "address", "engine_id", "engine_version", "swarm__name"),
    sorts={
        "name": ["name"],
        "swarm": ["swarm__name", "name"],
        "role": ["role", "name"],
        "state": ["state", "name"],
        "availability": ["availability", "name"],
        "engine": ["engine_version", "name"],
    },
    first="name",
    facets={
        "swarm": "swarm__name",
        "role": "role",
        "state": "state",
        "availability": "availability",
        "label": "",
    },
    conditions={"label": _labels},
)
SECRETS = Table(
    search=("name", "engine_id", "swarm__name"),
    sorts={
        "name": ["name"],
        "swarm": ["swarm__name", "name"],
        "created": ["created"],
        "updated": ["updated"],
    },
    first="name",
    facets={"swarm": "swarm__name", "label": ""},
    conditions={"label": _labels},
)
CONFIGS = SECRETS
SERVICES = Table(
    search=("name", "image", "stack", "engine_id", "swarm__name"),
    sorts={
        "name": ["name"],
        "swarm": ["swarm__name", "name"],
        "stack": ["stack", "name"],
        "image": ["image", "name"],
        "mode": ["mode", "name"],
        "tasks": ["running", "name"],
        "updated": ["updated"],
    },
    first="name",
    facets={
        "swarm": "swarm__name",
        "stack": "stack",
        "mode": "mode",
        "update": "update_state",
        "label": "",
    },
    conditions={"label": _labels},
)
TASKS = Table(
    search=("name", "image", "error", "node_name", "engine_id", "swarm__name"),
    sorts={
        "name": ["service_name", "slot", "-current", "name"],
        "node": ["node_name", "name"],
        "state": ["state", "name"],
        "since": ["since"],
    },
    first="name",
    facets={
        "swarm": "swarm__name",
        "service": "service_name",
        "node": "node_name",
        "state": "state",
        "desired": "desired",
    },
)
MEMBERS = Table(  # containers of one network or volume
    search=("words",),
    sorts={"name": ["name"], "state": ["state", "name"]},
    first="name",
)
MAP = Table(  # containers of one host
    search=("words",),
    sorts={"name": ["project", "name"]},
    first="name",
    facets={"project": "project", "state": "state", "network": ""},
    conditions={
        "network": lambda values: Q(
            pk__in=Use.objects.filter(noun="network", name__in=values).order_by().values("container")
        )
    },
    page_size=200,
)
EVENTS = Table(
    search=("actor_name", "actor_id", "action", "kind", "host__name"),
    sorts={"time": ["time"]},
    first="-time",
    facets={"host": "host__name", "kind": "kind", "action": "action", "name": "", "from": "", "to": ""},
    conditions={
        "action": _actions,
        "name": lambda values: one_of("actor_name", values),
        "from": lambda values: Q(time__gte=moment("from", values)),
        "to": lambda values: Q(time__lt=moment("to", values)),
    },
    listed={
        "host": lambda: Host.objects.values_list("name", flat=True),
        "kind": lambda: EVENT_KINDS,
        "action": lambda: EVENT_ACTIONS,
    },
)
