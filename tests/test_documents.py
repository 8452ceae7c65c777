"""What the documents tell a reader to type, typed: against the product with a data folder of its own, and real engines."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from benchmarks.__main__ import names
from tests.documents import PYTHON, Command, all_commands, commands, documents
from tests.engines.commands import run_command
from tests.engines.docker_engine import DockerEngine
from tests.engines.run import PROJECT, current
from tests.servers.ports import free_port
from tests.servers.product import PASSWORD, Product
from tests.waiting import until

BY_THE_CI = {"make test", "make check"}  # these run this test
OF_THE_IMAGE = "docs/container.md"  # tests/test_image.py types these
ADDRESS = "http://127.0.0.1:8000"  # where the documents have the product


class Reader:
    """Somebody who follows the documents on a machine with three engines."""

    def __init__(self, product: Product, tls: DockerEngine, ssh: DockerEngine) -> None:
        self.product = product
        self.tls = tls
        self.ssh = ssh
        self.folder = product.folder / "reader"
        self.folder.mkdir()
        kept = {k: v for k, v in product.environment.items() if not k.startswith("MAKE")}
        self.environment = kept | {"TOKEN": product.token}

    def type(self, line: str, cwd: Path = PROJECT) -> str:
        """Runs a line in a shell; raises CommandFailed with what it said."""
        return run_command("bash", "-euo", "pipefail", "-c", line, env=self.environment, cwd=str(cwd))

    def file(self, name: str, content: str) -> str:
        """A file that a command names, with the mode of a key."""
        path = self.folder / name
        path.write_text(content)
        path.chmod(0o600)
        return str(path)


@pytest.fixture(scope="module")
def reader(docker_engine: DockerEngine, tls_engine: DockerEngine, ssh_engine: DockerEngine) -> Iterator[Reader]:
    with Product(docker_engine.url) as product:
        docker_engine.docker("run", "-d", "--name", "web", "busybox", "sleep", "1000")
        until(lambda: product.api("containers?search=web&state=running")["count"] == 1, "the container shows")
        yield Reader(product, tls_engine, ssh_engine)
    docker_engine.docker("rm", "-f", "web")


# ---------------------------------------------------------------- manage.py
def add_hosts(reader: Reader, line: str) -> None:
    """The three ways that the synopsis names; every option of it is used."""
    synopsis = re.fullmatch(r"(.+ NAME URL) \[([^|]+) \| (.+)\]", line)
    assert synopsis, line
    assert reader.tls.authority and reader.tls.client_certificate and reader.ssh.ssh
    pair = reader.tls.client_certificate
    files = {
        "--ca": reader.file("ca.pem", reader.tls.authority.ca),
        "--cert": reader.file("cert.pem", pair.cert),
        "--key": reader.file("key.pem", pair.key),
        "--ssh-key": reader.file("id", reader.ssh.ssh.key),
        "--ssh-known-hosts": reader.file("known_hosts", reader.ssh.ssh.known_hosts),
    }
    ways = {
        "plain": (reader.product.environment["DOCKER_HOST"], ""),
        "secure": (reader.tls.tls_url, synopsis[2]),
        "far": (reader.ssh.ssh_url, synopsis[3]),
    }
    for name, (url, options) in ways.items():
        words = re.sub(r"(--\S+) F", lambda found: f"{found[1]} {files[found[1]]}", options)
        reader.type(f"{synopsis[1]} {words}".replace("NAME", name).replace("URL", url))
    for name in ways:
        until(lambda name=name: reader.product.api(f"hosts/{name}")["state"] == "online", f"{name} is online")


def list_hosts(reader: Reader, line: str) -> None:
    assert "local\t" in reader.type(line)


def remove_host(reader: Reader, line: str) -> None:
    reader.product.api("hosts", "POST", name="gone", url="tcp://127.0.0.1:9")
    reader.type(line.replace("NAME", "gone"))
    assert "gone" not in [host["name"] for host in reader.product.api("hosts")["items"]]


def check_hosts(reader: Reader, line: str) -> None:
    said = reader.type(line)
    hosts = [host["name"] for host in reader.product.api("hosts")["items"]]
    assert [text.split("\t")[:2] for text in said.splitlines()] == [[name, "ok"] for name in sorted(hosts)]


def create_token(reader: Reader, line: str) -> None:
    token = reader.type(line.replace("USER", "admin").replace("--name N", "--name a-reader")).strip()
    assert requests.get(f"{reader.product.url}/api/v1/hosts", headers={"Authorization": f"Bearer {token}"}).ok


def list_tokens(reader: Reader, line: str) -> None:
    assert "admin\ttests\t" in reader.type(line)


def remove_token(reader: Reader, line: str) -> None:
    token = reader.product.manage("token", "create", "admin", "--name", "lost")
    reader.type(line.replace("USER", "admin").replace("--name N", "--name lost"))
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{reader.product.url}/api/v1/hosts", headers=headers, timeout=10).status_code == 401


def create_limited_token(reader: Reader, line: str) -> None:
    typed = (
        line.replace("USER --name N", "admin --name limited")
        .replace("--days N", "--days 1")
        .replace("CIDR", "127.0.0.1")
        .replace("--host H", "--host local")
        .replace(" [--team T]", "")  # there is none: tests/accounts/test_tokens.py has one
    )
    token = reader.type(re.sub(r"[][]", "", typed.replace("--right R", "--right images.view"))).strip()
    headers = {"Authorization": f"Bearer {token}"}
    for noun, status in (("images", 200), ("hosts", 403)):
        assert requests.get(f"{reader.product.url}/api/v1/{noun}", headers=headers, timeout=10).status_code == status


def remove_second_factor(reader: Reader, line: str) -> None:
    """Of somebody who has none it says so, which a reader's shell takes for a failure; of nobody else it takes any."""
    said = reader.type(f"{line.replace('NAME', 'admin')} 2>&1 || true")
    assert "admin has no second factor." in said


