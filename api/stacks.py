"""Stacks over REST: what of a swarm bears the label com.docker.stack.namespace."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.rights import Right
from api.auth import needs
from api.lists import Many
from hosts import stacks
from hosts.actions.swarm import stacks as acts

router = Router(tags=["stacks"])


class Remove(Schema):
    """With `dry_run` nothing goes: the answer lists what would."""

    dry_run: bool = False


def show(stack: stacks.Stack) -> dict[str, Any]:
    """A stack as JSON, with what is in it."""

    def named(rows: list[Any]) -> list[dict[str, Any]]:
        return [{"id": row.engine_id, "name": row.name} for row in rows]

    return {
        "swarm": stack.swarm.name,
        "name": stack.name,
        "services": named(stack.services),
        "networks": named(stack.networks),
        "secrets": named(stack.secrets),
        "configs": named(stack.configs),
    }


@router.get("", response=Many)
@needs(Right.SERVICES_VIEW)
def stack_list(request: HttpRequest) -> Any:
    """All stacks, also those that have networks, secrets or configs alone; each with how many services and tasks it has."""
    found = [
        {
            "swarm": row["swarm__name"],
            "name": row["stack"],
            "services": row["count"],
            "running": row["running"],
            "desired": row["wanted"],
            "updating": row["moving"],
        }
        for row in stacks.names_of(request.user)
    ]
    return {"items": found, "count": len(found)}


@router.get("/{swarm}/{stack}", response=dict)
@needs(Right.SERVICES_VIEW)
def stack_get(request: HttpRequest, swarm: str, stack: str) -> Any:
    """One stack, with its services, networks, secrets and configs."""
    return show(stacks.get_stack(request.user, swarm, stack))


@router.post("/{swarm}/{stack}/remove", response={200: dict, 202: dict})
@needs(Right.SERVICES_MANAGE)
def stack_remove(request: HttpRequest, swarm: str, stack: str, body: Remove | None = None) -> Any:
    """Starts a job that removes all that is in it; with `dry_run` only lists that. Volumes stay."""
    found = stacks.get_stack(request.user, swarm, stack, Right.SERVICES_MANAGE)
    if (body or Remove()).dry_run:
        return 200, show(found)
    return 202, {"job": acts.start_remove(request.user, found).pk}
