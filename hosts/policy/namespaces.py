"""Namespaces that are not the container's own: of its host, and of other containers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy.bodies import is_said, texts
from hosts.policy.refusals import Lookup, Refusal
from hosts.policy.rules import Rules

Reach = Callable[[Mapping[str, Any], Rules, Lookup], list[Refusal]]

MODES = {  # in HostConfig -> (the namespace, the form's field, values that are the container's own)
    "networkmode": ("network", "network_mode", {"default", "bridge", "none", "nat", "private", "slirp4netns", "pasta"}),
    "pidmode": ("pid", "pid_mode", {"private"}),
    "ipcmode": ("ipc", "ipc_mode", {"private", "shareable", "none"}),
    "utsmode": ("uts", "uts_mode", {"private"}),
    "usernsmode": ("user", "userns_mode", {"private", "auto", "keep-id", "nomap"}),
    "cgroupnsmode": ("cgroup", "cgroupns_mode", {"private"}),
    "cgroup": ("cgroup", "cgroup_parent", {"default"}),
}
OF_HOST = gettext_noop("The %(what)s namespace of the host is not allowed.")
OTHER = gettext_noop("%(what)s is no namespace that is known here.")
FOREIGN = gettext_noop("You may not operate the container %(what)s, if there is one.")
REACHES = gettext_noop("The container %(what)s itself has what is not allowed.")


def check(host: Mapping[str, Any], lookup: Lookup, rules: Rules, reach: Reach) -> Iterator[Refusal]:
    """Of a HostConfig, `lowered`."""
    for name, (space, field, own) in MODES.items():
        value = str(host.get(name) or "").strip()
        kind, colon, other = value.partition(":")
        kind = kind.lower()
        if not value or (not colon and kind in own):
            continue
        if kind == "host":
            if space not in rules.namespaces:
                yield Refusal("namespaces", field, OF_HOST, {"what": space})
        elif kind == "container" and colon:
            yield from check_container(field, other, rules, lookup, reach)
        elif colon or name != "networkmode":  # a network's name has no colon
            yield Refusal("namespaces", field, OTHER, {"what": value[:80]})
    for link in texts(host.get("links")):
        yield from check_container("links", link.partition(":")[0].strip("/"), rules, lookup, reach)


def check_container(field: str, name: str, rules: Rules, lookup: Lookup, reach: Reach) -> Iterator[Refusal]:
    """Another container, which one must operate, and which must not reach what one may not."""
    found = lookup.container(name)
    if found is None:
        yield Refusal("containers", field, FOREIGN, {"what": name[:80]})
    elif is_said(found) and reach(found, rules, lookup):
        yield Refusal("containers", field, REACHES, {"what": name[:80]})
