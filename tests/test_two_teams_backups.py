"""Two teams on one real engine: each backs up, restores and copies volumes of its own, and comes to nothing of the other's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.run import current
from tests.hosts.backups import cargo
from tests.servers.jobs import ended
from tests.servers.member import Member, members
from tests.servers.product import Product
from tests.waiting import until

NOT_THERE = 4_711_000  # the number of no row


@pytest.fixture(scope="module")
def shelf(product: Product) -> Iterator[str]:
    """A destination, which is the installation's."""
    folder = current().folder / "backups" / "team-shelf"
    folder.mkdir(parents=True)
    product.api("destinations", "POST", name="team-shelf", kind="folder", folder=str(folder))
    yield "team-shelf"
    if left := [backup["id"] for backup in product.api("backups?destination=team-shelf&limit=500")["items"]]:
        cargo.done(product, "backups/remove", backups=left)
    product.api("destinations/team-shelf", "DELETE")


@pytest.fixture
def teams(product: Product, docker_engine: DockerEngine, shelf: str) -> Iterator[tuple[Member, Member]]:
    with members(product, docker_engine, "blue", "red") as (blue, red):
        yield blue, red


def fill(engine: DockerEngine, volume: str, words: str) -> None:
    engine.docker("run", "--rm", "-v", f"{volume}:/v", "busybox", "sh", "-c", f"echo {words} > /v/words")


def words_in(engine: DockerEngine, volume: str) -> str:
    return engine.docker("run", "--rm", "-v", f"{volume}:/v", "busybox", "cat", "/v/words").strip()


def volume_of(member: Member, engine: DockerEngine, name: str = "data", words: str = "") -> str:
    """A volume that the member makes, with the words in it."""
    volume = f"{member.team}-{name}"
    member.does("volumes/local", name=volume)
    until(lambda: volume in member.names("volumes"), "the volume shows")
    fill(engine, volume, words or f"of {member.team}")
    return volume


def backed_up(member: Member, volume: str, **more: Any) -> int:
    """The number of a backup that the member makes of the volume."""
    job = member.does(f"volumes/local/{volume}/backup", destination="team-shelf", **more)
    assert job["state"] == "done", job
    return int(job["result"]["backup"])


def backups(member: Member) -> list[int]:
    found = member.ask("backups").json()
    assert found["count"] == len(found["items"])
    return [row["id"] for row in found["items"]]


def refusal(answer: requests.Response, *names: str) -> tuple[int, str]:
    """What is answered, without the names and numbers that were asked for."""
    text = answer.text
    for name in names:
        text = text.replace(name, "NAME")
    return answer.status_code, text


def labels(engine: DockerEngine, volume: str) -> dict[str, str]:
    return dict(json.loads(engine.docker("volume", "inspect", volume))[0]["Labels"] or {})