def reset_password(reader: Reader, line: str) -> None:
    link = reader.type(line.replace("NAME", "admin")).strip()
    path = link.removeprefix("http://127.0.0.1:8000")
    assert "Choose a new password for admin." in requests.get(f"{reader.product.url}{path}", timeout=10).text


def list_sessions(reader: Reader, line: str) -> None:
    """Where the product's own session is."""
    assert reader.product.session().cookies
    assert "127.0.0.1" in reader.type(line.replace("NAME", "admin"))


def end_sessions(reader: Reader, line: str) -> None:
    session = reader.product.session()
    assert "sessions of admin." in reader.type(line.replace("NAME", "admin"))
    assert "/account/login/" in session.get(f"{reader.product.url}/", timeout=10).url
    reader.product.__dict__.pop("http", None)  # the one that was kept has ended too


def verify_audit(reader: Reader, line: str) -> None:
    """As it is, and once more with the end that it told the first time."""
    end = reader.product.manage("audit", "verify").split()[-1]
    assert "The audit is whole" in reader.type(line.replace("NUMBER:DIGEST", end))


def forget_audit(reader: Reader, line: str) -> None:
    assert "Forgot 0 entries" in reader.type(line)  # it is kept for ever


def keep_token(reader: Reader, line: str) -> None:
    reader.environment["TOKEN"] = reader.type(f"{line}; echo $TOKEN").strip()
    assert reader.environment["TOKEN"].startswith("dmg_")


# ---------------------------------------------------------------- make, and what serves
def serve(reader: Reader, line: str) -> None:
    """Starts as a person does, on a free port, until it answers and lets somebody in; Ctrl-C ends it."""
    port = free_port()
    words = line if line.startswith("make") else f"{PYTHON}{line} --port"
    line = re.sub(r" PORT=\d+", "", words) + (f" PORT={port}" if line.startswith("make") else f" {port}")
    data = reader.folder / f"data-{port}"
    environment = reader.environment | {"DERMAGA_DATA": str(data)}
    process = current().spawn("bash", "-c", f"exec {line}", log=reader.folder / "served", env=environment, cwd=PROJECT)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/readyz", process), f"`{line}` serves", 90)
        assert PASSWORD not in (reader.folder / "served").read_text()
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(20)


