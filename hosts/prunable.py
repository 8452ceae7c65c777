"""Looks at the tables for what a prune of a whole host would remove."""

from typing import Any

from hosts import filters
from hosts.models import Container, DiskReading, Host, Image
from hosts.prune_plan import AT_ONCE, Choice, Item, Plan


def plan_of(user: Any, host: Host, choice: Choice) -> Plan:
    """What would go from this host now, as far as `user` sees it."""
    choice.check()
    reading = DiskReading.objects.filter(host=host).first()
    sizes = reading.containers if reading else {}
    plan = Plan(host.name, choice)
    stopped = filters.stopped(Container.objects.visible_to(user).filter(host=host)).order_by("name", "pk")
    plan.items["containers"] = [Item(c.engine_id, c.name, sizes.get(c.engine_id, 0)) for c in stopped]
    # what these alone use is used by nobody when they are gone; volumes are data, and stay for a prune of their own
    going = [container.pk for container in stopped[:AT_ONCE]]
    networks = filters.prunable_networks(user, host, going=going)
    plan.items["networks"] = [Item(network.engine_id, network.name) for network in networks]
    if choice.images != "none":
        everything = choice.images == "all"
        rows = filters.unused_images(Image.objects.visible_to(user), everything=everything, going=going)
        plan.items["images"] = [
            # children first: an engine keeps what another image is built upon
            Item(i.engine_id, str(i), i.size or 0, sorted(i.tags))
            for i in rows.filter(host=host).order_by("-created", "-pk")
        ]
    if choice.volumes != "none":
        plan.items["volumes"] = [
            Item(v.name, v.name, v.size or 0, v.created.isoformat() if v.created else "")
            for v in filters.prunable_volumes(user, host, everything=choice.volumes == "all")
        ]
    if choice.build_cache and reading:
        plan.items["build_cache"] = [
            Item(record["id"], record["description"] or record["id"], record["size"])
            for record in reading.cache
            if not record["in_use"]
        ]
    for kind, items in plan.items.items():
        plan.more[kind] = max(0, len(items) - AT_ONCE)
        plan.items[kind] = items[:AT_ONCE]
    return plan
