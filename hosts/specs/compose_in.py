"""A specification from a compose service: the short and the long forms of the compose specification."""

import shlex
from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs import compose_parts as parts
from hosts.specs import interpolate, yaml_text
from hosts.specs.compose_out import OWN
from hosts.specs.fields import FIELDS, put
from hosts.specs.kinds import read_span, shown
from hosts.specs.run_flags import read_restart
from hosts.specs.run_line import Read
from hosts.specs.spec import PULLS, ContainerSpec, Network

# of the specification, and without a meaning for one container alone
SAID = {
    "depends_on", "profiles", "develop", "scale", "attach", "build", "provider", "credential_spec", "post_start",
    "pre_stop", "label_file", "models", "use_api_socket",
}  # fmt: skip
REFUSED = {
    "env_file": gettext_noop("env_file: such a file is not here. Paste its lines into environment."),
    "extends": gettext_noop("extends: the other service is not here. Paste what it says."),
    "secrets": gettext_noop("secrets: they are files of a project. Mount a volume, or use a stack."),
    "configs": gettext_noop("configs: they are files of a project. Mount a volume, or use a stack."),
}
DOCUMENT = {"services", "volumes", "networks", "version", "name", "configs", "secrets", "include", "models"}


def from_compose(text: str, service: str = "") -> Read:
    """A whole file (`service` names one of several), or a service's body alone. Raises Invalid that names the key."""
    document = yaml_text.read(text)
    name, body, outside = service_of(document, service)
    body = interpolate.put_in(body)
    reader = _Reader(interpolate.put_in(outside))
    for key, value in body.items():
        reader.take(str(key), value)
    spec = reader.spec
    if not spec.image:
        raise Invalid(
            "image", gettext_noop("The service %(name)s has no image; here nothing is built."), {"name": name}
        )
    return Read(spec, reader.notes)


