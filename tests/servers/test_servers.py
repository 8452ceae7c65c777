"""The harness' servers, the product in a process of its own, and the browser."""

import asyncio
import json
from collections.abc import Callable

import psycopg
import pytest
import redis
from playwright.sync_api import Page

from tests.engines.commands import CommandFailed, wait_until
from tests.engines.docker_engine import DockerEngine
from tests.servers.browser import DESKTOP, log_in
from tests.servers.postgres import PostgresServer
from tests.servers.product import Product
from tests.servers.redis_server import RedisServer


def test_postgres_keeps_its_rows_over_a_kill() -> None:
    with PostgresServer() as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url, connect_timeout=3)
        server.start()
        assert server.psql("SELECT count(*) FROM kept").strip() == "0"
        other = server.create_database("other")
        with psycopg.connect(other) as connection, pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM kept")
    assert not server.folder.exists()


def test_redis_comes_back_empty_on_its_port() -> None:
    with RedisServer() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("key", "value")
        server.stop()
        with redis.Redis.from_url(server.url) as client, pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        with redis.Redis.from_url(server.url) as client:
            assert client.get("key") is None


def test_the_product_lets_the_admin_in_and_no_stranger(product: Product, docker_engine: DockerEngine) -> None:
    assert product.http.get(f"{product.url}/hosts/", timeout=10).ok
    with pytest.raises(AssertionError, match="was not let in"):
        product.session(password="wrong-password")
    with product.websocket("/ws/changes") as socket:
        assert json.loads(socket.recv(5))["t"] == "ready"
    wait_until(lambda: product.api("hosts/local")["state"] == "online", "the engine to be online")
    with pytest.raises(CommandFailed, match="no-such-command"):
        product.manage("no-such-command")


def test_the_product_without_an_engine_has_no_host_and_stops_quickly() -> None:
    with Product() as product:
        assert product.api("hosts")["count"] == 0
        assert product.stop() < 5
        assert "Traceback" not in product.output


def test_the_product_runs_as_separate_processes(docker_engine: DockerEngine) -> None:
    with Product(docker_engine.url, mode="full") as product:
        assert set(product.processes) == {"web", "worker", "beat", "watch"}
        wait_until(lambda: product.api("hosts/local")["state"] == "online", "the watcher's word")
        product.kill("watch")
        product.start_process("watch")
        assert product.http.get(f"{product.url}/containers/", timeout=10).ok


def test_a_person_logs_in_with_a_browser(page: Page, product: Product) -> None:
    log_in(page, product.url)
    assert page.viewport_size == DESKTOP
    assert page.url == f"{product.url}/"


def test_a_phone_is_narrow(phone_page: Page, product: Product) -> None:
    log_in(phone_page, product.url)
    assert phone_page.evaluate("innerWidth") == 390
    assert phone_page.evaluate("document.documentElement.scrollWidth") == 390


def test_an_error_on_the_console_is_noticed(open_page: Callable[[], Page], page_errors: list[str]) -> None:
    page = open_page()
    page.set_content("<p>quiet</p>")
    assert page_errors == []
    page.set_content("<script>console.error('loud'); undefinedName()</script>")
    wait_until(lambda: page.title() == "" and len(page_errors) == 2, "two errors", 5)
    assert "loud" in page_errors[0] and "undefinedName" in page_errors[1]
    page_errors.clear()


async def test_asyncio_works_after_the_browser() -> None:
    await asyncio.sleep(0)
    assert asyncio.get_running_loop().is_running()


@pytest.mark.django_db
def test_the_database_works_after_the_browser(django_user_model: type) -> None:
    assert django_user_model.objects.count() >= 0  # type: ignore[attr-defined]
