"""What filters and their values are called: {% facet_label "health" %}, {% facet_value "health" "none" %}."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from common.lists import NONE
from common.templatetags.words import STATE_WORDS

register = template.Library()

LABELS = {
    "action": n_("Action"),
    "actor": n_("Who"),
    "address": n_("Address"),
    "attention": n_("Needs attention"),
    "availability": n_("Availability"),
    "by": n_("By"),
    "driver": n_("Driver"),
    "engine": n_("Engine"),
    "from": n_("From"),
    "health": n_("Health"),
    "host": n_("Host"),
    "image": n_("Image"),
    "kind": n_("Kind"),
    "label": n_("Label"),
    "name": n_("Name"),
    "outcome": n_("Outcome"),
    "network": n_("Network"),
    "project": n_("Project"),
    "role": n_("Role"),
    "desired": n_("Wanted"),
    "mode": n_("Mode"),
    "node": n_("Node"),
    "service": n_("Service"),
    "stack": n_("Stack"),
    "state": n_("State"),
    "swarm": n_("Swarm"),
    "update": n_("Update"),
    "to": n_("Until"),
    "use": n_("Use"),
    "volume": n_("Volume"),
    "destination": n_("Destination"),
}
WITHOUT = {
    "health": n_("no health check"),
    "project": n_("no project"),
    "driver": n_("no driver"),
    "stack": n_("no stack"),
    "update": n_("never updated"),
    "node": n_("no node"),
    "engine": n_("unknown"),
    "host": n_("none or several"),
    "actor": n_("nobody known"),
    "address": n_("none"),
}
WORDED = {"availability", "health", "role", "state", "use"}


@register.simple_tag
def facet_label(name: str) -> str:
    """What a filter is called."""
    return _(LABELS[name])


@register.simple_tag
def facet_value(name: str, value: str) -> str:
    """What a value of a filter is called; "" for a filter that is only on or off."""
    if name == "attention":
        return ""
    if value == NONE and name in WITHOUT:
        return _(WITHOUT[name])
    return _(value) if name in WORDED and value in STATE_WORDS else value
