"""Fixtures: real engines, servers, the real product and a browser, started once a session when a test asks."""

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import override_settings

from tests.engines import install, newer, versions
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.engines.podman_engine import PodmanEngine
from tests.engines.registry import Registry
from tests.engines.run import close_current, current, what_ran
from tests.engines.swarm import RealSwarm
from tests.fake_engine import FakeEngine
from tests.servers.browser import browser, open_page, page, page_errors, phone_page, playwright
from tests.servers.product import Product

__all__ = ["browser", "open_page", "page", "page_errors", "phone_page", "playwright"]

# Files that take a minute or more, the longest first.
LONG = (
    "tests/browser/test_accessibility.py",
    "tests/test_wrong_input.py",
    "tests/test_documents.py",
    "tests/test_jobs_survive.py",
    "tests/hosts/inventory/test_two_watchers.py",
    "tests/hosts/consumers/test_every_engine.py",
    "tests/hosts/consumers/test_cuts.py",
    "tests/hosts/swarm/test_acts.py",
    "tests/hosts/volumes/test_volume_copies.py",
    "tests/test_every_host.py",
    "tests/test_life.py",
    "tests/browser/test_containers.py",
    "tests/browser/test_logs.py",
    "tests/browser/test_live.py",
    "tests/hosts/inventory/test_fleet.py",
    "tests/engines/test_engines.py",
)
RAN: list[str] = []  # by other workers


def pytest_configure(config: pytest.Config) -> None:
    """Never a silent skip: without its engines the suite does not start."""
    if missing := install.missing():
        pytest.exit(f"The tests need {', '.join(missing)}: run python -m tests.engines.install", 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files begin first, so that none is left to one worker at the end while the others have nothing to do."""
    place = {name: n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONG)))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Whatever a fixture left: processes, mounts, namespaces, links, rules, folders."""
    close_current()


def pytest_report_header(config: pytest.Config) -> str:
    """What is installed here."""
    return f"engines: {', '.join(versions.installed())}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells the process that reports what it has started."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["ran"] = what_ran()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Keeps what a worker has started."""
    RAN.extend(getattr(node, "workeroutput", {}).get("ran", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests that were chosen have really started."""
    if ran := [*what_ran(), *RAN]:
        terminalreporter.section("engines and servers that ran")
        terminalreporter.write_line("\n".join(dict.fromkeys(ran)))


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Two runs at the same time must not share the SQLite file that settings name."""
    database = connections["default"]
    if database.vendor == "sqlite":
        database.settings_dict["TEST"]["NAME"] = str(current().folder / "test.sqlite3")


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """A Docker engine with the tests' images, on plain TCP (and its unix socket)."""
    with DockerEngine("harbour", tcp=True) as engine:
        make_images(engine)
        yield engine


@pytest.fixture(scope="session")
def tls_engine() -> Iterator[DockerEngine]:
    """One on TLS that asks for a client's certificate: `tls_url`, `client_certificate`."""
    with DockerEngine("pier", tls=True) as engine:
        make_images(engine)
        yield engine


@pytest.fixture(scope="session")
def ssh_engine() -> Iterator[DockerEngine]:
    """One behind an SSH server: `ssh_url`, `ssh.key`, `ssh.known_hosts`."""
    with DockerEngine("jetty", ssh=True) as engine:
        make_images(engine)
        yield engine


@pytest.fixture(scope="session")
def newer_engine() -> Iterator[DockerEngine]:
    """Docker of Debian's next release on plain TCP: API 1.45 where the machine's own speaks 1.41."""
    with DockerEngine("steamer", tcp=True, bin_dir=newer.fetch("trixie")) as engine:
        make_images(engine)
        yield engine


@pytest.fixture(scope="session")
def newest_engine() -> Iterator[DockerEngine]:
    """Docker of Debian's unstable suite on plain TCP: 28 or newer."""
    with DockerEngine("clipper", tcp=True, bin_dir=newer.fetch("sid")) as engine:
        make_images(engine)
        yield engine


@pytest.fixture(scope="session")
def swarm() -> Iterator[RealSwarm]:
    """Three engines that are managers of one swarm: `swarm.engines`, `swarm.with_images()`, `swarm.add_to(product)`."""
    with RealSwarm() as swarm:
        yield swarm


@pytest.fixture(scope="session")
def podman_engine() -> Iterator[PodmanEngine]:
    """A Podman service on plain TCP with the tests' images, whose names it prefixes with localhost/."""
    with PodmanEngine("raft", tcp=True) as engine:
        make_images(engine)
        yield engine


@pytest.fixture(scope="session")
def podman_5_engine() -> Iterator[PodmanEngine]:
    """Podman of Debian's next release, 5.4, where the machine's own is 4.3."""
    with PodmanEngine("pontoon", tcp=True, bin_dir=newer.fetch_podman("trixie")) as engine:
        make_images(engine)
        yield engine


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    """A registry without login that every engine reaches: `registry.push(engine, image)`, `registry.slow(bytes)`."""
    with Registry() as registry:
        yield registry


@pytest.fixture(scope="session")
def locked_registry() -> Iterator[Registry]:
    """One that wants a login: registry.USER and registry.PASSWORD."""
    with Registry(login=True) as registry:
        yield registry


@pytest.fixture(scope="session")
def tls_registry() -> Iterator[Registry]:
    """One with a login and a certificate of its own CA: `tls_registry.authority.ca`."""
    with Registry(login=True, tls=True) as registry:
        yield registry


@pytest.fixture(scope="session")
def token_registry() -> Iterator[Registry]:
    """One whose logins are at a token server: `token_registry.tokens`."""
    with Registry(tokens=True) as registry:
        yield registry


@pytest.fixture
def fake_engine() -> Iterator[FakeEngine]:
    """An engine that misbehaves when told, on the loopback."""
    with FakeEngine(tcp=True) as engine:
        yield engine


@pytest.fixture(scope="session", autouse=True)
def own_cache() -> Iterator[None]:
    """Rate limits of the tests' own requests must not shut the product's door: both may use one Redis."""
    cache = dict(settings.CACHES["default"]) | {"KEY_PREFIX": "tests"}
    with override_settings(CACHES={"default": cache}):
        yield


@pytest.fixture(scope="session")
def product(docker_engine: DockerEngine) -> Iterator[Product]:
    """The product with the first engine as its host `local`: embedded, or as separate processes where DATABASE_URL and
    REDIS_URL are set (tests/full_mode.py)."""
    database, redis = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    (current().folder / "backups").mkdir(exist_ok=True)
    settings = {"DERMAGA_BACKUP_FOLDERS": str(current().folder / "backups")}
    with Product(docker_engine.url, database_url=database, redis_url=redis, settings=settings) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the product printed last."""
    report = yield
    running = getattr(item, "funcargs", {}).get("product")
    if report.failed and isinstance(running, Product) and (running.folder / "output").exists():
        report.sections.append(("what the product printed", (running.folder / "output").read_text()[-6000:]))
    return report
