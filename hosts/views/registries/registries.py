"""Registries and their accounts: list, page, add, edit, test, remove."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import template_for
from hosts import columns, filters, logins
from hosts.access import get_account, get_registry
from hosts.actions.registries import registries
from hosts.forms.registries import AccountForm, RegistryForm
from hosts.models import Image, Registry, RegistryAccount
from hosts.pages import page_of
from hosts.registry.places import Login, Place
from hosts.views.registries.registry_browse import asked_of
from jobs.models import Schedule

ANSWERS = {
    "token": gettext_noop("%(address)s answers. It gives tokens for logins."),
    "password": gettext_noop("%(address)s answers. It wants a user and a password."),
    "none": gettext_noop("%(address)s answers. It wants no login."),
}
LOGGED_IN = gettext_noop("%(address)s takes the login of %(user)s.")


@guard(Right.REGISTRIES_VIEW)
@require_GET
def registry_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    accounts = RegistryAccount.objects.visible_to(request.user)
    seen = Count("accounts", filter=Q(accounts__in=accounts.order_by().values("pk")))
    rows = Registry.objects.visible_to(request.user).annotate(account_count=seen)
    named = rows.prefetch_related(Prefetch("accounts", accounts))
    if file := filters.REGISTRIES.file(request, named, columns.REGISTRIES, "registries"):
        return file
    context = filters.REGISTRIES.context(request, rows)
    return render(request, template_for(request, "registries/page.html", "registries/_rows.html"), context)


@guard(Right.REGISTRIES_VIEW)
@require_GET
def registry_page(request: HttpRequest, name: str) -> HttpResponse:
    """What is stored of it."""
    registry = get_registry(request.user, name)
    rows = RegistryAccount.objects.filter(registry=registry)
    context = {
        "registry": registry,
        "accounts": rows.visible_to(request.user),
        "usable": rows.usable(request.user),
        "asked": asked_of(request),
    }
    return render(request, "registries/registry.html", context)


@guard(Right.REGISTRIES_MANAGE)
@require_http_methods(["GET", "POST"])
def registry_add(request: HttpRequest) -> HttpResponse:
    """The form; `test=1` connects once and stores nothing."""
    return _form(request, RegistryForm(request.POST or None), None)


@guard(Right.REGISTRIES_MANAGE)
@require_http_methods(["GET", "POST"])
def registry_edit(request: HttpRequest, name: str) -> HttpResponse:
    """The same form with what is stored."""
    registry = get_registry(request.user, name, Right.REGISTRIES_MANAGE)
    return _form(request, RegistryForm(request.POST or None, registry=registry), registry)


def _form(request: HttpRequest, form: RegistryForm, registry: Registry | None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "registry": registry}
    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            context |= _test(request, form.place(), None, form.cleaned_data["name"])
        else:
            stored = form.fill(Registry.objects.get(pk=registry.pk) if registry else Registry())
            try:
                (registries.change if registry else registries.add)(request.user, stored)
                messages.success(request, _("Stored %(name)s.") % {"name": stored.name})
                return redirect(page_of(stored))
            except Invalid as error:
                form.refuse(error)
    return render(request, "registries/form.html", context, status=422 if form.errors else 200)


def _test(request: HttpRequest, place: Place, login: Login | None, name: str) -> dict[str, Any]:
    try:
        how = registries.test(request.user, place, login, name)
    except DermagaError as error:
        return {"test_error": str(error), "test_detail": error.unsaid}
    said = LOGGED_IN if login and how != "none" else ANSWERS[how]
    return {"tested": _(said) % {"address": place.address, "user": login.username if login else ""}}


@guard(Right.REGISTRIES_MANAGE)
@require_POST
def registry_test(request: HttpRequest, name: str) -> HttpResponse:
    """Connects once to a stored registry, with one of its accounts if one is named."""
    registry = get_registry(request.user, name, Right.REGISTRIES_MANAGE)
    pk = request.POST.get("account", "")
    account = get_account(request.user, registry, pk, Right.REGISTRIES_MANAGE) if pk else None
    found = _test(request, registry.place(), account.login() if account else None, name)
    if "tested" in found:
        messages.success(request, found["tested"])
    else:
        messages.error(request, f"{found['test_error']} {found['test_detail']}".strip())
    return redirect("registry_page", name)


@guard(Right.REGISTRIES_MANAGE)
@require_http_methods(["GET", "POST"])
def registry_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Says what stops working; forgets it on POST."""
    registry = get_registry(request.user, name, Right.REGISTRIES_MANAGE)
    if request.method == "POST":
        try:
            registries.remove(request.user, registry)
        except DermagaError as error:
            messages.error(request, str(error))
            return redirect("registry_page", name)
        messages.success(request, _("Removed %(name)s. Nothing in the registry was touched.") % {"name": name})
        return redirect("registry_list")
    accounts = list(registry.accounts.all())
    images = Image.objects.visible_to(request.user).filter(name__startswith=f"{registry.address}/")
    context = {
        "registry": registry,
        "accounts": accounts,
        "images": images.count(),
        "schedules": _schedules(request, registry, {account.pk for account in accounts}),
    }
    return render(request, "registries/remove.html", context)


