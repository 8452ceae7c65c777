"""Starting and stopping, as a person does it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until


def test_ctrl_c_ends_it_within_five_seconds_without_a_traceback(docker_engine: DockerEngine) -> None:
    with Product(docker_engine.url) as product:
        until(lambda: product.api("hosts/local")["state"] == "online", "the host is online")
        (process,) = product.processes.values()
        login = requests.get(f"{product.url}/account/login/", timeout=5).text
        sheet = requests.get(product.url + re.findall(r'href="(/static/[^"]+\.css)"', login)[0], timeout=5)
        assert sheet.headers["Content-Type"].startswith("text/css")
        assert "immutable" in sheet.headers["Cache-Control"]
        with product.socket("/ws/changes") as stream:
            stream.recv(5)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        assert time.monotonic() - began < 5
        output = (product.folder / "output").read_text()
        assert "Traceback" not in output
        assert "Warning" not in output
        assert output.rstrip().endswith("Dermaga has stopped.")


def test_a_killed_process_leaves_no_job_running(docker_engine: DockerEngine) -> None:
    docker_engine.docker(
        "run", "-d", "--name", "slow-end", "busybox", "sh", "-c", "trap '' TERM; while :; do sleep 1; done"
    )
    with Product(docker_engine.url) as product:
        until(lambda: product.api("containers?search=slow-end")["count"] == 1, "it shows")
        job = product.api("containers/local/slow-end/stop", "POST", timeout=60)["job"]
        until(lambda: product.api(f"jobs/{job}")["state"] == "running", "the job runs")
        (process,) = product.processes.values()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        product.start()
        assert product.api(f"jobs/{job}")["state"] == "interrupted"
    docker_engine.docker("rm", "-f", "slow-end")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DERMAGA_DATA": "/proc/nothing"}, "data folder /proc/nothing cannot be written"),
        ({"PORT": "99999"}, "not a port number"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is not a database address"),
        ({"SECRET_KEY_FILE": "/nonexistent"}, "SECRET_KEY_FILE=/nonexistent cannot be read"),
        ({"JOBS_AT_ONCE": "many"}, "JOBS_AT_ONCE=many is not a whole number"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL=loud is none of DEBUG"),
        ({"TZ": "Mars"}, "TZ=Mars is not a time zone"),
        ({"DERMAGA_ENCRYPTION_KEY": "short"}, "DERMAGA_ENCRYPTION_KEY is not a Fernet key"),
        ({"REDIS_URL": "secret@host"}, "REDIS_URL is not a Redis address"),
        ({"CSRF_TRUSTED_ORIGINS": "example.com"}, "CSRF_TRUSTED_ORIGINS=example.com is not an origin"),
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/x"}, "The database cannot be used"),
    ],
)
def test_what_is_wrong_at_the_start_is_one_clear_sentence(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    root = Path(__file__).resolve().parents[1]
    clean = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}}
    settings = {**clean, "DERMAGA_DATA": str(tmp_path), **environment}
    done = subprocess.run([sys.executable, "manage.py", "up"], cwd=root, env=settings, capture_output=True, text=True)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_command_before_the_first_start_says_what_to_do(tmp_path: Path) -> None:
    clean = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}}
    done = subprocess.run(
        [sys.executable, "manage.py", "host", "list"],
        cwd=Path(__file__).resolve().parents[1],
        env={**clean, "DERMAGA_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "The database cannot be used: no such table: hosts_host. `manage.py prepare` makes what is missing."
    )


def test_a_second_one_on_the_same_data_folder_refuses_to_start_while_the_first_one_lives() -> None:
    with Product() as product:
        (first,) = product.processes.values()
        second = [sys.executable, "manage.py", "up", "--port", "0"]
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(second, cwd=root, env=product.environment, capture_output=True, text=True)
        assert done.returncode == 1
        folder = product.folder / "data"
        assert (
            done.stderr.strip() == f"CommandError: Dermaga runs already with the data folder {folder}. Stop it first."
        )
        assert first.poll() is None
        product.kill("up")  # without a word, as the kernel does when memory runs out
        product.start()
        assert product.api("hosts")["count"] == 0


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        clean = {
            k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
        }
        done = subprocess.run(
            [sys.executable, "manage.py", "up", "--port", port],
            cwd=Path(__file__).resolve().parents[1],
            env={**clean, "DERMAGA_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