def service_of(document: Any, wanted: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """(name, body, the document around it; empty for a service's body alone). Raises Invalid."""
    if not isinstance(document, dict) or not document:
        raise Invalid("compose", gettext_noop("This is no compose file: it has no keys."))
    if "services" not in document:
        if "image" in document:
            return "app", document, {}
        document = {"services": document}
    for key in document:
        if key not in DOCUMENT and not str(key).startswith("x-"):
            raise Invalid("compose", gettext_noop("A compose file has no key %(key)s."), {"key": shown(key)})
    services = document["services"]
    if not isinstance(services, dict) or not services:
        raise Invalid("compose", gettext_noop("services: it names no service."))
    if not wanted and len(services) > 1:
        raise Invalid(
            "service",
            gettext_noop("The file has several services: %(names)s. Say which one."),
            {"names": ", ".join(str(name) for name in services)[:300]},
        )
    name = wanted or str(next(iter(services)))
    body = services.get(name)
    if not isinstance(body, dict):
        raise Invalid("service", gettext_noop("The file has no service %(name)s."), {"name": shown(name)})
    return name, body, document


class _Reader:
    """Takes one key of the service after the other."""

    def __init__(self, outside: dict[str, Any]) -> None:
        self.spec = ContainerSpec()
        self.notes: list[str] = []
        self.outside = outside
        self._own: dict[str, Callable[[Any], None]] = {
            "image": self._text("image"),
            "container_name": self._text("name"),
            "platform": self._text("platform"),
            "mac_address": self._text("mac_address"),
            "pull_policy": self._pull,
            "command": lambda value: setattr(self.spec, "command", command_words("command", value)),
            "entrypoint": lambda value: setattr(self.spec, "entrypoint", command_words("entrypoint", value)),
            "environment": lambda value: setattr(self.spec, "env", parts.environment(value)),
            "ports": lambda value: setattr(self.spec, "ports", parts.ports(value)),
            "expose": lambda value: setattr(self.spec, "expose", parts.expose(value)),
            "restart": lambda value: setattr(
                self.spec, "restart", read_restart("restart", parts.word("restart", value))
            ),
            "stop_grace_period": self._stop,
            "healthcheck": lambda value: setattr(self.spec, "health", parts.health(value)),
            "network_mode": self._mode,
            "networks": lambda value: setattr(self.spec, "networks", parts.networks(value, self.outside)),
            "volumes": lambda value: setattr(self.spec, "mounts", parts.mounts(value, self.outside)),
            "ulimits": lambda value: setattr(self.spec, "ulimits", parts.ulimits(value)),
            "devices": lambda value: setattr(self.spec, "devices", parts.devices(value)),
            "gpus": lambda value: self.spec.device_requests.extend(parts.gpus(value)),
            "blkio_config": self._blkio,
            "deploy": self._deploy,
            OWN: self._ours,
        }
        self._plain = {entry.compose: entry for entry in FIELDS if entry.compose and "." not in entry.compose}

    def take(self, key: str, value: Any) -> None:
        """One key. Raises Invalid."""
        if key in REFUSED:
            raise Invalid("compose", REFUSED[key])
        if key in SAID or (value is None and (key in self._own or key in self._plain)):
            if key in SAID:
                self.notes.append(_("%(key)s means nothing for one container: it is left out.") % {"key": key})
        elif key in self._own:
            self._own[key](value)
        elif key in self._plain:
            entry = self._plain[key]
            put(self.spec, entry.name, parts.plain(key, value, entry.kind))
        elif key == "logging":
            for entry in (entry for entry in FIELDS if entry.compose.startswith("logging.")):
                part = parts.mapping(key, value, {"driver", "options"}).get(entry.compose.partition(".")[2])
                if part is not None:
                    put(self.spec, entry.name, parts.plain(entry.compose, part, entry.kind))
        elif key == "links":
            self.spec.links += parts.words(key, value)
            self.notes.append(_("links are read as names of containers, not of services."))
        elif not key.startswith("x-"):
            raise Invalid("compose", gettext_noop("A service of compose has no key %(key)s."), {"key": shown(key)})

    def _text(self, name: str) -> Callable[[Any], None]:
        return lambda value: setattr(self.spec, name, parts.word(name, value))

    def _pull(self, value: Any) -> None:
        policy = {"if_not_present": "missing"}.get(parts.word("pull_policy", value), str(value))
        if policy not in PULLS:
            raise Invalid(
                "compose",
                gettext_noop("pull_policy: “%(value)s” is none of missing, always, never."),
                {"value": shown(value)},
            )
        self.spec.pull = policy  # type: ignore[assignment]

    def _stop(self, value: Any) -> None:
        self.spec.stop_timeout = round(read_span("stop_grace_period", parts.word("stop_grace_period", value)))

    def _mode(self, value: Any) -> None:
        mode = parts.word("network_mode", value)
        if mode.startswith("service:"):
            raise Invalid(
                "compose", gettext_noop("network_mode: the service is not known here. Write container:NAME instead.")
            )
        if mode == "bridge":
            self.spec.networks = [Network("bridge")]
        else:
            self.spec.network_mode = mode

    def _blkio(self, value: Any) -> None:
        parts.blkio(value, self.spec.limits)

    def _deploy(self, value: Any) -> None:
        left = parts.deploy(value, self.spec)
        if left:
            self.notes.append(
                _("%(keys)s of deploy: without a meaning for one container.") % {"keys": ", ".join(sorted(left))[:200]}
            )

    def _ours(self, value: Any) -> None:
        told = parts.mapping(OWN, value)
        known = {entry.name: entry for entry in FIELDS if not entry.compose}
        for name, word in told.items():
            if name == "network_links":
                links = parts.mapping(name, word)
                for network in self.spec.networks:
                    network.links = parts.words(name, links.get(network.name) or [])
            elif name in known:
                put(self.spec, name, parts.plain(name, word, known[name].kind))
            else:
                raise Invalid("compose", gettext_noop("x-dermaga has no key %(key)s."), {"key": shown(name)})


def command_words(field: str, value: Any) -> list[str]:
    """A list as it is; a text is split as a shell splits it."""
    if isinstance(value, list):
        return parts.words(field, value)
    try:
        return shlex.split(parts.word(field, value))
    except ValueError as error:
        raise Invalid(
            "compose", gettext_noop("%(field)s: a quote is opened and not closed."), {"field": field}
        ) from error


def names_of_services(text: str) -> Iterator[str]:
    """The services of a file, for a choice."""
    document = yaml_text.read(text)
    services = document.get("services") if isinstance(document, dict) else None
    yield from (str(name) for name in services) if isinstance(services, dict) else ()
