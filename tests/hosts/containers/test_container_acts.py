"""Acts that ask for options: what is wrong is said at the field, what was typed stays, and nothing is done."""

import pytest
from django.test import Client

from jobs.models import Job
from tests.engines.docker_engine import DockerEngine
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

HTMX = {"HX-Request": "true"}
WRONG_NAMES = ["", "a", "-dash", "a b", "a/b", "ä-umlaut", "x" * 256, "a\0b", "{{ 7 }}", "شاشة"]


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    containers(a_host(), container_json("web"))
    return client


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "field", "typed"),
    [
        *(("rename", "name", name) for name in WRONG_NAMES),
        *(("stop", "timeout", seconds) for seconds in ("-1", "1.5", "soon", "9999999", "601", "٣", "1e2")),
        *(("kill", "signal", signal) for signal in ("NOPE", "0", "65", "9; ls", "٩", "x" * 10_000, "9" * 10_000)),
    ],
)
def test_a_wrong_option_is_named_and_kept(admin: Client, verb: str, field: str, typed: str) -> None:
    answer = admin.post(f"/containers/quay/web/{verb}/", {"asked": "1", field: typed}, headers=HTMX)
    assert answer.status_code == 422
    assert answer.context["field"] == field
    assert answer.context["typed"][field] == typed
    assert 'aria-invalid="true" aria-describedby="ask-error"' in answer.content.decode()
    assert not Job.objects.exists()


@pytest.mark.core
@pytest.mark.django_db
def test_without_scripts_the_dialog_is_a_page(admin: Client) -> None:
    assert "<html" in admin.get("/containers/quay/web/ask/rename/").content.decode()
    assert "<html" not in admin.get("/containers/quay/web/ask/rename/", headers=HTMX).content.decode()
    answer = admin.post("/containers/quay/web/rename/", {"asked": "1", "name": "a b"})
    assert answer.status_code == 422
    assert 'value="a b"' in answer.content.decode()
    assert admin.get("/containers/quay/web/ask/nonsense/").status_code == 404


@pytest.mark.core
@pytest.mark.django_db
def test_a_viewer_is_not_asked(admin: Client) -> None:
    admin.force_login(person("vera", "viewer"))
    assert admin.get("/containers/quay/web/ask/remove/").status_code == 403
    assert "container-acts" not in admin.get("/containers/quay/web/").content.decode()


def test_a_name_that_is_taken_is_said_once(product: Product, docker_engine: DockerEngine) -> None:
    for name in ("first", "second"):
        docker_engine.docker("create", "--name", name, "busybox")
    until(lambda: product.api("containers?search=second")["count"] == 1, "it shows")
    answer = product.post("/containers/local/second/rename/", asked="1", name="first")
    assert answer.status_code == 422
    assert answer.text.count("is already in use by container") == 1
    docker_engine.docker("rm", "first", "second")


def test_the_health_card_follows_the_checks_while_somebody_looks(product: Product, docker_engine: DockerEngine) -> None:
    checks = ("--health-cmd", "date +%s%N", "--health-interval", "1s")
    docker_engine.docker("run", "-d", "--name", "checked", *checks, "busybox", "sleep", "1000")
    until(lambda: product.api("containers?search=checked&health=healthy")["count"] == 1, "it is healthy")
    url = f"{product.url}/containers/local/checked/health/"
    first = product.http.get(url, headers=HTMX).text
    assert "date +%s%N" in first
    until(lambda: newest(product.http.get(url, headers=HTMX).text) != newest(first), "another check shows")
    docker_engine.docker("rm", "-f", "checked")


def newest(html: str) -> str:
    """What the last check printed."""
    return html.partition("<pre")[2].partition(">")[2].partition("</pre>")[0]


def test_a_schedule_acts_on_the_container_that_was_made_anew_under_the_name(
    product: Product, docker_engine: DockerEngine
) -> None:
    docker = docker_engine.docker
    docker("run", "-d", "--name", "nightly", "busybox", "sleep", "1000")
    until(lambda: product.api("containers?search=nightly&state=running")["count"] == 1, "it shows")
    first = product.api("containers/local/nightly")["id"]
    job = product.api("containers/local/nightly/stop", "POST", timeout=0)["job"]
    until(lambda: product.api(f"jobs/{job}")["state"] == "done", "it is stopped")
    body = {"job": job, "name": "stops nightly", "cron": "30 2 1 1 *", "timezone": "UTC"}
    schedule = product.api("schedules", "POST", **body)["id"]
    docker("rm", "-f", "nightly")
    docker("run", "-d", "--name", "nightly", "busybox", "sleep", "1000")
    try:
        until(lambda: first not in str(rows := _rows(product, "nightly")) and rows, "the new one shows")
        again = product.api(f"schedules/{schedule}/run", "POST")["job"]
        until(lambda: product.api(f"jobs/{again}")["state"] == "done", "the schedule's job is done")
        assert docker("inspect", "-f", "{{.State.Running}}", "nightly").strip() == "false"
    finally:
        docker("rm", "-f", "nightly")
        product.api(f"schedules/{schedule}", "DELETE")


def _rows(product: Product, name: str) -> list[str]:
    """Ids of the running ones that are called like that."""
    return [row["id"] for row in product.api(f"containers?search={name}&state=running")["items"]]
