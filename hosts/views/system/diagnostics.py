"""How Dermaga itself does: its processes, what they stand on, and how each host is watched."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.models import Forward
from accounts.rights import Right
from common.htmx import is_fragment
from hosts import diagnostics, filters
from hosts.models import Host


@guard(Right.DIAGNOSTICS, live=True)
@require_GET
def diagnostics_page(request: HttpRequest) -> HttpResponse:
    """Two live parts: the product (`part=product`), and the table of hosts, whose filters are in the URL."""
    if request.GET.get("part") == "product":
        return render(request, "diagnostics/_product.html", _product(request))
    context = filters.HOSTS.context(request, Host.objects.visible_to(request.user))
    diagnostics.add_watching(context["page"].items)
    if is_fragment(request):
        return render(request, "diagnostics/_hosts.html", context)
    return render(request, "diagnostics/page.html", context | _product(request))


def _product(request: HttpRequest) -> dict[str, object]:
    return {
        "product": diagnostics.product(),
        "parts": diagnostics.parts(request.user),
        "forwards": Forward.objects.all(),
    }
