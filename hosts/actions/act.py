"""How every act on an engine runs: the right first, then the engine, then the audit, whatever the outcome."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from typing import Any

from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.rights import Right, allows
from common.downloads import attachment
from common.errors import Conflict, Denied, DermagaError, Failure, PolicyRefused, QuotaExceeded
from hosts.access import Placed, may
from hosts.engine.calls import Call, ended_by
from hosts.engine.connect import client
from hosts.engine.errors import EngineError
from hosts.engine.targets import Target
from hosts.models import Backup, Container, Host, Swarm
from hosts.models.base import OnHost
from hosts.models.swarms import SwarmCorner, SwarmMirrored
from jobs.run import Cancelled, JobContext

Acted = Host | Swarm | SwarmMirrored | SwarmCorner | Backup | OnHost  # what an act is done to

_job: ContextVar[JobContext | None] = ContextVar("job", default=None)
_only_checks: ContextVar[bool] = ContextVar("only_checks", default=False)


class _Passed(BaseException):
    """An act whose checks have all passed would ask an engine now. No error: nobody but `checked` takes it."""


def checked(act: Callable[..., Any], *args: Any, **options: Any) -> None:
    """Runs an act up to where it would ask an engine. Raises what it raises until then; a refusal is recorded."""
    token = _only_checks.set(True)
    try:
        act(*args, **options)
    except _Passed:
        return
    finally:
        _only_checks.reset(token)
    raise RuntimeError(f"{act.__name__} asks no engine, or not through recorded")


def asks_now() -> None:
    """Where an act begins to ask: as far as `checked` goes."""
    if _only_checks.get():
        raise _Passed


def current_job() -> JobContext | None:
    """The job that an act which knows nothing of jobs runs in (`cancelled_with`)."""
    return _job.get()


@contextmanager
def cancelled_with(context: JobContext) -> Iterator[None]:
    """Acts in this block, which know nothing of jobs, end when the job is cancelled; they raise Cancelled then."""
    token = _job.set(context)
    try:
        with ended_by(context.on_cancel):
            yield
    finally:
        _job.reset(token)


def failure(error: EngineError) -> Failure:
    """An engine's error as one of ours."""
    return Failure(error.code, error.status, error.template, error.params, error.detail)


def target_of(container: Container) -> Target:
    """Where the engine layer finds a container, for calls that do not ask for the version first."""
    host = container.host
    return Target(host.endpoint(), container.engine_id, host.spoken_version, host.name)


def demand(actor: Any, right: Right, thing: Placed) -> None:
    """Raises Denied unless `actor` has `right` on `thing`: a host, a swarm, what is on either, or EVERYWHERE."""
    if not may(actor, right, thing):
        raise Denied


def demand_each(actor: Any, right: Right, things: Iterable[Placed]) -> None:
    """The same of several, be it none."""
    if not allows(actor, right) or not all(may(actor, right, thing) for thing in things):
        raise Denied


def demand_enabled(host: Host) -> None:
    """Raises Conflict for a host that nothing is asked of."""
    if not host.enabled:
        raise Conflict(gettext_noop("The host %(host)s is disabled. Enable it first."), {"host": host.name})


def host_at(thing: Host | OnHost) -> Host:
    """The host that an act on it is done on."""
    host: Host = thing if isinstance(thing, Host) else thing.host
    return host


@contextmanager
def recorded(
    actor: Any, right: Right, thing: Host | OnHost, action: str, target: str, *, detail: dict[str, Any] | None = None
) -> Iterator[None]:
    """Lets somebody with `right` act on a host, or on one thing of it alone; records the act as done, refused or failed.

    Raises Denied, Conflict (the host is disabled) and Failure (what the engine or the way to it said).
    """
    with recorded_at(actor, right, thing, action, target, detail=detail):
        demand_enabled(host_at(thing))
        asks_now()
        yield


