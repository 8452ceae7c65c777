"""The product's own image, built by its Dockerfile and run as docs/container.md says."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.documents import commands
from tests.engines.commands import CommandFailed, run_command
from tests.engines.debian import make_debian
from tests.engines.docker_engine import DockerEngine
from tests.engines.run import PROJECT
from tests.servers.product import PASSWORD
from tests.waiting import until

DOCUMENT = PROJECT / "docs" / "container.md"
SOCKET = "/var/run/docker.sock"


def typed(engine: DockerEngine, line: str) -> str:
    """A line of the document, with this engine in the place of the reader's, and served where this test can see it."""
    settings = f"-e ALLOWED_HOSTS=localhost,{engine.address} -e DERMAGA_ADMIN_PASSWORD={PASSWORD}"
    line = line.replace("docker ", f"docker -H {engine.unix_url} ", 1)
    line = line.replace(f"-v {SOCKET}:", f"-v {engine.socket}:").replace(f"%g {SOCKET}", f"%g {engine.socket}")
    line = line.replace("-p 127.0.0.1:", f"{settings} -p ")
    return run_command("bash", "-euo", "pipefail", "-c", line, cwd=str(PROJECT), timeout=900)


LINES = [command.text for command in commands(DOCUMENT.read_text())]
BUILD, RUN, *AFTERWARDS = LINES


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    """An engine that has the image, and has it running as `dermaga`."""
    with DockerEngine("dock") as engine:
        make_debian(engine)
        typed(engine, BUILD)
        start(engine)
        yield engine


def start(engine: DockerEngine) -> None:
    typed(engine, RUN)
    until(lambda: is_ready(engine), "it serves", 60)


def is_ready(engine: DockerEngine) -> bool:
    try:
        return requests.get(f"http://{engine.address}:8000/readyz", timeout=2).ok
    except requests.RequestException:
        assert engine.docker("ps", "-q", "-f", "name=dermaga"), engine.docker("logs", "dermaga")
        return False


def inside(engine: DockerEngine, *command: str) -> str:
    return engine.docker("exec", "dermaga", *command).strip()


def api(engine: DockerEngine, token: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"http://{engine.address}:8000/api/v1/{path}", headers=headers, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def test_it_runs_as_nobody_in_particular(engine: DockerEngine) -> None:
    assert inside(engine, "id", "-u") == "10001"
    owners = {line.split()[0] for line in engine.docker("top", "dermaga", "-eo", "uid,pid").splitlines()[1:]}
    assert owners == {"10001"}
    status = inside(engine, "cat", "/proc/1/status")
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    # and may change nothing of itself, also where its file system is not read-only
    theirs = ["(", "-user", "10001", "-o", "-group", "10001", "-o", "-perm", "-o+w", ")", "-not", "-type", "l"]
    assert engine.docker("exec", "-u", "0", "dermaga", "find", "/opt/dermaga", "/etc", *theirs) == ""


def test_it_manages_the_engine_that_it_runs_on_and_keeps_what_it_knows(engine: DockerEngine) -> None:
    token = inside(engine, "python", "manage.py", "token", "create", "admin", "--name", "tests")
    until(lambda: api(engine, token, "hosts/local")["state"] == "online", "the engine is there")
    until(lambda: any(row["name"] == "dermaga" for row in api(engine, token, "containers")["items"]), "it shows itself")
    until(
        lambda: engine.docker("inspect", "-f", "{{.State.Health.Status}}", "dermaga").strip() == "healthy",
        "healthy",
        40,
    )
    page = requests.get(f"http://{engine.address}:8000/account/login/", timeout=10).text
    style = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert style and requests.get(f"http://{engine.address}:8000{style[1]}", timeout=10).ok

    engine.docker("stop", "dermaga")
    assert engine.docker("inspect", "-f", "{{.State.ExitCode}}", "dermaga").strip() == "0"
    engine.docker("rm", "dermaga")
    start(engine)
    assert api(engine, token, "hosts/local")["name"] == "local"


@pytest.mark.parametrize("line", AFTERWARDS)
def test_what_the_document_says_to_type_then_works(engine: DockerEngine, line: str) -> None:
    typed(engine, line)


def test_it_has_what_runs_and_neither_keys_nor_tools(engine: DockerEngine) -> None:
    listed = (PROJECT / ".dockerignore").read_text().splitlines()
    copied = {line.removeprefix("!") for line in listed if line.startswith("!")}
    assert set(inside(engine, "ls", "-A", "/opt/dermaga").split()) == copied | {".venv", "build"}
    for tool in ("pip", "node", "npm", "make"):
        with pytest.raises(CommandFailed, match="not found"):
            inside(engine, tool, "--version")
