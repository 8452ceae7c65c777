"""Secrets and configs of swarms over REST."""

import base64
import binascii
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop
from ninja import Router, Schema

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from common.errors import Invalid
from hosts import filters
from hosts.access import get_of_swarm, get_swarm_to_make_in
from hosts.actions.short import soon
from hosts.actions.swarm import secret_versions, secrets
from hosts.models import Config, Secret

router = Router(tags=["secrets"])
configs = Router(tags=["configs"])


class CreateConfig(Schema):
    """The `value` as text, or `data` as base64. A value goes to the swarm and is kept nowhere else."""

    name: str
    value: str = ""
    data: str = ""
    labels: dict[str, str] = {}
    templating: str = ""


class CreateSecret(CreateConfig):
    """The same, or a `driver` that gives the value."""

    driver: str = ""


class Value(Schema):
    """Another value: as text, or as base64 in `data`."""

    value: str = ""
    data: str = ""


class Labels(Schema):
    """All labels that it is to have. With the `version` that was looked at: 409 when it has moved on."""

    labels: dict[str, str]
    version: int | None = None


def show(row: Secret | Config) -> dict[str, Any]:
    """A secret or config as JSON, without what is in it."""
    more = {"driver": row.driver} if isinstance(row, Secret) else {"size": row.size}
    return {
        "swarm": row.swarm.name,
        "id": row.engine_id,
        "name": row.name,
        "labels": row.labels,
        "templating": row.templating,
        **more,
        "created": row.created,
        "updated": row.updated,
        "version": row.version,
        "swarm_state": row.swarm.state,
        "seen": row.seen,
    }


def _whole(user: Any, row: Secret | Config) -> dict[str, Any]:
    users = [service.name for service in row.services(user)]
    return {**show(row), "services": users}


def _many(request: HttpRequest, rows: Any, sort: str, limit: int, offset: int) -> dict[str, Any]:
    ordered, _ = filters.SECRETS.ordered(filters.SECRETS.narrow(rows.current(), request.GET), sort)
    return many(ordered, limit, offset, show)


def _value(body: CreateConfig | Value) -> bytes:
    try:
        return base64.b64decode(body.data, validate=True) if body.data else body.value.encode()
    except UnicodeEncodeError:
        raise Invalid("value", gettext_noop("This is no text. Send it as data, in base64.")) from None
    except (binascii.Error, ValueError):
        raise Invalid("data", gettext_noop("This is not base64.")) from None


def _create(request: HttpRequest, swarm: str, noun: str, body: CreateConfig, driver: str = "") -> dict[str, Any]:
    made = soon(
        secrets.create,
        request.user,
        get_swarm_to_make_in(request.user, swarm, secrets.MANAGE[noun]),
        noun,
        body.name,
        _value(body),
        labels=body.labels,
        templating=body.templating,
        driver=driver,
    )
    return {"id": made, "name": body.name}