@contextmanager
def recorded_at(
    actor: Any,
    right: Right,
    thing: Acted,
    action: str,
    target: str,
    *,
    detail: dict[str, Any] | None = None,
) -> Iterator[None]:
    """`recorded`, also of a swarm, what is in one, or a backup."""
    detail, place = detail or {}, _place(thing)
    try:
        demand(actor, right, thing)
        try:
            yield
        except EngineError as error:
            if job := _job.get():
                job.check_cancelled()  # what was cut off by us did not fail
            raise failure(error) from error
    except (Denied, Conflict, PolicyRefused, QuotaExceeded) as error:
        record(actor, action, target, host=place, outcome="refused", detail={**detail, "reason": error.code})
        raise
    except DermagaError as error:
        record(actor, action, target, host=place, outcome="failed", detail={**detail, "reason": error.code})
        raise
    except Cancelled:
        record(actor, action, target, host=place, outcome="cancelled", detail=detail)
        raise
    except Exception as error:  # a fault of ours: the engine may have done it all the same
        record(actor, action, target, host=place, outcome="failed", detail={**detail, "reason": type(error).__name__})
        raise
    record(actor, action, target, host=place, detail=detail)


def _place(thing: Acted) -> str:
    if isinstance(thing, Host | Swarm):
        return thing.name
    if isinstance(thing, SwarmMirrored | SwarmCorner):
        return thing.swarm.name
    return thing.host if isinstance(thing, Backup) else str(thing.host.name)


@contextmanager
def on_engine(
    actor: Any,
    right: Right,
    thing: Host | OnHost,
    action: str,
    target: str,
    *,
    timeout: float = 30,
    detail: dict[str, Any] | None = None,
) -> Iterator[Any]:
    """`recorded`, with a docker API client of the host."""
    job, host = _job.get(), host_at(thing)
    # in a job without asking for the version first: that cannot be cancelled
    version, on_cancel = (host.spoken_version, job.on_cancel) if job else (None, None)
    with (
        recorded(actor, right, thing, action, target, detail=detail),
        client(host.endpoint(), timeout=timeout, version=version, on_cancel=on_cancel) as api,
    ):
        yield api


# ---------------------------------------------------------------- what a cancelled job says
def may_go_on(context: JobContext, names: str) -> None:
    """Says of what was asked for, and not waited for, that the engine may do it all the same."""
    context.leaves(_("No answer came for %(names)s: the engine may do it all the same.") % {"names": names})


# ---------------------------------------------------------------- downloads
def streamed(blocks: AsyncGenerator[bytes], name: str) -> StreamingHttpResponse:
    """A download called `name`. Raises Failure when the first block does not come: before the headers go out an error
    is still an answer."""
    try:
        first = async_to_sync(_first)(blocks)
    except EngineError as error:
        raise failure(error) from error
    return file_response(_join(first, blocks), name)


def file_response(blocks: AsyncGenerator[bytes], name: str) -> StreamingHttpResponse:
    """The same, whatever comes: memory holds one block."""
    response = StreamingHttpResponse(blocks, content_type="application/octet-stream")
    response["Content-Disposition"] = attachment(name)
    response["X-Accel-Buffering"] = "no"
    return response


async def _first(blocks: AsyncGenerator[bytes]) -> bytes:
    return await anext(blocks, b"")


async def _join(first: bytes, blocks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(blocks):
        yield first
        async for block in blocks:
            yield block


# ---------------------------------------------------------------- in jobs
def host_of(context: JobContext, param: str = "host") -> Host:
    """The host that a job's parameters name. Raises Failure when it is gone."""
    host = Host.objects.filter(name=context.params[param]).first()
    if host is None:
        raise Failure("no_host", 404, gettext_noop("The host %(host)s is gone."), {"host": context.params[param]})
    return host


@contextmanager
def calling(context: JobContext, right: Right, thing: Host | OnHost, action: str, **detail: Any) -> Iterator[Call]:
    """`recorded`, with a call that ends when the job is cancelled; the act is that of who started the job."""
    with recorded(context.job.by, right, thing, action, context.job.target, detail=detail):
        with Call(host_at(thing).endpoint()) as call:
            context.on_cancel(call.end)
            try:
                yield call
            except EngineError:
                context.check_cancelled()  # what was cut off by us did not fail
                raise
