"""A swarm of one host that two teams share, as rows, and nils of the team north, who asks over REST."""

import json
from typing import Any

from django.test import Client

from accounts.models import User
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Host, Node, Swarm
from tests.rivals import OURS, THEIRS
from tests.shared_swarm import a_fleet

IMAGE = "example.org/app"


def network_json(name: str, team: str) -> dict[str, Any]:
    labels = {"dermaga.team": team} if team else {}
    return {"Id": f"{name:e<25}", "Name": name, "Driver": "overlay", "Scope": "swarm", "Labels": labels}


def a_swarm_of_teams(settings: Any) -> Swarm:
    """All of its nodes are hosts; each team, and nobody, has a service, a secret, a config, a network and a volume."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    swarm = a_fleet()
    Node.objects.exclude(engine_id=swarm.members.get().node_id).delete()
    dock = Host.objects.get()
    for name, team in ((OURS, "north"), (THEIRS, "south"), ("nobodys", "")):
        labels = {"dermaga.team": team} if team else {}
        apply.apply_rows(dock, "network", [parse.network_row(network_json(f"{name}-net", team))], only={name})
        volume = {"Name": f"{name}-data", "Driver": "local", "Labels": labels}
        apply.apply_rows(dock, "volume", [parse.volume_row(volume)], only={name})
    return swarm


class Nils:
    """Who asks."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    def of(cls, client: Client) -> "Nils":
        """Logged in."""
        client.force_login(User.objects.get(username="nils"))
        return cls(client)

    def asks(self, path: str, method: str = "post", **body: Any) -> Any:
        """The answer's JSON with its status."""
        send = getattr(self._client, method)
        answer = send(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
        return answer.json() | {"status": answer.status_code}

    def makes(self, **spec: Any) -> Any:
        """A service."""
        return self.asks("services/fleet", **{"name": "new", "image": IMAGE} | spec)