# ---------------------------------------------------------------- secrets
@router.get("", response=Many)
@needs(Right.SECRETS_VIEW)
def secret_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All secrets; the same filters as the page: search, swarm, label."""
    return _many(request, Secret.objects.visible_to(request.user), sort, limit, offset)


@router.post("/{swarm}", response={201: dict, 202: Started})
@needs(Right.SECRETS_MANAGE)
def secret_create(request: HttpRequest, swarm: str, body: CreateSecret) -> Any:
    """Makes a secret."""
    return 201, _create(request, swarm, "secret", body, body.driver)


@router.get("/{swarm}/{secret}", response=dict)
@needs(Right.SECRETS_VIEW)
def secret_get(request: HttpRequest, swarm: str, secret: str) -> Any:
    """One secret, with the names of the `services` that use it; never its value."""
    return _whole(request.user, get_of_swarm(request.user, Secret, swarm, secret))


@router.patch("/{swarm}/{secret}", response={200: dict, 202: Started})
@needs(Right.SECRETS_MANAGE)
def secret_change(request: HttpRequest, swarm: str, secret: str, body: Labels) -> Any:
    """Replaces its labels."""
    row = get_of_swarm(request.user, Secret, swarm, secret, Right.SECRETS_MANAGE)
    soon(secrets.set_labels, request.user, row, body.labels, version=body.version)
    return show(get_of_swarm(request.user, Secret, swarm, row.engine_id))


@router.post("/{swarm}/{secret}/replace", response={202: dict})
@needs(Right.SECRETS_MANAGE)
def secret_replace(request: HttpRequest, swarm: str, secret: str, body: Value) -> Any:
    """Starts a job that makes a new one of this value and lets the services that use it use that."""
    row = get_of_swarm(request.user, Secret, swarm, secret, Right.SECRETS_MANAGE)
    return 202, {"job": secret_versions.start_replace(request.user, row, _value(body)).pk}


@router.post("/{swarm}/{secret}/remove", response={200: dict, 202: Started})
@needs(Right.SECRETS_MANAGE)
def secret_remove(request: HttpRequest, swarm: str, secret: str) -> Any:
    """Removes it; 409 names the services that use it."""
    soon(secrets.remove, request.user, get_of_swarm(request.user, Secret, swarm, secret, Right.SECRETS_MANAGE))
    return {"done": "remove"}


# ---------------------------------------------------------------- configs
@configs.get("", response=Many)
@needs(Right.CONFIGS_VIEW)
def config_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All configs; the same filters as the page: search, swarm, label."""
    return _many(request, Config.objects.visible_to(request.user), sort, limit, offset)


@configs.post("/{swarm}", response={201: dict, 202: Started})
@needs(Right.CONFIGS_MANAGE)
def config_create(request: HttpRequest, swarm: str, body: CreateConfig) -> Any:
    """Makes a config."""
    return 201, _create(request, swarm, "config", body)


@configs.get("/{swarm}/{config}", response=dict)
@needs(Right.CONFIGS_VIEW)
def config_get(request: HttpRequest, swarm: str, config: str) -> Any:
    """One config, with the names of the `services` that use it."""
    return _whole(request.user, get_of_swarm(request.user, Config, swarm, config))


@configs.get("/{swarm}/{config}/content")
@needs(Right.CONFIGS_REVEAL)
def config_content(request: HttpRequest, swarm: str, config: str) -> HttpResponse:
    """What is in it, as it is; the look is recorded."""
    row = get_of_swarm(request.user, Config, swarm, config, Right.CONFIGS_REVEAL)
    return HttpResponse(secrets.content(request.user, row), content_type="application/octet-stream")


@configs.patch("/{swarm}/{config}", response={200: dict, 202: Started})
@needs(Right.CONFIGS_MANAGE)
def config_change(request: HttpRequest, swarm: str, config: str, body: Labels) -> Any:
    """Replaces its labels."""
    row = get_of_swarm(request.user, Config, swarm, config, Right.CONFIGS_MANAGE)
    soon(secrets.set_labels, request.user, row, body.labels, version=body.version)
    return show(get_of_swarm(request.user, Config, swarm, row.engine_id))


@configs.post("/{swarm}/{config}/replace", response={202: dict})
@needs(Right.CONFIGS_MANAGE)
def config_replace(request: HttpRequest, swarm: str, config: str, body: Value) -> Any:
    """Starts a job that makes a new one of this value and lets the services that use it use that."""
    row = get_of_swarm(request.user, Config, swarm, config, Right.CONFIGS_MANAGE)
    return 202, {"job": secret_versions.start_replace(request.user, row, _value(body)).pk}


@configs.post("/{swarm}/{config}/remove", response={200: dict, 202: Started})
@needs(Right.CONFIGS_MANAGE)
def config_remove(request: HttpRequest, swarm: str, config: str) -> Any:
    """Removes it; 409 names the services that use it."""
    soon(secrets.remove, request.user, get_of_swarm(request.user, Config, swarm, config, Right.CONFIGS_MANAGE))
    return {"done": "remove"}