@pytest.mark.core
def test_a_team_backs_up_and_restores_its_own(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    blue, red = teams
    data = volume_of(blue, docker_engine)
    backup = backed_up(blue, data)
    (shown,) = blue.ask("backups").json()["items"]
    assert (shown["id"], shown["volume"], shown["team"], shown["by"]) == (backup, data, blue.team, blue.name)
    content = blue.ask(f"backups/{backup}/download").content
    assert cargo.sha256(content) == shown["sha256"] and "./words" in cargo.names(content)
    assert "./words" in cargo.names(blue.ask(f"volumes/local/{data}/backup").content)
    assert blue.does(f"backups/{backup}/check")["state"] == "done"
    # into a new volume, and into the one that is there
    again = f"{blue.team}-again"
    job = blue.does(f"backups/{backup}/restore", volume=again)
    assert job["state"] == "done", job
    assert words_in(docker_engine, again) == f"of {blue.team}" and again in blue.names("volumes")
    assert labels(docker_engine, again) == {"dermaga.team": blue.team}
    fill(docker_engine, data, "spoilt")
    job = blue.does(f"backups/{backup}/restore", volume=data, replace=True)
    assert job["state"] == "done", job
    assert words_in(docker_engine, data) == f"of {blue.team}"
    # the other
    assert backups(red) == [] and again not in red.names("volumes")
    places = red.ask("destinations?search=shelf").json()["items"]
    assert [(place["name"], place["folder"]) for place in places] == [("team-shelf", "")]
    assert red.ask("destinations?search=backups").json()["count"] == 0
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "backups/{}", {}),
        ("GET", "backups/{}/download", {}),
        ("POST", "backups/{}/check", {}),
        ("POST", "backups/{}/restore", {"volume": f"{red.team}-mine"}),
    ]
    for method, path, body in asked:
        theirs, nobodys = (red.ask(path.format(number), method, **body) for number in (backup, NOT_THERE))
        assert theirs.status_code == 404 and theirs.text == nobodys.text, path
    theirs, nobodys = (red.ask("backups/remove", "POST", backups=[number]) for number in (backup, NOT_THERE))
    assert theirs.status_code == 404 and theirs.text == nobodys.text
    assert red.ask(f"jobs/{job['id']}").status_code == 404 and blue.team not in red.ask("jobs?limit=500").text
    # whose act it was
    for action in ("volume.backup", "backup.download", "backup.check", "backup.restore", "volume.restore"):
        rows = product.api(f"audit?action={action}&actor={blue.name}")["items"]
        assert rows and {row["outcome"] for row in rows} == {"done"}, action
    assert blue.does("backups/remove", backups=[backup])["state"] == "done"
    assert backups(blue) == []


