"""/metrics for Prometheus: hosts, containers, jobs, streams, lags and drops, as far as the token's user may see them.
From tables alone: no engine is asked. docs/metrics.md lists the families."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right, allows
from api.exposition import CONTENT_TYPE, Exposition
from hosts.access import EVERYWHERE, may
from hosts.models import Container, Host, Process, StatsRound
from jobs.models import Job, JobState

SILENT = timedelta(seconds=30)  # a process that has not reported for longer has no open streams, or is dead
CONTAINER_STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")


@guard(Right.HOSTS_VIEW, by_token=True)
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in Prometheus' text format."""
    exposition, now = Exposition(), timezone.now()
    for add in (add_hosts, add_containers, add_jobs, add_streams):
        add(exposition, request.user, now)
    return HttpResponse(str(exposition), content_type=CONTENT_TYPE)


def _age(now: datetime, then: datetime | None) -> float | None:
    return max(0.0, round((now - then).total_seconds(), 3)) if then else None


# ---------------------------------------------------------------- hosts
def add_hosts(out: Exposition, user: Any, now: datetime) -> None:
    """States, ages of what is known, sizes and use."""
    figures = allows(user, Right.STATS_VIEW)
    for host in Host.objects.visible_to(user).defer("tls_ca", "tls_cert", "tls_key", "ssh_key", "ssh_known_hosts"):
        name = host.name
        out.gauge("host_up", "Whether the host's engine answers.", host.is_live, host=name)
        engine = {"engine": host.engine, "version": host.engine_version, "api": host.api_version}
        out.gauge("host_info", "What the host's state and engine are.", 1, host=name, state=host.state, **engine)
        out.gauge("host_seen_age_seconds", "Since the engine answered last.", _age(now, host.last_seen), host=name)
        if may(user, Right.STATS_VIEW, host):
            out.gauge("host_cpus", "CPUs of the host.", host.cpus, host=name)
            out.gauge("host_memory_bytes", "Memory of the host.", host.memory, host=name)
            out.gauge(
                "host_sample_age_seconds", "Since its containers were sampled.", _age(now, host.sampled), host=name
            )
            if host.is_live and host.is_sampled:
                out.gauge("host_cpu_percent", "CPU of its containers, of all CPUs.", host.cpu_percent, host=name)
                out.gauge("host_memory_used_bytes", "Memory of its containers.", host.memory_used, host=name)
    if figures:
        rounds = StatsRound.objects.filter(host__in=Host.objects.visible_to(user), time__gte=F("host__rolled_up"))
        oldest = rounds.aggregate(time=Min("time"))["time"] or now.timestamp()
        words = "Age of the oldest sample that is in no tier of the history yet: up to an hour and some minutes."
        out.gauge("history_lag_seconds", words, max(0.0, round(now.timestamp() - oldest)))


# ---------------------------------------------------------------- containers
def add_containers(out: Exposition, user: Any, now: datetime) -> None:
    """How many there are in each state; of each its state, health, restarts and what it uses now."""
    rows = Container.objects.visible_to(user).select_related("host", "series").only(
        *("name", "project", "service", "state", "health", "restart_count", "owner"),
        *("host__name", "host__enabled", "host__state", "host__sample_seconds"),
        *("series__sampled", "series__cpu", "series__memory", "series__memory_limit"),
    )  # fmt: skip
    counted: Counter[tuple[str, str]] = Counter()
    for container in rows.iterator(2000):
        host = container.host
        counted[host.name, container.state] += 1
        labels = {"host": host.name, "container": container.name}
        about = labels | {"project": container.project, "service": container.service}
        state = {"state": container.state, "health": container.health}
        out.gauge("container_info", "What the container's state is.", 1, **about, **state)
        out.counter("container_restarts_total", "Restarts by the engine.", container.restart_count, **labels)
        if may(user, Right.STATS_VIEW, container) and (series := container.current):
            out.gauge("container_cpu_percent", "CPU: 100 is one CPU.", series.cpu, **labels)
            out.gauge("container_memory_bytes", "Memory without file cache.", series.memory, **labels)
            out.gauge("container_memory_limit_bytes", "The most it may use.", series.memory_limit, **labels)
    for host_name in {name for name, _ in counted}:
        for name in CONTAINER_STATES:
            out.gauge("containers", "Containers by state.", counted[host_name, name], host=host_name, state=name)


# ---------------------------------------------------------------- jobs
def add_jobs(out: Exposition, user: Any, now: datetime) -> None:
    """How many there are in each state, and for how long the oldest has waited."""
    jobs = Job.objects.visible_to(user)
    counted = dict(jobs.order_by().values_list("state").annotate(n=Count("pk")))
    for state in JobState.values:
        out.gauge("jobs", "Jobs by state.", counted.get(state, 0), state=state)
    waiting = jobs.filter(state=JobState.QUEUED).aggregate(oldest=Min("created"))["oldest"]
    words = "For how long the oldest queued job has been waiting."
    out.gauge("jobs_lag_seconds", words, _age(now, waiting) or 0)


# ---------------------------------------------------------------- streams
def add_streams(out: Exposition, user: Any, now: datetime) -> None:
    """What each web process counts (hosts.consumers.counts), for those who may see all hosts: it is of everybody's."""
    if not may(user, Right.HOSTS_VIEW, EVERYWHERE):
        return
    for process in Process.objects.filter(role="web").exclude(counts={}).order_by("pk"):
        counts, of = process.counts, {"process": process.owner}
        for kind, n in counts["opened"].items():
            out.counter("sockets_opened_total", "Sockets that were opened.", n, kind=kind, **of)
            open_now = counts["sockets"].get(kind, 0) if now - process.seen < SILENT else 0
            out.gauge("sockets", "Open sockets.", open_now, kind=kind, **of)
        for kind in ("logs", "stats"):
            streams = counts["upstreams"].get(kind, 0) if now - process.seen < SILENT else 0
            out.gauge("upstreams", "Streams from engines, each shared by all who watch it.", streams, kind=kind, **of)
            again = counts["reconnects"].get(kind, 0)
            out.counter("upstream_reconnects_total", "Streams from engines opened again.", again, kind=kind, **of)
        lag = counts["lag_seconds"] if now - process.seen < SILENT else 0
        out.gauge("stream_lag_seconds", "For how long the oldest message has waited for its browser.", lag, **of)
        words = "Log lines left out for browsers that were too slow."
        out.counter("log_lines_skipped_total", words, counts["skipped_lines"], **of)
        words = "Stats samples left out for browsers that were too slow."
        out.counter("stats_samples_skipped_total", words, counts["skipped_samples"], **of)
