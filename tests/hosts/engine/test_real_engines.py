"""Connecting to real dockerds: over TCP, TLS and SSH, and what is said when one is cut off."""

from pathlib import Path

import pytest

from hosts.engine import tunnel
from hosts.engine.connect import check, client
from hosts.engine.endpoint import Endpoint, SSHMaterial, TLSMaterial
from hosts.engine.errors import EngineError
from hosts.engine.parse import container_row, image_row
from tests.engines.certificates import Authority
from tests.engines.docker_engine import DockerEngine


def fault(endpoint: Endpoint, timeout: float = 3) -> EngineError:
    with pytest.raises(EngineError) as caught:
        check(endpoint, timeout)
    return caught.value


def tls(engine: DockerEngine, authority: str = "", certificate: tuple[str, str] | None = None) -> Endpoint:
    assert engine.authority and engine.client_certificate
    pair = certificate or (engine.client_certificate.cert, engine.client_certificate.key)
    return Endpoint(engine.tls_url, TLSMaterial(authority or engine.authority.ca, *pair))


def test_a_dockerd_over_tcp_names_itself_and_runs_commands(docker_engine: DockerEngine) -> None:
    endpoint = Endpoint(docker_engine.tcp_url)
    info = check(endpoint)
    assert (info["engine"], info["name"], info["version"]) == ("Docker", docker_engine.name, docker_engine.version)
    with client(endpoint) as api:
        made = api.create_container("busybox", ["sleep", "60"])
        try:
            api.start(made["Id"])
            (listed,) = api.containers(filters={"id": made["Id"]})
            row = container_row(listed)
            assert row is not None and (row["engine_id"], row["state"]) == (made["Id"], "running")
            assert all(image_row(image) for image in api.images())
        finally:
            api.remove_container(made["Id"], force=True)
    with pytest.raises(EngineError) as caught, client(endpoint) as api:
        api.start(made["Id"])
    assert caught.value.code == "not_found"


def test_tls_faults_of_a_dockerd_are_named(tls_engine: DockerEngine) -> None:
    assert check(tls(tls_engine))["name"] == tls_engine.name
    assert tls_engine.authority is not None
    stranger = Authority("stranger")
    expired = tls_engine.authority.client(expired=True)
    foreign = stranger.client()
    assert fault(Endpoint(tls_engine.tls_url)).code == "plain_to_tls"
    assert fault(tls(tls_engine, authority=stranger.ca)).code == "wrong_ca"
    for pair in ((expired.cert, expired.key), (foreign.cert, foreign.key), ("", "")):
        assert fault(tls(tls_engine, certificate=pair)).code == "client_certificate_refused"


def test_tls_spoken_to_a_plain_dockerd_is_named(docker_engine: DockerEngine) -> None:
    assert fault(Endpoint(docker_engine.tcp_url, TLSMaterial(Authority().ca))).code == "tls_to_plain"


def test_a_dockerd_behind_ssh_is_reached_both_ways(ssh_engine: DockerEngine) -> None:
    assert ssh_engine.ssh is not None
    material = SSHMaterial(ssh_engine.ssh.key, ssh_engine.ssh.known_hosts)
    ways = [ssh_engine.ssh_url]  # by forwarding
    if not Path("/var/run/docker.sock").exists():  # else that would be this machine's own engine
        ways.append(ssh_engine.ssh_url.removesuffix(ssh_engine.socket))  # by its docker command line
    try:
        for url in ways:
            assert check(Endpoint(url, ssh=material), 8)["name"] == ssh_engine.name
            with client(Endpoint(url, ssh=material)) as api:
                assert api.images()
    finally:
        tunnel.close_all()


@pytest.mark.parametrize(("mode", "code"), [("drop", "timed_out"), ("refuse", "refused"), ("stop", "timed_out")])
def test_a_dockerd_that_is_cut_off_is_named_in_time(docker_engine: DockerEngine, mode: str, code: str) -> None:
    endpoint = Endpoint(docker_engine.tcp_url)
    docker_engine.cut(mode)  # type: ignore[arg-type]
    try:
        assert fault(endpoint, 1.5).code == code
    finally:
        docker_engine.heal()
    assert check(endpoint)["name"] == docker_engine.name
