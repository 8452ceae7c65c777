"""Networks."""

from datetime import datetime
from typing import Any, TypedDict

from hosts.engine.parse.values import NAME_AT_MOST, at, dicts_of, items_of, labels_of, text, time_of


class NetworkRow(TypedDict):
    """The values of hosts.models.Network."""

    engine_id: str
    name: str
    driver: str
    scope: str
    internal: bool
    created: datetime | None
    labels: dict[str, str]
    # {"subnets": [...], "pools": [{"subnet", "range", "gateway", "aux": {name: address}}], "ipam": its driver,
    # "ipam_options": {}, "options": {}, "ipv6": bool, "attachable": bool, "ingress": bool}
    data: dict[str, Any]


def network_row(raw: Any) -> NetworkRow | None:
    """An entry of /networks; None when it has neither id nor name."""
    if not isinstance(raw, dict) or not (text(raw.get("Id")) or text(raw.get("Name"))):
        return None
    pools = [_pool(pool) for pool in dicts_of(at(raw, "IPAM", "Config"))][:20]
    return {
        "engine_id": text(raw.get("Id"), 100) or text(raw.get("Name"), 100),
        "name": text(raw.get("Name"), NAME_AT_MOST),
        "driver": text(raw.get("Driver"), 100),
        "scope": text(raw.get("Scope"), 20),
        "internal": bool(raw.get("Internal")),
        "created": time_of(raw.get("Created")),
        "labels": labels_of(raw.get("Labels")),
        "data": {
            "subnets": [pool["subnet"] for pool in pools if pool["subnet"]],
            "pools": pools,
            "ipam": text(at(raw, "IPAM", "Driver"), 100),
            "ipam_options": labels_of(at(raw, "IPAM", "Options")),
            "options": labels_of(raw.get("Options")),
            "ipv6": bool(raw.get("EnableIPv6")),
            "attachable": bool(raw.get("Attachable")),
            "ingress": bool(raw.get("Ingress")),
            "config_only": bool(raw.get("ConfigOnly")),
            "config_from": text(at(raw, "ConfigFrom", "Network"), NAME_AT_MOST),
        },
    }


def _pool(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "subnet": text(raw.get("Subnet"), 64),
        "range": text(raw.get("IPRange"), 64),
        "gateway": text(raw.get("Gateway"), 64),
        "aux": dict(
            sorted((text(n, NAME_AT_MOST), text(a, 64)) for n, a in items_of(raw.get("AuxiliaryAddresses")))[:50]
        ),
    }
