"""Mounts in their two texts: -v's source:target:options and --mount's type=...,source=...,target=..."""

import csv
import io
import re
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.kinds import read_bytes, read_switch, show_bytes, shown
from hosts.specs.spec import Mount

DRIVE = r"[A-Za-z]:[\\/][^:]*"
SHORT = re.compile(rf"(?:(?P<source>{DRIVE}|[^:]+):)?(?P<target>{DRIVE}|[^:]+?)(?::(?P<options>[^:]*))?")
PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
CONSISTENCIES = ("consistent", "cached", "delegated")
RECURSIONS = ("enabled", "disabled", "writable", "readonly")


def is_path(source: str) -> bool:
    """Whether a source names a place on the host and not a volume."""
    return source.startswith(("/", "\\\\", "//", ".", "~")) or bool(re.match(DRIVE, source))


def read_volume(field: str, text: str) -> Mount:
    """What -v takes: a path alone is an anonymous volume. Raises Invalid."""
    found = SHORT.fullmatch(text.strip())
    words = found["options"].split(",") if found and found["options"] else []
    if found and not found["source"] and words:
        found = None
    # with a source, "a:b" could be source and target or target and options: a target begins with a slash
    if found and found["options"] is None and found["source"] and not is_path(found["target"]):
        found = None
    if not found or not is_path(found["target"]):
        raise Invalid(
            field,
            gettext_noop(
                "%(field)s: “%(value)s” is no mount. Write volume:/path, /path/on/the/host:/path or "
                "volume:/path:ro; the path in the container begins with a slash."
            ),
            {"field": field, "value": shown(text)},
        )
    source = found["source"] or ""
    mount = Mount(found["target"], "bind" if is_path(source) else "volume", source)
    mount.create = mount.type == "bind"
    for word in words:
        _option(field, mount, word)
    return mount


def _option(field: str, mount: Mount, word: str) -> None:
    if word in {"ro", "rw"}:
        mount.read_only = word == "ro"
    elif word == "nocopy":
        mount.no_copy = True
    elif word in {"z", "Z"}:
        mount.selinux = word
    elif word in PROPAGATIONS:
        mount.propagation = word
    elif word in CONSISTENCIES:
        mount.consistency = word
    else:
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is no option of a mount."),
            {"field": field, "value": shown(word)},
        )


def is_short(mount: Mount) -> bool:
    """Whether -v says all that is in it."""
    plain = not (
        mount.driver
        or mount.driver_options
        or mount.labels
        or mount.subpath
        or mount.recursive
        or mount.size
        or mount.mode is not None
        or mount.options
    )
    if mount.type == "bind":
        return plain and mount.create and not mount.no_copy
    named = bool(mount.source) or not options_of(mount)
    return plain and mount.type == "volume" and named and not mount.propagation


def options_of(mount: Mount) -> str:
    """The third part of the short form."""
    words = [
        "ro" if mount.read_only else "",
        "nocopy" if mount.no_copy else "",
        mount.selinux,
        mount.propagation,
        mount.consistency,
    ]
    return ",".join(filter(None, words))


def show_volume(mount: Mount) -> str:
    """The short form, for one that is_short."""
    return ":".join(filter(None, [mount.source, mount.target, options_of(mount)]))


# ---------------------------------------------------------------- --mount
TYPES = ("volume", "bind", "tmpfs", "npipe", "cluster", "image")
NAMES = {  # of --mount -> of Mount, where it is a text
    "source": "source",
    "src": "source",
    "target": "target",
    "destination": "target",
    "dst": "target",
    "consistency": "consistency",
    "bind-propagation": "propagation",
    "bind-recursive": "recursive",
    "volume-driver": "driver",
    "volume-subpath": "subpath",
    "image-subpath": "subpath",
}


def read_mount(field: str, text: str) -> Mount:
    """What --mount takes, which is a line of CSV. Raises Invalid."""
    mount, kind = Mount(""), "volume"
    for part in next(csv.reader([text]), []):
        name, sign, value = part.partition("=")
        name = name.strip().lower()
        if name in NAMES:
            setattr(mount, NAMES[name], value)
        elif name == "type" and value in TYPES:
            kind = value
        elif name in {"readonly", "ro"}:
            mount.read_only = read_switch(field, value) if sign else True
        elif name == "volume-nocopy":
            mount.no_copy = read_switch(field, value) if sign else True
        elif name == "bind-nonrecursive":
            mount.recursive = "disabled" if not sign or read_switch(field, value) else ""
        elif name == "bind-create-src":
            mount.create = read_switch(field, value) if sign else True
        elif name in {"volume-opt", "volume-label"}:
            key, _, word = value.partition("=")
            (mount.driver_options if name == "volume-opt" else mount.labels)[key] = word
        elif name == "tmpfs-size":
            mount.size = read_bytes(field, value)
        elif name == "tmpfs-mode":
            mount.mode = read_mode(field, value)
        else:
            raise Invalid(
                field,
                gettext_noop("%(field)s: “%(value)s” is no part of a mount."),
                {"field": field, "value": shown(part)},
            )
    mount.type = kind  # type: ignore[assignment]  # one of TYPES
    return mount


