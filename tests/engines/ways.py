"""How an engine of the tests is entered as a host."""

from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine

AnyEngine = DockerEngine | PodmanEngine


def way_to(engine: AnyEngine) -> dict[str, str]:
    """The fields of a host by which the engine is reached, with its certificates or keys."""
    if isinstance(engine, DockerEngine) and engine.kind == "tls":
        assert engine.client_certificate and engine.authority
        pair = engine.client_certificate
        return {
            "kind": "tls",
            "url": engine.tls_url,
            "tls_ca": engine.authority.ca,
            "tls_cert": pair.cert,
            "tls_key": pair.key,
        }
    if isinstance(engine, DockerEngine) and engine.kind == "ssh":
        assert engine.ssh
        return {
            "kind": "ssh",
            "url": engine.ssh_url,
            "ssh_key": engine.ssh.key,
            "ssh_known_hosts": engine.ssh.known_hosts,
        }
    return {"kind": "tcp", "url": engine.url}
