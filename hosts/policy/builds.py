"""The checker of builds: the query that goes to /build."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext_noop

from hosts.policy import images, namespaces, networks
from hosts.policy.containers import check_reach
from hosts.policy.refusals import Lookup, Refusal
from hosts.policy.rules import Rules

PLAIN = {
    *("t", "dockerfile", "buildargs", "labels", "target", "cachefrom", "nocache", "pull", "platform", "shmsize"),
    *("remote", "rm", "forcerm", "extrahosts", "q", "version", "memory", "memswap", "cpushares", "cpuquota"),
    *("cpuperiod", "cpusetcpus", "squash", "buildid"),
}
UNKNOWN = gettext_noop("%(what)s is not known to be harmless.")


def check_build(query: Iterable[tuple[str, str]], rules: Rules, lookup: Lookup) -> list[Refusal]:
    """All that a build asks for and `rules` do not allow: security options, entitlements and the like it has none."""
    return list(_build(query, rules, lookup))


def _build(query: Iterable[tuple[str, str]], rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    yield from images.check_made(rules)
    for name, value in query:
        if name == "networkmode":
            host = {"networkmode": value}
            yield from _at("network", namespaces.check(host, lookup, rules, check_reach))
            yield from _at("network", networks.check_modes(host, {}, rules, lookup))
        elif name not in PLAIN and value:
            yield Refusal("unknown", name, UNKNOWN, {"what": name[:80]})


def _at(field: str, found: Iterable[Refusal]) -> Iterator[Refusal]:
    for one in found:
        yield Refusal(one.rule, field, one.template, one.params)
