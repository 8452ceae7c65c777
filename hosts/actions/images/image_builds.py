"""Building images: a Dockerfile that was typed with files beside it, a folder as a tar, or a Git repository.

A repository is fetched by the engine (docs/decisions/0006-builds.md).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common import uploads
from common.errors import Invalid
from hosts import logins, options
from hosts.actions.act import calling, demand, host_of
from hosts.engine import builds, contexts
from hosts.models import Host
from hosts.registry.froms import registries_of
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

BUILD_HOURS = 6
DOCKERFILE_AT_MOST = 256 * 1024  # characters
FILES_AT_MOST, LINES_AT_MOST, VALUE_AT_MOST = 100, 100, 8000
ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}")
TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
FILE = re.compile(r"[^/\0\\]{1,255}")


@dataclass(frozen=True)
class Wanted:
    """A build as it was asked for. `source` is dockerfile, tar or git; lines are NAME=VALUE each, or one name each."""

    source: str
    name: str
    dockerfile: str = ""  # its text, for `dockerfile`
    files: Sequence[Any] = field(default_factory=list)  # beside it, or the one tar
    remote: str = ""  # https://example.com/app.git#branch:folder
    path: str = "Dockerfile"  # of the Dockerfile in a tar or repository
    args: str = ""
    secret_args: str = ""
    labels: str = ""
    target: str = ""
    cache_from: str = ""
    no_cache: bool = False
    pull: bool = False
    login: bool = True  # with the default accounts of the registries that it takes images from, and those chosen:
    accounts: Sequence[str | int] = field(default_factory=list)


def start_build(actor: Any, host: Host, wanted: Wanted) -> Job:
    """Starts a job that builds it. Raises Invalid, which names the field."""
    demand(actor, Right.IMAGES_MANAGE)
    repo, tag = options.image_name("name", wanted.name)
    query = {
        "args": _pairs("args", wanted.args, ARGUMENT),
        "labels": _pairs("labels", wanted.labels, LABEL),
        "target": _word("target", wanted.target),
        "cache_from": _references(wanted.cache_from),
        "path": _path(wanted),
        "no_cache": wanted.no_cache,
        "pull": wanted.pull,
        "login": wanted.login,
        "accounts": logins.choose_some(actor, wanted.accounts) if wanted.login else [],
    }
    sealed: dict[str, Any] = {"args": _pairs("secret_args", wanted.secret_args, ARGUMENT)}
    files: list[list[str]] = []
    match wanted.source:
        case "dockerfile":
            sealed["dockerfile"] = _dockerfile(wanted.dockerfile)  # an ENV may be a password
            files = _kept(_beside(wanted.files))
        case "tar":
            files = _kept([("", _one(wanted.files))])
        case "git":
            sealed["remote"] = _remote(wanted.remote)  # it may hold a token
        case _:
            raise Invalid("source", gettext_noop("Build from a Dockerfile, a tar, or a Git repository."))
    return queue.start(
        actor,
        "image.build",
        host=host.name,
        target=f"{repo}:{tag}",
        params={"host": host.name, "source": wanted.source, "name": f"{repo}:{tag}", "files": files, **query},
        sealed=sealed,
        locks=[lock(host.name, "image", f"{repo}:{tag}")],
    )


# ---------------------------------------------------------------- what was typed
def _pairs(name: str, text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not pattern.fullmatch(key) or not equals or len(value) > VALUE_AT_MOST or "\0" in value:
            number = lines.index(line) + 1
            raise Invalid(name, gettext_noop("Write NAME=value on line %(n)s, one a line."), {"n": number})
        found[key] = value
    if len(lines) > LINES_AT_MOST:
        raise Invalid(name, gettext_noop("At most %(most)s lines."), {"most": LINES_AT_MOST})
    return found


def _word(name: str, text: str) -> str:
    if text.strip() and not TARGET.fullmatch(text.strip()):
        raise Invalid(name, gettext_noop("This is no name of a stage: letters, digits, dots, dashes and underscores."))
    return text.strip()


def _references(text: str) -> list[str]:
    names = text.split()
    for name in names:
        if not options.REFERENCE.fullmatch(name) or len(names) > LINES_AT_MOST:
            raise Invalid("cache_from", gettext_noop("Write names of images, one a line: team/app:latest."))
    return names


def _path(wanted: Wanted) -> str:
    path = wanted.path.strip() or "Dockerfile"
    if wanted.source == "dockerfile":
        return "Dockerfile"
    if path.startswith("/") or ".." in path.split("/") or not path.isprintable() or len(path) > 500:
        raise Invalid("path", gettext_noop("Write the Dockerfile's path inside the folder: docker/Dockerfile."))
    return path


def _dockerfile(text: str) -> str:
    if not text.strip() or len(text) > DOCKERFILE_AT_MOST or "\0" in text:
        raise Invalid(
            "dockerfile",
            gettext_noop("Write a Dockerfile of at most %(most)s characters."),
            {"most": DOCKERFILE_AT_MOST},
        )
    return text.replace("\r\n", "\n")


def _beside(files: Sequence[Any]) -> list[tuple[str, Any]]:
    named = [(str(file.name), file) for file in files if file]
    if len(named) > FILES_AT_MOST:
        raise Invalid("files", gettext_noop("At most %(most)s files: send a tar instead."), {"most": FILES_AT_MOST})
    for name, _file in named:
        if not FILE.fullmatch(name) or name in {".", "..", "Dockerfile"}:
            raise Invalid("files", gettext_noop("A file cannot be called %(name)s here."), {"name": name[:100]})
    return named


def _one(files: Sequence[Any]) -> Any:
    found = [file for file in files if file]
    if len(found) != 1:
        raise Invalid("files", gettext_noop("Choose one file: a tar, or tar.gz, of the folder to build from."))
    return found[0]


def _kept(files: list[tuple[str, Any]]) -> list[list[str]]:
    return [[name, uploads.keep(file)] for name, file in files]


def _remote(text: str) -> str:
    remote = text.strip()
    try:
        parts = urlsplit(remote)
        named = bool(parts.hostname) and parts.scheme in {"http", "https"} and parts.path.endswith(".git")
    except ValueError:
        named = False
    if not named or len(remote) > 1000 or not remote.isprintable() or " " in remote:
        raise Invalid(
            "remote", gettext_noop("Write the repository's address like https://example.com/app.git#branch:folder.")
        )
    return remote


# ---------------------------------------------------------------- in a worker
def run_build(context: JobContext) -> dict[str, Any]:
    """Runs in a worker; the files that were sent are dropped whatever becomes of it."""
    host, params, sealed = host_of(context), context.params, context.sealed
    remote = sealed.get("remote", "")
    context.hide(*sealed["args"].values(), *filter(None, [remote and urlsplit(remote).password]))
    try:
        with calling(context, Right.IMAGES_MANAGE, host, "image.build") as call:
            headers, users = _logins(context)
            output = builds.Output(context.log, lambda share, step: context.progress(share, step), users)
            blocks, version = None if remote else _sent(context, _blocks(context)), host.spoken_version
            image = builds.build(call, _query(params, sealed), blocks, output, version=version, headers=headers)
    except Cancelled:
        context.leaves(_("Steps that were built stay on the host as cache until images are pruned."))
        raise
    finally:
        for _name, key in params["files"]:
            uploads.drop(key)
    return {"image": params["name"], "id": image}


def _logins(context: JobContext) -> tuple[dict[str, str], dict[str, str]]:
    """The header with the accounts that the Dockerfile needs, as far as it tells, and who logs in by registry."""
    params = context.params
    if not params.get("login", True):
        return {}, {}
    args = params["args"] | context.sealed["args"]
    text = _dockerfile_of(context)
    needed = registries_of(text, args) if text is not None else None
    return logins.open_some(context, needed, params.get("accounts", []), defaults=True)


def _dockerfile_of(context: JobContext) -> str | None:
    """Its text; None for that of a repository, which the engine fetches."""
    match context.params["source"]:
        case "dockerfile":
            return str(context.sealed["dockerfile"])
        case "tar":
            _name, key = context.params["files"][0]
            return contexts.text_of(uploads.place_of(key), context.params["path"])
    return None


def _query(params: dict[str, Any], sealed: dict[str, Any]) -> list[tuple[str, str]]:
    query = {
        "t": params["name"],
        "dockerfile": params["path"],
        "buildargs": json.dumps(params["args"] | sealed["args"]),
        "labels": json.dumps(params["labels"]),
        "target": params["target"],
        "cachefrom": json.dumps(params["cache_from"]) if params["cache_from"] else "",
        "nocache": "1" if params["no_cache"] else "",
        "pull": "1" if params["pull"] else "",
        "remote": sealed.get("remote", ""),
        "rm": "1",
        "forcerm": "1",  # also when it fails or is cancelled
    }
    return [(name, value) for name, value in query.items() if value]


def _blocks(context: JobContext) -> Iterator[bytes]:
    files = [(name, uploads.place_of(key)) for name, key in context.params["files"]]
    if context.params["source"] == "tar":
        return contexts.of_tar(files[0][1], context.params["path"])
    return contexts.of_files([("Dockerfile", context.sealed["dockerfile"].encode()), *files], "Dockerfile")


def _sent(context: JobContext, blocks: Iterator[bytes]) -> Iterator[bytes]:
    sent = 0
    for block in blocks:
        yield block
        sent += len(block)
        context.progress(0, _("%(n)s KiB of files sent") % {"n": sent // 1024})
