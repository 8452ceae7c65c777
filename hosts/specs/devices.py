"""Devices, GPUs, ulimits and rates of block devices in the text of a command line."""

import csv
import io
import re

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.kinds import read_bytes, read_whole, show_bytes, shown
from hosts.specs.spec import Device, DeviceRequest, Rate, Ulimit


def read_ulimit(field: str, text: str) -> Ulimit:
    """name=soft:hard, or name=both."""
    found = re.fullmatch(r"([a-z]+)=(-1|[0-9]{1,18})(?::(-1|[0-9]{1,18}))?", text.strip())
    if not found:
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is no limit. Write one like nofile=1024:2048."),
            {"field": field, "value": shown(text)},
        )
    return Ulimit(found[1], int(found[2]), int(found[3] or found[2]))


def show_ulimit(limit: Ulimit) -> str:
    """The opposite."""
    return f"{limit.name}={limit.soft}" + (f":{limit.hard}" if limit.hard != limit.soft else "")


def read_device(field: str, text: str) -> Device:
    """host[:container][:permissions], or the name of a CDI device."""
    word = text.strip()
    if "=" in word and not word.startswith("/"):
        return Device(word)
    parts = word.split(":")
    mode = parts.pop() if len(parts) > 1 and re.fullmatch(r"[rwm]{1,3}", parts[-1]) else ""
    if not 1 <= len(parts) <= 2 or not all(part.startswith("/") for part in parts):
        raise Invalid(
            field,
            gettext_noop(
                "%(field)s: “%(value)s” is no device. Write /dev/sda, /dev/sda:/dev/xvda or /dev/sda:/dev/xvda:r."
            ),
            {"field": field, "value": shown(text)},
        )
    inside = parts[1] if len(parts) == 2 and parts[1] != parts[0] else ""
    return Device(parts[0], inside, "" if set(mode) == set("rwm") else mode)


def show_device(device: Device) -> str:
    """The opposite."""
    return ":".join(filter(None, [device.host, device.container, device.permissions]))


def read_gpus(field: str, text: str) -> DeviceRequest:
    """What --gpus takes: all, a number, or CSV: device=0,driver=nvidia,"capabilities=compute,utility"."""
    request, capabilities = DeviceRequest(), ["gpu"]
    for part in next(csv.reader([text]), []):
        name, sign, value = part.partition("=")
        if not sign:
            name, value = "count", part
        if name == "count":
            request.count = -1 if value == "all" else read_whole(field, value)
        elif name == "driver":
            request.driver = value
        elif name == "device":
            request.ids = value.split(",")
        elif name == "capabilities":
            capabilities = value.split(",") if "gpu" in value.split(",") else [*value.split(","), "gpu"]
        elif name == "options":
            request.options |= {word.partition("=")[0]: word.partition("=")[2] for word in value.split(",")}
        else:
            raise Invalid(
                field,
                gettext_noop("%(field)s: “%(value)s” is no part of a request for GPUs."),
                {"field": field, "value": shown(part)},
            )
    if not request.count and not request.ids:
        request.count = 1
    request.capabilities = [capabilities]
    return request


def is_gpus(request: DeviceRequest) -> bool:
    """Whether --gpus says all that is in it."""
    return len(request.capabilities) == 1 and "gpu" in request.capabilities[0] and bool(request.count or request.ids)


def show_gpus(request: DeviceRequest) -> str:
    """The opposite, for one that is_gpus."""
    words = [f"device={','.join(request.ids)}"] if request.ids else []
    if request.count:
        words.append("all" if request.count == -1 else f"count={request.count}")
    words += [f"driver={request.driver}"] if request.driver else []
    if request.capabilities != [["gpu"]]:
        words.append(f"capabilities={','.join(request.capabilities[0])}")
    if request.options:
        words.append("options=" + ",".join(f"{name}={value}" for name, value in request.options.items()))
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


def read_rate(field: str, text: str, *, weight: bool = False) -> Rate:
    """/dev/sda:10m, or with `weight` /dev/sda:500."""
    path, _, rate = text.strip().rpartition(":")
    if not path.startswith("/"):
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is no device and rate. Write /dev/sda:10m."),
            {"field": field, "value": shown(text)},
        )
    return Rate(path, read_whole(field, rate) if weight else read_bytes(field, rate))


def show_rate(rate: Rate, *, plain: bool = False) -> str:
    """The opposite; `plain`: a number and not a size."""
    return f"{rate.path}:{rate.rate if plain else show_bytes(rate.rate)}"
