"""A pasted `docker run` line: what it means, and what is said about one that cannot be used."""

import pytest

from common.errors import Invalid
from hosts.specs.run_line import from_run, to_run
from hosts.specs.spec import ContainerSpec, Health, Mount, to_json


def test_a_line_as_people_write_it_is_read() -> None:
    read = from_run(
        """$ sudo docker run -itd --rm --name=web \\
             -p 8080:80 -p127.0.0.1:53:53/udp \\
             -e "A=two words" -v /srv/www:/www:ro --net host --cpus=.5 -m 1.5g \\
             nginx:1.27 nginx -g 'daemon off;' --rm"""
    )
    assert to_json(read.spec) == {
        "image": "nginx:1.27",
        "name": "web",
        "command": ["nginx", "-g", "daemon off;", "--rm"],  # behind the image nothing is a flag
        "tty": True,
        "stdin": True,
        "auto_remove": True,
        "env": {"A": "two words"},
        "network_mode": "host",
        "ports": [
            {"container": 80, "host": "8080"},
            {"container": 53, "protocol": "udp", "host": "53", "address": "127.0.0.1"},
        ],
        "mounts": [{"target": "/www", "type": "bind", "source": "/srv/www", "read_only": True, "create": True}],
        "limits": {"cpus": 0.5, "memory": 1610612736},
    }
    assert read.start is True
    assert from_run("docker container create busybox").start is False
    assert from_run("busybox echo hi").spec.command == ["echo", "hi"]


WRONG = {
    "docker run --nothing x": "--nothing",
    "docker run -Q x": "-Q",
    "docker run --name": "--name wants a value",
    "docker run -m lots x": "“lots” is no size",
    "docker run -p 80:x x": "“80:x” is no port",
    "docker run -p 1-3:4-5 x": "1-3:4-5 differ in length",
    "docker run -p 0:80 x": "“0” is no port",
    "docker run -v data:path x": "“data:path” is no mount",
    "docker run -v /a:/b:nice x": "“nice” is no option",
    "docker run --mount type=bind,colour=red x": "colour=red",
    "docker run --restart sometimes x": "“sometimes”",
    "docker run -e NAME x": "“NAME” has no value here",
    "docker run --env-file .env x": "--env-file names a file",
    "docker run --health-interval soon x": "“soon” is no time span",
    "docker run --ulimit nofile x": "“nofile” is no limit",
    "docker run --ip 10.0.0.2 x": "for one --network",
    "docker run -e 'A=b x": "not closed",
    "docker run -v $(pwd):/x x": "“$(pwd):/x”",
    'docker run -e "A=$HOME" x': "“$HOME”",
    "docker run x && rm -rf /": "&",
    "docker run x; ls": ";",
    "docker ps": "“ps” makes no container",
    "docker run -it": "The image is missing",
    "": "The image is missing",
    "docker run -e A=\0 x": "not text",
    "docker run " + "-e A=b " * 20_000 + "x": "too long",
}


@pytest.mark.parametrize("line", WRONG, ids=lambda line: line[:40])
def test_what_cannot_be_used_is_named(line: str) -> None:
    with pytest.raises(Invalid) as caught:
        from_run(line)
    assert WRONG[line] in str(caught.value)


def test_what_means_nothing_here_is_said() -> None:
    read = from_run("docker run --cidfile /tmp/x -d --sig-proxy=false --detach-keys ctrl-q -a stdout busybox")
    assert to_json(read.spec) == {"image": "busybox"}
    assert len(read.notes) == 1 and "--cidfile" in read.notes[0]


def test_what_a_line_cannot_say_is_said() -> None:
    spec = ContainerSpec(
        image="x", health=Health(["CMD", "curl", "a b"]), mounts=[Mount("/t", "tmpfs", options=["exec"])]
    )
    line, notes = to_run(spec)
    assert "--health-cmd 'curl '\"'\"'a b'\"'\"''" in line
    assert len(notes) == 2 and "/t" in notes[1]


def test_quotes_of_a_shell_keep_what_is_in_them() -> None:
    read = from_run("""docker run -e A='$HOME && x' -e B="a\\$b" --health-cmd 'curl "$URL" || exit 1' x""")
    assert read.spec.env == {"A": "$HOME && x", "B": "a$b"}
    assert read.spec.health and read.spec.health.test[1] == 'curl "$URL" || exit 1'
