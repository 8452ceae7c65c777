"""Policies: the one in force on a host and where it comes from, and those of hosts, labels and all hosts."""

from dataclasses import fields
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common import exports
from common.errors import Denied, DermagaError
from hosts.access import get_host, get_policy, may_police, visible_policies
from hosts.actions.system import policies
from hosts.forms.policies import PolicyForm
from hosts.models import Host, Policy
from hosts.models.policies import in_force
from hosts.policy.rules import Rules
from hosts.policy.words import WORDS

COLUMNS: exports.Columns = {name: attrgetter(name) for name in ("place", "about", "rules", "changed", "by_name")}


def shown(rules: Rules) -> list[dict[str, Any]]:
    """Each rule as a page shows it: its name and words, and its value as a switch or a list."""
    return [
        {"name": entry.name, "words": WORDS[entry.name], "value": getattr(rules, entry.name)}
        | {"switch": isinstance(entry.default, bool)}
        for entry in fields(Rules)
    ]


@guard(Right.HOSTS_VIEW)
@require_GET
def host_policy(request: HttpRequest, name: str) -> HttpResponse:
    """What may be asked of a host's engine, and which policy says so."""
    host = get_host(request.user, name)
    found = in_force(host)
    parts = [{"place": place, "rules": shown(rules)} for place, rules in zip(found.places, found.rules, strict=True)]
    context = {
        "host": host,
        "parts": parts,
        "own": next((policy for policy in found.policies if policy.host_id), None),
        "may_change": may_police(request.user, host),
    }
    return render(request, "policies/host.html", context)


@guard(Right.HOSTS_MANAGE)
@require_http_methods(["GET", "POST"])
def host_policy_edit(request: HttpRequest, name: str) -> HttpResponse:
    """A policy of this host alone; it begins with what is in force, where that is one policy."""
    host = get_host(request.user, name, Right.HOSTS_MANAGE)
    policy = Policy.objects.filter(host=host).first() or Policy(host=host)
    found = in_force(host).rules
    begins = policy.parsed if policy.pk else found[0] if len(found) == 1 else Rules()
    return _form(request, policy, begins, "host_policy", host.name)


@guard(Right.HOSTS_VIEW)
@require_GET
def policy_list(request: HttpRequest) -> HttpResponseBase:
    """All that one may see."""
    found = visible_policies(request.user)
    if (kind := request.GET.get("format", "")) in exports.KINDS:
        return exports.as_file(found, COLUMNS, "policies", kind)
    context = {
        "policies": [(policy, may_police(request.user, policy.host)) for policy in found],
        "may_add": may_police(request.user, None),
        "built_in": shown(Rules()),
    }
    return render(request, "policies/page.html", context)


@guard(Right.HOSTS_MANAGE)
@require_http_methods(["GET", "POST"])
def policy_add(request: HttpRequest) -> HttpResponse:
    """One for a label, or for all hosts."""
    return _form(request, Policy(), Rules(), "policy_list")


@guard(Right.HOSTS_MANAGE)
@require_http_methods(["GET", "POST"])
def policy_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Its rules; where it holds stays."""
    policy = get_policy(request.user, pk)
    return _form(request, policy, policy.parsed, "policy_list")


def _form(request: HttpRequest, policy: Policy, rules: Rules, then: str, *args: str) -> HttpResponse:
    if not may_police(request.user, policy.host):
        raise Denied
    placed = bool(policy.pk or policy.host)
    form = PolicyForm(request.POST or None, rules=rules, placed=placed, about=policy.about)
    if request.method == "POST" and form.is_valid():
        policy.label = policy.label if placed else form.cleaned_data["label"].strip()
        try:
            policies.store(request.user, policy, form.wanted, form.cleaned_data["about"])
            messages.success(request, _("Stored the policy. It holds from now on."))
            return redirect(then, *args)
        except DermagaError as error:
            form.refuse(error)
    context = {"form": form, "policy": policy, "placed": placed, "host": policy.host}
    return render(request, "policies/form.html", context, status=422 if form.errors else 200)


@guard(Right.HOSTS_MANAGE)
@require_POST
def policy_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """What is less particular counts from now on."""
    policy = get_policy(request.user, pk)
    host: Host | None = policy.host
    try:
        policies.remove(request.user, policy)
        messages.success(request, _("The policy is gone: what is less particular counts now."))
    except DermagaError as error:
        messages.error(request, str(error))
    return redirect("host_policy", host.name) if host else redirect("policy_list")
