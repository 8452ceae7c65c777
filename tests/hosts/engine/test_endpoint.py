"""Addresses of engines: what is taken, in which normal form, and what is said about the rest."""

import pickle

import pytest

from hosts.engine.endpoint import Endpoint, EndpointError, SSHMaterial, TLSMaterial, parse_url


@pytest.mark.parametrize(
    ("entered", "kind", "url", "address"),
    [
        ("unix:///var/run/docker.sock", "unix", "unix:///var/run/docker.sock", "/var/run/docker.sock"),
        ("  /run/podman/podman.sock \n", "unix", "unix:///run/podman/podman.sock", "/run/podman/podman.sock"),
        ("tcp://10.0.0.5:2375", "tcp", "tcp://10.0.0.5:2375", "10.0.0.5:2375"),
        ("tcp://Docker-1.Example.COM.", "tcp", "tcp://docker-1.example.com", "docker-1.example.com:2375"),
        ("TCP://socket_proxy:2375/", "tcp", "tcp://socket_proxy:2375", "socket_proxy:2375"),
        ("http://10.0.0.5:80", "tcp", "tcp://10.0.0.5:80", "10.0.0.5:80"),
        ("https://10.0.0.5", "tls", "tcp://10.0.0.5:2376", "10.0.0.5:2376"),
        ("tcp://[2001:DB8:0::5]:2375", "tcp", "tcp://[2001:db8::5]:2375", "[2001:db8::5]:2375"),
        ("tcp://münchen.example:2375", "tcp", "tcp://xn--mnchen-3ya.example:2375", "xn--mnchen-3ya.example:2375"),
        ("ssh://root@10.0.0.5", "ssh", "ssh://root@10.0.0.5:22", "10.0.0.5:22"),
        ("ssh://ops@[::1]:2222/run/d.sock", "ssh", "ssh://ops@[::1]:2222/run/d.sock", "[::1]:2222"),
    ],
)
def test_it_takes_an_address_in_its_normal_form(entered: str, kind: str, url: str, address: str) -> None:
    parsed = parse_url(entered)
    assert (parsed.kind, parsed.url, parsed.address) == (kind, url, address)
    again = parse_url(parsed.url, tls=kind == "tls")
    assert again == parsed


def test_it_keeps_the_parts_of_an_ssh_address() -> None:
    parsed = parse_url("ssh://deploy@host.example:2200/run/user/1000/docker.sock")
    assert (parsed.user, parsed.host, parsed.port) == ("deploy", "host.example", 2200)
    assert parsed.path == "/run/user/1000/docker.sock"
    assert parse_url("ssh://deploy@host.example/").path == ""


@pytest.mark.parametrize(
    ("entered", "hint"),
    [
        ("", "Enter an address"),
        ("tcp://10.0.0.5:0", "from 1 to 65535"),
        ("tcp://10.0.0.5:65536", "from 1 to 65535"),
        ("tcp://10.0.0.5:", "from 1 to 65535"),
        ("tcp://10.0.0.5:+80", "from 1 to 65535"),
        ("tcp://10.0.0.5:٢٣٧٥", "from 1 to 65535"),
        ("tcp://10.0.0.5:1" + "0" * 50, "from 1 to 65535"),
        ("tcp://10.0.0.256:2375", "not an IPv4 address"),
        ("tcp://:2375", "names no host"),
        ("tcp://", "names no host"),
        ("tcp://ho st:2375", "no spaces"),
        ("tcp://host\x00:2375", "no spaces or control"),
        ("tcp://host\u200b:2375", "no spaces or control"),
        ("tcp://-host:2375", "not a host name"),
        ("tcp://ho..st:2375", "not a host name"),
        ("tcp://" + "a" * 64 + ":2375", "not a host name"),
        ("tcp://2001:db8::5:2375", "in brackets"),
        ("tcp://[2001:db8::5:2375", "brackets"),
        ("tcp://[2001:db8::5]2375", "brackets"),
        ("tcp://[2001:db8::g]:2375", "not an IPv6 address"),
        ("tcp://[fe80::1%eth0]:2375", "zone (%)"),
        ("tcp://user:secret@host:2375", "no user or password"),
        ("tcp://host:2375/v1.41", "ends after the port"),
        ("tcp://host:2375?x=1", "ends after the port"),
        ("unix://var/run/docker.sock", "three slashes"),
        ("unix://", "three slashes"),
        ("unix:///var/run/", "three slashes"),
        ("unix:///" + "é" * 60, "longer than 107 bytes"),
        ("ssh://host", "Name the user"),
        ("ssh://root:secret@host", "password"),
        ("ssh://-oProxyCommand=x@host", "not a user's name"),
        ("ssh://root@host/run/d.sock?x", "ends after the socket"),
        ("ssh://root@host/" + "x" * 107, "longer than 107 bytes"),
        ("npipe:////./pipe/docker_engine", "begins with unix://"),
        ("10.0.0.5:2375", "begins with unix://"),
        ("tcp://" + "a." * 300, "too long"),
    ],
)
def test_it_refuses_an_address_and_says_what_to_do(entered: str, hint: str) -> None:
    with pytest.raises(EndpointError) as caught:
        parse_url(entered)
    assert caught.value.field == "url"
    assert hint in caught.value.reason
    assert str(caught.value) == caught.value.reason
    assert "secret" not in str(caught.value)


def test_tls_decides_kind_and_default_port() -> None:
    assert (Endpoint("tcp://host").kind, Endpoint("tcp://host").address) == ("tcp", "host:2375")
    endpoint = Endpoint("tcp://host", TLSMaterial(ca="x"))
    assert (endpoint.kind, endpoint.address) == ("tls", "host:2376")
    assert Endpoint("https://host:443").kind == "tls"


def test_a_longest_socket_path_is_taken() -> None:
    path = "/" + "x" * 106
    assert parse_url(f"unix://{path}").path == path


def test_a_certificate_without_its_key_is_refused_by_field() -> None:
    with pytest.raises(EndpointError) as caught:
        Endpoint("tcp://host", TLSMaterial(cert="pem"))
    assert caught.value.field == "tls_key"
    with pytest.raises(EndpointError) as caught:
        Endpoint("tcp://host", TLSMaterial(key="pem"))
    assert caught.value.field == "tls_cert"


def test_tls_over_a_unix_socket_is_refused() -> None:
    with pytest.raises(EndpointError, match="tcp://"):
        Endpoint("unix:///run/d.sock", TLSMaterial())


def test_equal_endpoints_are_one_key_and_print_no_secret() -> None:
    one = Endpoint("ssh://root@host", ssh=SSHMaterial("PRIVATE", "line"))
    two = Endpoint("ssh://root@host", ssh=SSHMaterial("PRIVATE", "line"))
    assert {one: 1}[two] == 1
    assert "PRIVATE" not in repr(one)
    assert "PRIVATE" not in repr(Endpoint("tcp://host", TLSMaterial("ca", "cert", "PRIVATE")))


def test_an_error_survives_a_queue_between_processes() -> None:
    with pytest.raises(EndpointError) as caught:
        parse_url("tcp://h:99999")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.field, again.code) == (str(caught.value), "url", "bad_endpoint")
