"""Plugins, and the privileges that one asks for."""

from typing import Any, TypedDict

from hosts.engine.parse.values import ENTRIES_AT_MOST, LABEL_AT_MOST, NAME_AT_MOST, at, dicts_of, list_of, text, whole


class PluginRow(TypedDict):
    """The values of hosts.models.Plugin. Values of its environment are left out: they may be passwords."""

    engine_id: str
    name: str
    reference: str
    enabled: bool
    kind: str
    description: str
    data: dict[str, Any]  # see plugin_row


def plugin_row(raw: Any) -> PluginRow | None:
    """An entry of /plugins; None when it has neither id nor name.

    `data`: types, documentation, entrypoint (lists of words), user, network, host_namespaces, capabilities,
    all_devices, and what can be set: env [{"name", "description", "settable", "set"}], args {..., "value"},
    mounts [{..., "source", "target"}], devices [{..., "path"}].
    """
    if not isinstance(raw, dict) or not (text(raw.get("Id")) and text(raw.get("Name"))):
        return None
    types = [
        text(kind, 100) if isinstance(kind, str) else _type(kind)
        for kind in list_of(at(raw, "Config", "Interface", "Types"))
    ]
    return {
        "engine_id": text(raw["Id"], 100),
        "name": text(raw["Name"], NAME_AT_MOST),
        "reference": text(raw.get("PluginReference"), 500),
        "enabled": raw.get("Enabled") is True,
        "kind": next((kind for kind in types if kind), ""),
        "description": text(at(raw, "Config", "Description")),
        "data": _plugin_data(raw, types),
    }


def _type(kind: Any) -> str:
    prefix, capability, version = (text(at(kind, key), 60) for key in ("Prefix", "Capability", "Version"))
    return f"{prefix}.{capability}/{version}"[:100] if capability else ""


def _plugin_data(raw: dict[str, Any], types: list[str]) -> dict[str, Any]:
    config = at(raw, "Config")
    namespaces = [name for name, key in (("ipc", "IpcHost"), ("pid", "PidHost")) if at(config, key) is True]
    known = {text(entry, LABEL_AT_MOST).partition("=")[0] for entry in list_of(at(raw, "Settings", "Env"))}
    args = [text(word, 500) for word in list_of(at(raw, "Settings", "Args"))][:ENTRIES_AT_MOST]
    return {
        "types": types[:20],
        "documentation": text(at(config, "Documentation"), 1000),
        "entrypoint": [text(word, 500) for word in list_of(at(config, "Entrypoint"))][:ENTRIES_AT_MOST],
        "user": ":".join(str(whole(at(config, "User", key))) for key in ("UID", "GID")),
        "network": text(at(config, "Network", "Type"), 100),
        "host_namespaces": namespaces,
        "capabilities": sorted(text(name, 60) for name in list_of(at(config, "Linux", "Capabilities")))[:100],
        "all_devices": at(config, "Linux", "AllowAllDevices") is True,
        "env": [_setting(entry) | {"set": text(entry.get("Name"), 255) in known} for entry in _settings(config, "Env")],
        "args": _setting(at(config, "Args") or {}) | {"value": args},
        "mounts": [
            _setting(entry)
            | {"source": text(entry.get("Source"), 1000), "target": text(entry.get("Destination"), 1000)}
            for entry in dicts_of(at(raw, "Settings", "Mounts"))
        ][:ENTRIES_AT_MOST],
        "devices": [
            _setting(entry) | {"path": text(entry.get("Path"), 1000)}
            for entry in dicts_of(at(raw, "Settings", "Devices"))
        ][:ENTRIES_AT_MOST],
    }


def _settings(config: Any, key: str) -> list[dict[str, Any]]:
    return list(dicts_of(at(config, key)))[:ENTRIES_AT_MOST]


def _setting(entry: Any) -> dict[str, Any]:
    return {
        "name": text(at(entry, "Name"), NAME_AT_MOST),
        "description": text(at(entry, "Description"), 1000),
        "settable": [text(what, 40) for what in list_of(at(entry, "Settable"))][:10],
    }


def privileges_of(answer: Any) -> list[dict[str, Any]]:
    """/plugins/privileges as [{"name", "description", "value": [...]}]."""
    return [
        {
            "name": text(entry.get("Name"), 100),
            "description": text(entry.get("Description"), 1000),
            "value": sorted(text(value, 1000) for value in list_of(entry.get("Value")))[:ENTRIES_AT_MOST],
        }
        for entry in dicts_of(answer)
    ][:ENTRIES_AT_MOST]