def test_a_copy_is_the_same_teams_and_counts_for_it(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    blue, red = teams
    data, found = volume_of(blue, docker_engine), f"found-{blue.team}"
    copy = f"{blue.team}-copy"
    job = blue.does(f"volumes/local/{data}/copy", name=copy)
    assert job["state"] == "done", job
    assert words_in(docker_engine, copy) == f"of {blue.team}" and labels(docker_engine, copy) == labels(
        docker_engine, data
    )
    assert copy in blue.names("volumes") and copy not in red.names("volumes")
    assert red.ask(f"jobs/{job['id']}").status_code == 404
    # whose it is by somebody's word, whatever its label says
    docker_engine.docker("volume", "create", "--label", f"dermaga.team={red.team}", found)
    until(lambda: found in red.names("volumes"), "it is red's by its label")
    product.api("owners", "PUT", noun="volume", host="local", ref=found, team=blue.team)
    job = blue.does(f"volumes/local/{found}/copy", name=f"{found}-copy")
    assert job["state"] == "done", job
    assert labels(docker_engine, f"{found}-copy") == {"dermaga.team": blue.team}
    assert f"{found}-copy" not in red.names("volumes")
    # an administrator's copy of it too
    made = ended(product, product.api(f"volumes/local/{found}/copy", "POST", name=f"{found}-more")["job"])
    assert made["state"] == "done" and f"{found}-more" in blue.names("volumes")
    assert blue.ask(f"jobs/{made['id']}").status_code == 200
    # no more than the team may have
    product.api("quotas", "PUT", team=blue.team, host="local", volumes=5)
    backup = backed_up(blue, data)
    for path, body in (
        (f"volumes/local/{data}/copy", {"name": f"{blue.team}-sixth"}),
        (f"backups/{backup}/restore", {"volume": f"{blue.team}-sixth"}),
    ):
        refused = blue.ask(path, "POST", **body)
        assert (refused.status_code, refused.json()["code"]) == (403, "quota_exceeded"), refused.text
    # nor of several that are asked for at once
    product.api("quotas", "PUT", team=blue.team, host="local", volumes=6)
    jobs = [
        blue.ask(f"volumes/local/{data}/copy", "POST", name=f"{blue.team}-at-once-{n}").json()["job"] for n in range(3)
    ]
    ends = [blue.end(job) for job in jobs]
    assert sorted(job["state"] for job in ends) == ["done", "failed", "failed"]
    assert all("The quota of the team" in job["error"] for job in ends if job["state"] == "failed")
    (there,) = docker_engine.docker("volume", "ls", "-q", "--filter", f"name={blue.team}-at-once").split()
    assert there in blue.names("volumes")
    assert f"{blue.team}-sixth" not in docker_engine.docker("volume", "ls", "-q").split()
    rows = product.api(f"audit?action=volume.copy&actor={blue.name}")["items"]
    assert sorted(row["outcome"] for row in rows) == ["done"] * 3 + ["refused"] * 3
    docker_engine.docker("volume", "rm", found)


def test_a_name_that_is_another_teams_is_taken_and_no_more_is_said(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    blue, red = teams
    mine, theirs, kept = volume_of(red, docker_engine), volume_of(blue, docker_engine), f"{blue.team}-kept"
    docker_engine.docker("volume", "create", kept)
    until(lambda: kept in {row["name"] for row in product.api("volumes?limit=500")["items"]}, "it shows")
    product.api("owners", "PUT", noun="volume", host="local", ref=kept, team=blue.team)
    docker_engine.docker("volume", "rm", kept)
    until(lambda: kept not in blue.names("volumes"), "it is gone, and will be blue's when it comes again")
    backup, before = backed_up(red, mine), red.ask("jobs?limit=1").json()["count"]
    answers = [refusal(red.ask(f"volumes/local/{mine}/copy", "POST", name=name), name) for name in (theirs, kept)]
    assert answers[0][0] == 422 and answers[0] == answers[1]
    answers = [refusal(red.ask(f"backups/{backup}/restore", "POST", volume=name), name) for name in (theirs, kept)]
    assert answers[0][0] == 422 and answers[0] == answers[1]
    # what is to be replaced
    unknown = f"{blue.team}-none"
    answers = [
        refusal(red.ask(f"backups/{backup}/restore", "POST", volume=name, replace=True), name)
        for name in (theirs, kept, unknown)
    ]
    assert answers[0][0] == 422 and "There is no volume called NAME on local" in answers[0][1]
    assert answers == [answers[0]] * 3
    # what is to be read
    for path, body in (("copy", {"name": f"{red.team}-x"}), ("backup", {"destination": "team-shelf"})):
        answers = [refusal(red.ask(f"volumes/local/{name}/{path}", "POST", **body), name) for name in (theirs, unknown)]
        assert answers[0][0] == 404 and answers[0] == answers[1]
    assert red.ask("jobs?limit=1").json()["count"] == before
    assert words_in(docker_engine, theirs) == f"of {blue.team}"


def test_backups_go_with_their_volume_and_not_with_its_name(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    blue, red = teams
    data = volume_of(blue, docker_engine)
    backup = backed_up(blue, data)
    job = blue.ask(f"backups/{backup}").json()["job"]
    product.api("owners", "PUT", noun="volume", host="local", ref=data, team=red.team)
    assert backups(blue) == [] and blue.ask(f"backups/{backup}").status_code == 404
    assert backups(red) == [backup] and red.ask(f"backups/{backup}").json()["team"] == red.team
    # what was done is still the team's that did it
    assert blue.ask(f"jobs/{job}").status_code == 200 and red.ask(f"jobs/{job}").status_code == 404
    red.does(f"volumes/local/{data}/remove")
    assert backups(red) == [backup]
    product.api("owners", "PUT", noun="volume", host="local", ref=volume_of(red, docker_engine), team=red.team)
    # a new one of that name is not what the backup was made of
    docker_engine.docker("volume", "create", data)
    until(lambda: data in red.names("volumes"), "by the word about its name it is red's")
    product.api("owners", "PUT", noun="volume", host="local", ref=data, team=blue.team)
    assert data in blue.names("volumes")
    assert backups(blue) == [] and backups(red) == [backup]
    assert blue.ask(f"backups/{backup}/restore", "POST", volume=data, replace=True).status_code == 404
    refused = red.ask(f"backups/{backup}/restore", "POST", volume=data, replace=True)
    assert refused.status_code == 422 and "There is no volume called" in refused.text
    docker_engine.docker("volume", "rm", data)


def test_what_is_shared_is_not_backed_up_and_who_uses_it_is_not_named(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    blue, red = teams
    data, box = volume_of(blue, docker_engine), f"{red.team}-box"
    product.api("owners", "PUT", noun="volume", host="local", ref=data, shared=[red.team])
    backup = backed_up(blue, data)
    assert data in red.names("volumes") and backups(red) == []
    for method, path, body in (
        ("POST", "backup", {"destination": "team-shelf"}),
        ("GET", "backup", {}),
        ("POST", "copy", {"name": f"{red.team}-copy"}),
    ):
        assert red.ask(f"volumes/local/{data}/{path}", method, **body).status_code == 403, path
    mounts = [{"type": "volume", "source": data, "target": "/data"}]
    command = ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]
    made = red.does("containers/local", image="busybox", name=box, command=command, mounts=mounts)
    assert made["state"] == "done", made
    until(lambda: box in red.names("containers"), "it runs")
    # blue's job names nobody of red's, and stops nobody
    job = blue.does(f"volumes/local/{data}/backup", destination="team-shelf")
    assert job["state"] == "done", job
    log = blue.ask(f"jobs/{job['id']}/log").text
    assert "a container of somebody else" in log and red.team not in log
    stopping: list[tuple[str, dict[str, Any]]] = [
        (f"volumes/local/{data}/backup", {"destination": "team-shelf"}),
        (f"volumes/local/{data}/copy", {"name": f"{blue.team}-copy"}),
        (f"backups/{backup}/restore", {"volume": data, "replace": True}),
    ]
    for path, more in stopping:
        job = blue.does(path, stop=True, **more)
        assert job["state"] == "failed" and "that are not your team's" in job["error"], job
        assert red.team not in json.dumps(job)
    assert docker_engine.docker("inspect", "-f", "{{.State.Running}} {{.RestartCount}}", box).split() == ["true", "0"]
    job = blue.does(f"backups/{backup}/restore", volume=data, replace=True)
    assert job["state"] == "failed" and red.team not in json.dumps(job)
    # an administrator's, whose page is blue's
    told = ended(
        product, product.api(f"volumes/local/{data}/backup", "POST", destination="team-shelf", stop=True)["job"]
    )
    assert told["state"] == "done", told
    log = blue.ask(f"jobs/{told['id']}/log").text
    assert "a container of somebody else" in log and red.team not in log
    assert docker_engine.docker("inspect", "-f", "{{.State.Running}}", box).strip() == "true"
    docker_engine.docker("rm", "-f", box)


def test_podman_runs_programs_of_images_that_the_team_sees_alone(
    teams: tuple[Member, Member], product: Product, podman_engine: PodmanEngine
) -> None:
    """Its files are read by a helper's own tar."""
    blue, red = teams
    data = f"{blue.team}-data"
    product.api("hosts", "POST", name="raft", url=podman_engine.url)
    try:
        until(lambda: product.api("hosts/raft")["state"] == "online", "raft is online")
        for team in (blue, red):
            product.api("grants", "POST", team=team.team, role="deployer", host="raft", own=True)
        blue.does("volumes/raft", name=data)
        podman_engine.docker("run", "--rm", "-v", f"{data}:/v", "busybox", "sh", "-c", "echo one > /v/words")
        until(lambda: data in blue.names("volumes"), "the volume shows")
        job = blue.does(f"volumes/raft/{data}/backup", destination="team-shelf")
        assert job["state"] == "failed" and "no image there has it" in job["error"], job
        assert blue.ask(f"volumes/raft/{data}/backup").status_code == 409
        image = until(lambda: product.api("images?host=raft&search=busybox")["items"], "the image shows")[0]["tags"][0]
        product.api("owners", "PUT", noun="image", host="raft", ref=image, shared=[blue.team])
        job = blue.does(f"volumes/raft/{data}/backup", destination="team-shelf")
        assert job["state"] == "done", job
        assert "./words" in cargo.names(blue.ask(f"volumes/raft/{data}/backup").content)
        podman_engine.docker("run", "--rm", "-v", f"{data}:/v", "busybox", "sh", "-c", "echo two > /v/words")
        restore = f"backups/{job['result']['backup']}/restore"
        assert red.ask(restore, "POST", volume=data, replace=True).status_code == 404
        ends = [blue.does(restore, volume=data, replace=True), blue.does(f"volumes/raft/{data}/copy", name=f"{data}-2")]
        assert [end["state"] for end in ends] == ["done", "done"], ends
        for volume in (data, f"{data}-2"):
            assert "one" in podman_engine.docker("run", "--rm", "-v", f"{volume}:/v", "busybox", "cat", "/v/words")
        assert f"{data}-2" in blue.names("volumes") and f"{data}-2" not in red.names("volumes")
    finally:
        for volume in (data, f"{data}-2"):
            podman_engine.docker("volume", "rm", "-f", volume)
        product.api("hosts/raft", "DELETE")


def test_a_file_that_is_sent_goes_into_the_teams_own(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    blue, red = teams
    mine, theirs = volume_of(blue, docker_engine), volume_of(red, docker_engine)

    def send(volume: str, **more: str) -> requests.Response:
        return requests.post(
            f"{product.url}/api/v1/volumes/local/restore",
            headers={"Authorization": f"Bearer {blue.token}"},
            data={"volume": volume, **more},
            files={"file": ("sent.tar.zst", cargo.packed_of(words="sent\n"))},
            timeout=30,
        )

    new = f"{blue.team}-sent"
    for volume, more in ((new, {}), (mine, {"replace": "true"})):
        answer = send(volume, **more)
        assert answer.status_code == 202, answer.text
        job = blue.end(answer.json()["job"])
        assert job["state"] == "done", job
        assert words_in(docker_engine, volume) == "sent"
    assert labels(docker_engine, new) == {"dermaga.team": blue.team} and new not in red.names("volumes")
    unknown = f"{red.team}-none"
    answers = [refusal(send(name, replace="true"), name) for name in (theirs, unknown)]
    assert answers[0][0] == 422 and answers[0] == answers[1]
    assert send(theirs).status_code == 422 and words_in(docker_engine, theirs) == f"of {red.team}"


def test_what_waits_is_not_done_once_the_volume_is_another_teams(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    """By whoever it was asked: its page is the former team's."""
    blue, red = teams
    data = volume_of(blue, docker_engine)
    schedule: dict[str, Any] = {"name": f"{blue.team}-nightly", "cron": "0 3 * * *", "keep_last": 3}
    plans = [
        blue.does(f"volumes/local/{data}/backup/schedule", destination="team-shelf", **schedule)["id"],
        product.api(
            f"volumes/local/{data}/backup/schedule",
            "POST",
            destination="team-shelf",
            **schedule | {"name": f"{blue.team}-by-ada"},
        )["id"],
    ]
    assert blue.does(f"schedules/{plans[0]}/run")["state"] == "done"
    names = {row["name"] for row in blue.ask("schedules").json()["items"]}
    assert names == {f"{blue.team}-nightly", f"{blue.team}-by-ada"} and not red.ask("schedules").json()["items"]
    product.api("owners", "PUT", noun="volume", host="local", ref=data, team=red.team)
    job = blue.does(f"schedules/{plans[0]}/run")
    assert job["state"] == "failed" and "belongs to another team" in job["error"], job
    job = ended(product, product.api(f"schedules/{plans[1]}/run", "POST")["job"])
    assert job["state"] == "failed" and "belongs to another team" in job["error"], job
    assert len(backups(red)) == 1
    for plan in plans:
        product.api(f"schedules/{plan}", "DELETE")
