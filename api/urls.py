"""The REST API under /api/v1/, with its OpenAPI at /api/v1/openapi.json."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from api import (
    audit,
    backups,
    containers,
    diagnostics,
    disk,
    events,
    files,
    forwards,
    hosts,
    images,
    invitations,
    jobs,
    networks,
    nodes,
    owners,
    plugins,
    policies,
    quotas,
    recordings,
    registries,
    schedules,
    second_factor,
    secrets,
    services,
    sessions,
    stacks,
    stats,
    swarms,
    teams,
    tokens,  # noqa: F401  (its routes are among those of sessions)
    users,
    volumes,
)
from api.auth import Session, Token
from api.openapi import DescribedAPI
from common.error_pages import answer, goes_on, problem
from common.errors import DermagaError, StillRunning

api = DescribedAPI(
    title="Dermaga",
    version="1",
    urls_namespace="api-1",
    auth=[Token(), Session()],
    docs_url=None,
    openapi_url="openapi.json",
)
api.add_router("hosts", hosts.router)
api.add_router("containers", containers.router)
api.add_router("containers", files.router)
api.add_router("images", images.router)
api.add_router("registries", registries.router)
api.add_router("plugins", plugins.router)
api.add_router("networks", networks.router)
api.add_router("volumes", volumes.router)
api.add_router("volumes", backups.of_volumes)
api.add_router("backups", backups.router)
api.add_router("destinations", backups.places)
api.add_router("swarms", swarms.router)
api.add_router("nodes", nodes.router)
api.add_router("services", services.router)
api.add_router("tasks", services.tasks)
api.add_router("stacks", stacks.router)
api.add_router("secrets", secrets.router)
api.add_router("configs", secrets.configs)
api.add_router("disk", disk.router)
api.add_router("events", events.router)
api.add_router("audit", audit.router)
api.add_router("image-tags", registries.suggestions)
api.add_router("jobs", jobs.router)
api.add_router("schedules", schedules.router)
api.add_router("stats", stats.router)
api.add_router("users", users.router)
api.add_router("users", sessions.router)
api.add_router("invitations", invitations.router)
api.add_router("second-factor", second_factor.router)
api.add_router("recordings", recordings.router)
api.add_router("forwards", forwards.router)
api.add_router("policies", policies.router)
api.add_router("quotas", quotas.router)
api.add_router("teams", teams.router)
api.add_router("roles", teams.roles)
api.add_router("grants", teams.grants)
api.add_router("owners", owners.router)
api.add_router("access", teams.access)
api.add_router("diagnostics", diagnostics.router)


@api.exception_handler(DermagaError)
def ours(request: HttpRequest, error: Any) -> HttpResponse:
    """Problem JSON."""
    response = answer(request, error)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(StillRunning)
def job(request: HttpRequest, error: Any) -> HttpResponse:
    """202 with the job that it goes on in."""
    return goes_on(request, error)


@api.exception_handler(AuthenticationError)
def nobody(request: HttpRequest, error: Any) -> HttpResponse:
    """Neither token nor session."""
    response = problem(401, "not_logged_in", "Send an API token: Authorization: Bearer TOKEN.")
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: Any) -> HttpResponse:
    """Names the fields."""
    fields = [{"field": ".".join(str(p) for p in e["loc"][1:]), "reason": e["msg"]} for e in error.errors]
    return problem(422, "invalid", "A value is wrong.", errors=fields)


@api.exception_handler(HttpError)
def other(request: HttpRequest, error: Any) -> HttpResponse:
    """What the library itself refuses."""
    return problem(error.status_code, "refused", str(error))
