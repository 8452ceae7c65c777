"""What Ctrl K does to objects other than containers: "scale web", "copy data", "drain buoy-a"."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right, allows
from common.lists import searched
from common.templatetags.ui import short_id
from hosts import filters
from hosts.access import may
from hosts.models import Image, Network, Node, Plugin, Service, Volume
from hosts.palette import Entry

OBJECTS, ENTRIES = 3, 12  # of a noun; in all


class Act(NamedTuple):
    """`page` is the name of its dialog, which takes the verb where `asks`. `form` is the name of the action of a form on
    the object's own page (`value`: and of a field in it); with neither the act leads to that page."""

    verb: str
    icon: str
    words: str | Promise
    page: str = ""
    asks: bool = False
    how: str = "ask"  # a dialog; "" is a page
    form: str = ""
    value: str = ""


class Noun(NamedTuple):
    """Objects of one kind, and what may be done to them."""

    model: Any
    called: str | Promise
    right: Right
    page: str
    place: Callable[[Any], list[str]]
    search: Sequence[str]
    acts: tuple[Act, ...]


def _by_id(row: Any) -> list[str]:
    return [row.host.name, short_id(row.engine_id)]


def _by_name(row: Any) -> list[str]:
    return [row.host.name, row.name]


def _of_swarm(row: Any) -> list[str]:
    return [row.swarm.name, row.engine_id]


COPY, EDIT, LABELS, PUSH, REMOVE = _("Copy"), _("Edit"), _("Labels"), _("Push"), _("Remove")
NOUNS = (
    Noun(
        Image, _("image"), Right.IMAGES_MANAGE, "image_page", _by_id, filters.IMAGES.search,
        (
            Act("tag", "tag", _("Tag"), "image_ask", asks=True),
            Act("push", "cloud-upload", PUSH, "image_ask", asks=True),
            Act("copy", "copy", COPY, "image_ask", asks=True),
            Act("remove", "trash", REMOVE, "image_ask", asks=True),
        ),
    ),
    Noun(
        Network, _("network"), Right.NETWORKS_MANAGE, "network_page", _by_id, filters.NETWORKS.search,
        (
            Act("connect", "plug", _("Connect"), "network_connect"),
            Act("disconnect", "plug", _("Disconnect")),
            Act("remove", "trash", REMOVE, form="network_remove"),
        ),
    ),
    Noun(
        Volume, _("volume"), Right.VOLUMES_MANAGE, "volume_page", _by_name, filters.VOLUMES.search,
        (
            Act("copy", "copy", COPY, "volume_copy"),
            Act("backup", "archive", _("Back up"), "volume_backup"),
            Act("remove", "trash", REMOVE, form="volume_remove"),
        ),
    ),
    Noun(
        Service, _("service"), Right.SERVICES_MANAGE, "service_page", _of_swarm, ("name", "engine_id"),
        (
            Act("scale", "arrows-maximize", _("Scale"), "service_ask", asks=True),
            Act("redeploy", "refresh", _("Redeploy"), "service_ask", asks=True),
            Act("rollback", "arrow-back-up", _("Roll back"), "service_ask", asks=True),
            Act("edit", "pencil", EDIT, "service_edit", how=""),
            Act("remove", "trash", REMOVE, "service_ask", asks=True),
        ),
    ),
    Noun(
        Node, _("node"), Right.SWARM_MANAGE, "node_page", _of_swarm, ("name", "engine_id"),
        (
            Act("drain", "player-pause", _("Drain"), form="node_availability", value="availability=drain"),
            Act("promote", "arrow-up", _("Promote"), form="node_promote"),
            Act("demote", "arrow-down", _("Demote"), form="node_demote"),
            Act("labels", "tag", LABELS, "node_labels", how=""),
            Act("remove", "trash", REMOVE, form="node_remove"),
        ),
    ),
    Noun(
        Plugin, _("plugin"), Right.PLUGINS_MANAGE, "plugin_page", _by_id, filters.PLUGINS.search,
        (
            Act("enable", "player-play", _("Enable"), form="plugin_enable"),
            Act("disable", "player-pause", _("Disable"), form="plugin_disable"),
            Act("configure", "pencil", _("Configure"), "plugin_configure"),
            Act("upgrade", "cloud-download", _("Upgrade"), "plugin_upgrade"),
            Act("push", "cloud-upload", PUSH, "plugin_push"),
            Act("remove", "trash", REMOVE, form="plugin_remove"),
        ),
    ),
)  # fmt: skip


def acts(user: Any, verb: str, query: str) -> list[Entry]:
    """The acts that begin with `verb` on what `query` finds: a query for each noun that has such an act."""
    found: list[Entry] = []
    for noun in NOUNS:
        wanted = [act for act in noun.acts if _means(act, verb)]
        if wanted and allows(user, noun.right):
            found += [_entry(noun, act, row) for row in _rows(user, noun, query) for act in wanted]
    return found[:ENTRIES]


def _means(act: Act, verb: str) -> bool:
    return act.verb.startswith(verb) or str(act.words).casefold().startswith(verb)


def _rows(user: Any, noun: Noun, query: str) -> list[Any]:
    rows = noun.model.objects.visible_to(user)
    rows = rows.current().select_related("swarm") if hasattr(rows, "current") else rows.select_related("host")
    found = searched(rows, query, tuple(noun.search)).order_by("name", "pk")[:OBJECTS]
    return [row for row in found if row.name and may(user, noun.right, row)]


def _entry(noun: Noun, act: Act, row: Any) -> Entry:
    place = noun.place(row)
    if act.page:
        url = reverse(act.page, args=[*place, act.verb] if act.asks else place)
    else:
        url = reverse(noun.page, args=place)
    return Entry(
        act.icon,
        f"{act.words} {row.name}",
        url,
        f"{noun.called} · {place[0]}",
        how=act.how if act.page else "",
        action=reverse(act.form, args=place) if act.form else "",
        value=act.value,
    )