def answers(url: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "it ended while it started"
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def collect_messages(reader: Reader, line: str) -> None:
    """In a copy of the project, since it writes into it."""
    copy = reader.folder / "project"
    own = shutil.ignore_patterns(".git", ".venv", "node_modules", "build", "var", "__pycache__", ".*_cache", "tests")
    shutil.copytree(PROJECT, copy, ignore=own)
    for name in (".venv", "node_modules"):
        (copy / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "build", copy / "build", ignore=shutil.ignore_patterns("mypy"))
    catalogue = copy / "locale" / "id" / "LC_MESSAGES" / "django.po"
    catalogue.write_text("\n".join(catalogue.read_text().split("\n\n")[:1]) + "\n")
    reader.type(f"touch build/.* && {line}", cwd=copy)
    assert catalogue.read_text().count("\nmsgid ") > 300


def ask_advisories(reader: Reader, line: str) -> None:
    """Vulnerabilities are published any day: that it says what it found, or could not ask, whatever that is."""
    told = reader.type(f"{line} || true")
    assert re.search("VULNERABLE|WARNING: the advisories|No published vulnerability", told), told


# ---------------------------------------------------------------- the API
def bench(reader: Reader, line: str) -> None:
    """A benchmark takes minutes and measures: here only that make would start it, and that there is one of this name."""
    would = reader.type(line.replace("make", "make -n", 1))
    asked = re.search(r"-m benchmarks ?(\w*)$", would, re.MULTILINE)
    assert asked, would
    assert asked[1] in {"", *names()}
    assert names()


def call(reader: Reader, line: str) -> None:
    """As it is written, but for the address; an error's status fails it."""
    assert ADDRESS in line
    if "/pause" not in line:  # a paused container cannot be restarted
        reader.type(f"docker -H {reader.product.environment['DOCKER_HOST']} unpause web || true")
        until(lambda: reader.product.api("containers/local/web")["state"] == "running", "it runs")
    said = reader.type(
        line.replace("curl ", "curl --fail-with-body -sS ").replace(ADDRESS, reader.product.url), reader.folder
    )
    assert " -o " in line or json.loads(said)


def mention(reader: Reader, line: str) -> None:
    """A document compares us with another program's command: that there is one by this name."""
    assert "Usage" in reader.type(f"{line} --help")


BACKUP = "data-20261126T020000Z-17.tar.zst"
RESTORE = f"zstd -d < {BACKUP} | "
DATA_FOLDER = "/var/lib/docker/volumes/data/_data"


def restore_by_hand(reader: Reader, line: str) -> None:
    """What was downloaded, into a folder or through a container of the engine."""
    docker = f"docker -H {reader.product.environment['DOCKER_HOST']}"
    reader.type(f"{docker} run --rm -v to-restore:/v busybox sh -c 'echo tea > /v/list; chown 5:6 /v/list'")
    until(lambda: reader.product.api("volumes?search=to-restore")["count"], "the volume shows")
    whole = reader.product.http.get(f"{reader.product.url}/volumes/local/to-restore/download/")
    (reader.folder / BACKUP).write_bytes(whole.content)
    place = reader.folder / "unpacked"
    place.mkdir(exist_ok=True)
    reader.type(line.replace(DATA_FOLDER, str(place)).replace("docker run", f"{docker} run"), reader.folder)
    look = f"{docker} run --rm -v data:/v busybox cat /v/list" if "docker run" in line else f"cat {place}/list"
    assert reader.type(look).strip() == "tea"


KNOWN: dict[str, Callable[[Reader, str], None]] = {
    "make run": serve,
    "make run HOST=0.0.0.0 PORT=9000": serve,
    "make messages": collect_messages,
    "make audit": ask_advisories,
    "make bench": bench,
    "make bench-logs_replay": bench,
    "manage.py up": serve,
    f"{PYTHON}manage.py host add NAME URL [--ca F --cert F --key F | --ssh-key F --ssh-known-hosts F]": add_hosts,
    f"{PYTHON}manage.py host list": list_hosts,
    f"{PYTHON}manage.py host remove NAME": remove_host,
    f"{PYTHON}manage.py check_hosts": check_hosts,
    f"{PYTHON}manage.py token create USER --name N": create_token,
    f"{PYTHON}manage.py token create USER --name N [--right R] [--host H] [--team T] [--network CIDR] [--days N]": create_limited_token,
    f"{PYTHON}manage.py token list": list_tokens,
    f"{PYTHON}manage.py token remove USER --name N": remove_token,
    f"{PYTHON}manage.py user remove-second-factor NAME": remove_second_factor,
    f"{PYTHON}manage.py user reset-password NAME": reset_password,
    f"{PYTHON}manage.py user sessions NAME": list_sessions,
    f"{PYTHON}manage.py user end-sessions NAME": end_sessions,
    f"{PYTHON}manage.py audit verify": verify_audit,
    f"{PYTHON}manage.py audit verify --noted NUMBER:DIGEST": verify_audit,
    f"{PYTHON}manage.py audit forget": forget_audit,
    f"TOKEN=$({PYTHON}manage.py token create admin --name shell)": keep_token,
    f"{RESTORE}tar -x --numeric-owner --xattrs --xattrs-include='*' -p -C {DATA_FOLDER}": restore_by_hand,
    f"{RESTORE}docker run --rm -i -v data:/data busybox tar -x -C /data": restore_by_hand,
    "python -m common.icons": lambda reader, line: print(reader.type(f".venv/bin/{line}")),
    "python -m api.examples": lambda reader, line: print(reader.type(f".venv/bin/{line}")),
}


def how(text: str) -> Callable[[Reader, str], None] | None:
    """What proves a command; None when nothing does."""
    if text.startswith("curl "):
        return call
    return mention if re.fullmatch(r"(docker|podman) \w+", text) else KNOWN.get(text)


@pytest.mark.parametrize(
    "command",
    [c for c in all_commands() if c.text not in BY_THE_CI and c.where != OF_THE_IMAGE],
    ids=lambda c: c.text[:60],
)
def test_what_a_document_says_works(reader: Reader, command: Command) -> None:
    proof = how(command.text)
    assert proof, f"{command.where} says `{command.text}`, and nothing here proves it: add it to KNOWN"
    proof(reader, command.text)


def test_nothing_is_proved_that_no_document_says() -> None:
    said = {command.text for command in all_commands()}
    assert set(KNOWN) - said == set()
    assert said >= BY_THE_CI


def test_a_change_must_pass_what_the_documents_leave_to_it() -> None:
    lines = (PROJECT / ".ci" / "run").read_text().splitlines()
    assert set(lines) >= BY_THE_CI


def test_the_procfile_starts_what_the_tests_start() -> None:
    product = Product(mode="full")
    written = dict(line.split(": ", 1) for line in (PROJECT / "Procfile").read_text().splitlines())
    assert written.pop("release") == f"{PYTHON}manage.py prepare"
    started = {name: " ".join(words[1:]) for name, words in product._commands().items()}
    started["web"] = (
        started["web"].replace("127.0.0.1", "${HOST:-127.0.0.1}").replace(str(product.port), "${PORT:-8000}")
    )
    started["beat"] = started["beat"].removesuffix(" --pidfile ")
    assert written == {name: f"{PYTHON}{words}" for name, words in started.items()}


# ---------------------------------------------------------------- the finder itself
def test_commands_are_found_wherever_they_stand() -> None:
    text = (
        "Type `make  run` or\n`.venv/bin/python manage.py a \\| b`, see `run_job(x)`, `GET hosts` and `hosts/urls.py`.\n"
        '```sh\n# a remark\ncurl -X POST \\\n  http://x   # calls it\n```\n```json\n{"make": 1}\n```\n'
    )
    found = [command.text for command in commands(text)]
    assert found == ["curl -X POST http://x", "make run", ".venv/bin/python manage.py a | b"]


def test_a_block_that_does_not_say_what_it_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="fenced block"):
        list(commands("```\nrm -rf /\n```"))


def test_a_command_that_nothing_proves_is_noticed() -> None:
    for text in ("make everything", "manage.py flush --noinput", "rm -rf var", "docker system prune"):
        (found,) = commands(f"Type `{text}`.")
        assert how(found.text) is None


def test_every_file_that_a_document_names_is_there() -> None:
    named = [
        (document.name, span)
        for document in documents()
        for span in re.findall(r"`([\w./-]+/[\w./-]*)`", document.read_text())
        if span.split("/")[0] in {path.name for path in PROJECT.iterdir()} and "..." not in span
    ]
    assert len(named) > 40
    assert [(document, span) for document, span in named if not (PROJECT / span).exists()] == []


def test_every_link_of_a_document_leads_somewhere() -> None:
    broken = [
        f"{document.name}: {link}"
        for document in documents()
        for link in re.findall(r"\]\(([^)#]+)", document.read_text())
        if not link.startswith("http") and not (document.parent / link).exists()
    ]
    assert broken == []