def _schedules(request: HttpRequest, registry: Registry, accounts: set[int]) -> list[Schedule]:
    """Schedules that log in with one of these accounts, chosen or as the registry's default."""
    rows = Schedule.objects.visible_to(request.user).filter(kind__in=["image.pull", "image.push"])

    def logs_in(params: dict[str, Any]) -> bool:
        its = logins.registry_of(str(params.get("name", ""))) == registry.address
        return params.get("account") in accounts or (params.get("account") is None and its and bool(accounts))

    return [schedule for schedule in rows if logs_in(schedule.params)]


# ---------------------------------------------------------------- accounts
@guard(Right.REGISTRIES_MANAGE)
@require_http_methods(["GET", "POST"])
def account_add(request: HttpRequest, name: str) -> HttpResponse:
    """The form of a login; `test=1` logs in once and stores nothing."""
    registry = get_registry(request.user, name, Right.REGISTRIES_MANAGE)
    return _account_form(
        request, AccountForm(request.POST or None, teams=logins.teams_for(request.user)), registry, None
    )


@guard(Right.REGISTRIES_MANAGE)
@require_http_methods(["GET", "POST"])
def account_edit(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """The same form without what is secret."""
    registry = get_registry(request.user, name, Right.REGISTRIES_MANAGE)
    account = get_account(request.user, registry, pk, Right.REGISTRIES_MANAGE)
    return _account_form(
        request,
        AccountForm(request.POST or None, teams=logins.teams_for(request.user, account), account=account),
        registry,
        account,
    )


def _account_form(
    request: HttpRequest, form: AccountForm, registry: Registry, account: RegistryAccount | None
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "registry": registry, "account": account}
    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            context |= _test(request, registry.place(), form.login(), registry.name)
        else:
            try:
                if account:
                    registries.change_account(request.user, account, **form.cleaned_data)
                else:
                    registries.add_account(request.user, registry, **form.cleaned_data)
                messages.success(request, _("Stored %(name)s.") % {"name": form.cleaned_data["username"]})
                return redirect(page_of(registry))
            except Invalid as error:
                form.refuse(error)
    return render(request, "registries/account.html", context, status=422 if form.errors else 200)


@guard(Right.REGISTRIES_MANAGE)
@require_POST
def account_remove(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Forgets a login."""
    registry = get_registry(request.user, name, Right.REGISTRIES_MANAGE)
    account = get_account(request.user, registry, pk, Right.REGISTRIES_MANAGE)
    registries.remove_account(request.user, account)
    messages.success(request, _("Removed %(name)s.") % {"name": account.username})
    return redirect("registry_page", name)
