"""The main path, end to end: the real product, a real engine, and the docker command line beside it."""

import json
import time
from typing import Any

import pytest

from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core


def container(product: Product, name: str) -> dict[str, Any] | None:
    found = product.api(f"containers?search={name}")["items"]
    return next((c for c in found if c["name"] == name), None)


def state(product: Product, name: str) -> str:
    row = container(product, name)
    return row["state"] if row else "absent"


@pytest.fixture(autouse=True)
def connected(product: Product) -> None:
    until(lambda: product.api("hosts/local")["state"] == "online", "the host is online")


def test_the_local_engine_is_there_from_the_first_start(product: Product, docker_engine: DockerEngine) -> None:
    host = product.api("hosts/local")
    assert host["engine"].startswith("Docker 2")
    assert host["cpus"] > 0


def test_what_the_command_line_does_shows_by_itself(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "-d", "--name", "seen", "busybox", "sleep", "1000")
    until(lambda: state(product, "seen") == "running", "it shows as running")
    docker_engine.docker("rename", "seen", "renamed")
    until(lambda: state(product, "renamed") == "running", "the new name shows")
    docker_engine.docker("pause", "renamed")
    until(lambda: state(product, "renamed") == "paused", "it shows as paused")
    docker_engine.docker("unpause", "renamed")
    docker_engine.docker("kill", "renamed")
    until(lambda: (container(product, "renamed") or {}).get("exit_code") == 137, "it shows how it ended")
    docker_engine.docker("rm", "renamed")
    until(lambda: state(product, "renamed") == "absent", "it is gone")
    docker_engine.docker("volume", "create", "seen-volume")
    docker_engine.docker("network", "create", "seen-network")
    session = product.session()
    for noun in ("volume", "network"):
        until(lambda n=noun: f"seen-{n}" in session.get(f"{product.url}/{n}s/", timeout=10).text, f"the {noun} shows")
        docker_engine.docker(noun, "rm", f"seen-{noun}")
        until(lambda n=noun: f"seen-{n}" not in session.get(f"{product.url}/{n}s/", timeout=10).text, "it is gone")


def test_an_open_page_hears_of_a_change_within_a_second(product: Product, docker_engine: DockerEngine) -> None:
    delays = []
    with product.socket("/ws/changes") as socket:
        assert json.loads(socket.recv(5))["t"] == "ready"
        for number in range(5):
            name = f"heard-{number}"
            identity = docker_engine.docker("create", "--name", name, "busybox").strip()
            began = time.monotonic()
            while not (container_ids(json.loads(socket.recv(5))) & {identity}):
                assert time.monotonic() - began < 5
            delays.append(time.monotonic() - began)
            docker_engine.docker("rm", name)
    assert sorted(delays)[len(delays) // 2] < 1, delays


def container_ids(message: dict[str, Any]) -> set[str]:
    return {i for item in message.get("items", []) if item["kind"] == "container" for i in item["ids"]}


def test_each_act_does_what_it_says(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("create", "--name", "acted", "busybox", "sleep", "1000")
    until(lambda: state(product, "acted") == "created", "it shows")
    for verb, after in (("start", "running"), ("pause", "paused"), ("unpause", "running"), ("kill", "exited")):
        product.api(f"containers/local/acted/{verb}", "POST")
        until(lambda after=after: state(product, "acted") == after, f"after {verb} it is {after}")
    product.api("containers/local/acted/rename", "POST", name="acted-2")
    until(lambda: state(product, "acted-2") == "exited", "the new name shows")
    product.api("containers/local/acted-2/remove", "POST")
    until(lambda: state(product, "acted-2") == "absent", "it is gone")
    assert "acted" not in docker_engine.docker("ps", "-a", "--format", "{{.Names}}")


def test_stopping_is_a_job_that_ends_with_a_result(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "-d", "--name", "stopped", "busybox", "sleep", "1000")
    until(lambda: state(product, "stopped") == "running", "it runs")
    job = product.api("containers/local/stopped/stop", "POST", timeout=1)["job"]
    until(lambda: product.api(f"jobs/{job}")["state"] == "done", "the job is done")
    until(lambda: state(product, "stopped") == "exited", "it shows as exited")
    docker_engine.docker("rm", "stopped")


def test_a_pull_that_fails_says_why(product: Product) -> None:
    job = product.api("images/local/pull", "POST", image="127.0.0.1:1/nothing/here:1")["job"]
    until(lambda: product.api(f"jobs/{job}")["state"] == "failed", "the job has failed")
    assert product.api(f"jobs/{job}")["error"]


def test_pages_show_a_container_and_hide_its_secrets(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "-d", "--name", "paged", "-e", "TOKEN=canary-4711", "busybox", "sleep", "1000")
    until(lambda: state(product, "paged") == "running", "it runs")
    session = product.session()
    address = f"{product.url}/containers/local/paged"
    until(lambda: "TOKEN" in session.get(f"{address}/", timeout=10).text, "its environment is known")
    for tab in ("", "logs/", "stats/", "terminal/", "processes/", "changes/", "inspect/", "inspect/?part=1"):
        answer = session.get(f"{address}/{tab}", timeout=10)
        assert answer.status_code == 200, tab
        assert "canary-4711" not in answer.text, tab
    assert "sleep 1000" in session.get(f"{address}/processes/?part=1", timeout=10).text
    docker_engine.docker("rm", "-f", "paged")


def test_the_downloaded_log_is_what_the_command_line_prints(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "--name", "logged", "busybox", "sh", "-c", "seq 1 5000; echo; printf 'no end'")
    until(lambda: state(product, "logged") == "exited", "it has ended")
    text = product.session().get(f"{product.url}/containers/local/logged/logs/download/", timeout=20).text
    assert text == "".join(f"{n}\n" for n in range(1, 5001)) + "\nno end"
    docker_engine.docker("rm", "logged")


def test_a_log_that_cannot_be_read_is_an_error_and_no_empty_file(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "--name", "mute", "--log-driver", "none", "busybox", "echo", "a")
    until(lambda: state(product, "mute") == "exited", "it has ended")
    answer = product.session().get(f"{product.url}/containers/local/mute/logs/download/", timeout=20)
    assert answer.status_code == 409
    assert "log driver" in answer.text
    assert "Content-Disposition" not in answer.headers
    docker_engine.docker("rm", "mute")


def test_a_lost_host_keeps_its_rows_and_says_why(product: Product) -> None:
    product.api("hosts", "POST", name="nowhere", url="tcp://127.0.0.1:9")
    until(lambda: product.api("hosts/nowhere")["reason"] != "", "the reason is said")
    host = product.api("hosts/nowhere")
    assert host["state"] in {"refused", "unreachable"}
    assert "127.0.0.1:9" in host["reason"]
    assert product.api("hosts/local")["state"] == "online"
    product.api("hosts/nowhere", "DELETE")