def read_mode(field: str, text: str) -> int:
    """An octal mode: 1777."""
    if not re.fullmatch(r"(0o)?[0-7]{1,5}", text.strip()):
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is no mode. Write one like 1777."),
            {"field": field, "value": shown(text)},
        )
    return int(text.strip().removeprefix("0o"), 8)


def show_mount(mount: Mount) -> str:
    """The long form; create, selinux and a tmpfs' own options have no word in it."""
    words: list[str] = [f"type={mount.type}"]
    words += [f"source={mount.source}"] if mount.source else []
    words += [f"target={mount.target}"]
    words += ["readonly"] if mount.read_only else []
    words += [f"consistency={mount.consistency}"] if mount.consistency else []
    words += [f"bind-propagation={mount.propagation}"] if mount.propagation else []
    words += [f"bind-recursive={mount.recursive}"] if mount.recursive else []
    words += ["volume-nocopy"] if mount.no_copy else []
    words += [f"{'image' if mount.type == 'image' else 'volume'}-subpath={mount.subpath}"] if mount.subpath else []
    words += [f"volume-driver={mount.driver}"] if mount.driver else []
    words += [f"volume-opt={name}={value}" for name, value in mount.driver_options.items()]
    words += [f"volume-label={name}={value}" for name, value in mount.labels.items()]
    words += [f"tmpfs-size={show_bytes(mount.size)}"] if mount.size else []
    words += [f"tmpfs-mode={mount.mode:o}"] if mount.mode is not None else []
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


# ---------------------------------------------------------------- engine
def mount_body(mount: Mount) -> dict[str, Any]:
    """An entry of HostConfig.Mounts."""
    body: dict[str, Any] = {"Type": mount.type, "Target": mount.target}
    body |= {"Source": mount.source} if mount.source else {}
    body |= {"ReadOnly": True} if mount.read_only else {}
    body |= {"Consistency": mount.consistency} if mount.consistency else {}
    bind: dict[str, Any] = {"Propagation": mount.propagation} if mount.propagation else {}
    bind |= {"NonRecursive": True} if mount.recursive == "disabled" else {}
    bind |= {"ReadOnlyNonRecursive": True} if mount.recursive == "writable" else {}
    bind |= {"ReadOnlyForceRecursive": True} if mount.recursive == "readonly" else {}
    bind |= {"CreateMountpoint": True} if mount.create else {}
    volume: dict[str, Any] = {"NoCopy": True} if mount.no_copy else {}
    volume |= {"Labels": mount.labels} if mount.labels else {}
    volume |= {"Subpath": mount.subpath} if mount.subpath and mount.type == "volume" else {}
    if mount.driver or mount.driver_options:
        volume["DriverConfig"] = {"Name": mount.driver, "Options": mount.driver_options}
    tmpfs: dict[str, Any] = {"SizeBytes": mount.size} if mount.size else {}
    tmpfs |= {"Mode": mount.mode} if mount.mode is not None else {}
    tmpfs |= {"Options": [word.split("=", 1) for word in mount.options]} if mount.options else {}
    body |= {"BindOptions": bind} if bind else {}
    body |= {"VolumeOptions": volume} if volume else {}
    body |= {"TmpfsOptions": tmpfs} if tmpfs else {}
    body |= {"ImageOptions": {"Subpath": mount.subpath}} if mount.subpath and mount.type == "image" else {}
    return body


def mount_of_body(body: dict[str, Any]) -> Mount:
    """The opposite."""
    bind, volume, tmpfs = (body.get(f"{kind}Options") or {} for kind in ("Bind", "Volume", "Tmpfs"))
    image, driver = body.get("ImageOptions") or {}, volume.get("DriverConfig") or {}
    recursive = {"NonRecursive": "disabled", "ReadOnlyNonRecursive": "writable", "ReadOnlyForceRecursive": "readonly"}
    return Mount(
        target=body.get("Target") or "",
        type=body.get("Type") or "volume",
        source=body.get("Source") or "",
        read_only=bool(body.get("ReadOnly")),
        create=bool(bind.get("CreateMountpoint")),
        propagation=bind.get("Propagation") or "",
        recursive=next((word for name, word in recursive.items() if bind.get(name)), ""),
        consistency=body.get("Consistency") or "",
        no_copy=bool(volume.get("NoCopy")),
        subpath=volume.get("Subpath") or image.get("Subpath") or "",
        driver=driver.get("Name") or "",
        driver_options=driver.get("Options") or {},
        labels=volume.get("Labels") or {},
        size=tmpfs.get("SizeBytes") or 0,
        mode=tmpfs.get("Mode"),
        options=["=".join(words) for words in tmpfs.get("Options") or []],
    )
