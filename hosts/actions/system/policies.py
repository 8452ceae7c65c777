"""What can be done to policies: made, changed, taken away. Who manages a host does so for that host; who manages all of them
also for labels and for all."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference
from accounts.rights import Right
from common.errors import Denied, Invalid
from hosts.access import EVERYWHERE
from hosts.actions.act import demand
from hosts.models import Policy
from hosts.policy.rules import Rules

ABOUT_AT_MOST = LABEL_AT_MOST = 200
TAKEN = gettext_noop("There is a policy for %(place)s already. Change that one.")


def _demand(actor: Any, policy: Policy, action: str) -> None:
    try:
        demand(actor, Right.HOSTS_MANAGE, policy.host or EVERYWHERE)
    except Denied:
        record(actor, action, policy.place, host=policy.host.name if policy.host else "", outcome="refused")
        raise


def store(actor: Any, policy: Policy, rules: Rules, about: str = "") -> Policy:
    """Makes a policy of `policy`'s host or label, or changes its rules. Raises Denied, Invalid."""
    action = "policy.change" if policy.pk else "policy.add"
    _demand(actor, policy, action)
    name, equals, _value = policy.label.partition("=")
    if (equals and not name.strip()) or not policy.label.isprintable() or len(policy.label) > LABEL_AT_MOST:
        raise Invalid("label", gettext_noop("Write NAME=VALUE, or NAME for any value."))
    if len(about) > ABOUT_AT_MOST or not about.isprintable():
        raise Invalid("about", gettext_noop("Write one line of at most %(most)s characters."), {"most": ABOUT_AT_MOST})
    rules.check()
    before = {**policy.rules, "about": policy.about} if policy.pk else {}
    policy.rules, policy.about, policy.by_name = rules.as_json(), about.strip(), actor.username
    detail = difference(before, {**policy.rules, "about": policy.about})
    try:
        with transaction.atomic():
            policy.save()
            record(actor, action, policy.place, host=policy.host.name if policy.host else "", detail=detail)
    except IntegrityError as error:
        field = "host" if policy.host else "label"
        raise Invalid(field, TAKEN, {"place": policy.place}) from error
    return policy


def remove(actor: Any, policy: Policy) -> None:
    """Takes it away: what is less particular counts from now on, at last what is built in. Raises Denied."""
    _demand(actor, policy, "policy.remove")
    host = policy.host.name if policy.host else ""
    with transaction.atomic():
        place, rules = policy.place, policy.rules
        policy.delete()
        record(actor, "policy.remove", place, host=host, detail=difference(rules, {}))
