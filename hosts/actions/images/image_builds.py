"""Building images: a Dockerfile that was typed with files beside it, a folder as a tar, or a Git repository.

A repository is fetched by the engine (docs/decisions/0006-builds.md).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common import uploads
from common.errors import Invalid, NotFound
from hosts import build_options, build_remotes, logins, options
from hosts.access import get_container
from hosts.actions import policing
from hosts.actions.act import calling, demand, host_of
from hosts.actions.asking import Asking
from hosts.engine import builds, contexts
from hosts.engine.errors import OtherPlatform
from hosts.models import Host
from hosts.registry.froms import registries_of
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

BUILD_HOURS = 6


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
    platform: str = ""  # linux/arm64
    network: str = ""  # of RUN steps: none, host, container:NAME, or a network's name
    extra_hosts: str = ""  # name:address lines
    shm_size: str = ""  # 256m
    no_cache: bool = False
    pull: bool = False
    login: bool = True  # with the default accounts of the registries that it takes images from, and those chosen:
    accounts: Sequence[str | int] = field(default_factory=list)


def start_build(actor: Any, host: Host, wanted: Wanted) -> Job:
    """Starts a job that builds it. Raises Invalid, which names the field."""
    demand(actor, Right.IMAGES_MANAGE, host)
    repo, tag = options.image_name("name", wanted.name)
    query = {
        "args": build_options.pairs("args", wanted.args, build_options.ARGUMENT),
        "labels": build_options.pairs("labels", wanted.labels, build_options.LABEL),
        "target": build_options.stage(wanted.target),
        "cache_from": build_options.references(wanted.cache_from),
        "path": "Dockerfile" if wanted.source == "dockerfile" else build_options.path(wanted.path),
        "platform": options.platform("platform", wanted.platform),
        "network": _network(actor, host, wanted.network),
        "extra_hosts": build_options.extra_hosts(wanted.extra_hosts),
        "shm_size": build_options.shm_size(wanted.shm_size),
        "no_cache": wanted.no_cache,
        "pull": wanted.pull,
        "login": wanted.login,
        "accounts": logins.choose_some(actor, wanted.accounts) if wanted.login else [],
    }
    allowed = policing.build_check(actor, host, [("networkmode", str(query["network"]))])
    policing.allow_now(actor, host, "image.build", f"{repo}:{tag}", allowed)
    sealed: dict[str, Any] = {"args": build_options.pairs("secret_args", wanted.secret_args, build_options.ARGUMENT)}
    files: list[list[str]] = []
    match wanted.source:
        case "dockerfile":
            sealed["dockerfile"] = build_options.dockerfile(wanted.dockerfile)  # an ENV may be a password
            files = _kept(build_options.beside(wanted.files))
        case "tar":
            files = _kept([("", build_options.one_tar(wanted.files))])
        case "git":
            sealed["remote"] = build_options.remote(wanted.remote)  # it may hold a token
            build_remotes.demand_outside(actor, host, sealed["remote"])
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


def _network(actor: Any, host: Host, text: str) -> str:
    """Nobody builds inside a container that is hidden from them."""
    network = build_options.network(text)
    _word, inside, container = network.partition(":")
    if inside:
        try:
            get_container(actor, host.name, container)
        except NotFound as error:
            template = gettext_noop("%(host)s has no container %(name)s.")
            raise Invalid("network", template, {"host": host.name, "name": container}) from error
    return network


def _kept(files: list[tuple[str, Any]]) -> list[list[str]]:
    return [[name, uploads.keep(file)] for name, file in files]


# ---------------------------------------------------------------- in a worker
def run_build(context: JobContext) -> dict[str, Any]:
    """Runs in a worker; the files that were sent are dropped whatever becomes of it."""
    host, params, sealed = host_of(context), context.params, context.sealed
    remote = sealed.get("remote", "")
    context.hide(*sealed["args"].values(), *filter(None, [remote and urlsplit(remote).password]))
    try:
        with calling(context, Right.IMAGES_MANAGE, host, "image.build") as call:
            if remote:
                build_remotes.demand_outside(context.job.by, host, remote)
            allowed = policing.build_check(context.job.by, host, _query(params, sealed), Asking(host, context))
            policing.allow(context.job.by, [host], allowed)
            headers, users = _logins(context)
            output = builds.Output(context.log, lambda share, step: context.progress(share, step), users)
            blocks, version = None if remote else _sent(context, _blocks(context)), host.spoken_version
            with _telling_the_platform(context, host):
                image = builds.build(call, _query(params, sealed), blocks, output, version=version, headers=headers)
    except Cancelled:
        context.leaves(_("Steps that were built stay on the host as cache until images are pruned."))
        raise
    finally:
        for _name, key in params["files"]:
            uploads.drop(key)
    return {"image": params["name"], "id": image}


@contextmanager
def _telling_the_platform(context: JobContext, host: Host) -> Iterator[None]:
    try:
        yield
    except OtherPlatform as error:
        words = {"name": context.params["name"], "host": host.name, "platform": error.params["found"]}
        context.leaves(_("%(name)s for %(platform)s is on %(host)s now.") % words)
        raise


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
        "platform": params.get("platform", ""),
        "networkmode": params.get("network", ""),
        "shmsize": str(params.get("shm_size") or ""),
        "remote": sealed.get("remote", ""),
        "rm": "1",
        "forcerm": "1",  # also when it fails or is cancelled
    }
    hosts = [("extrahosts", entry) for entry in params.get("extra_hosts", [])]
    return [(name, value) for name, value in query.items() if value] + hosts


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
