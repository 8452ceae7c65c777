"""Ctrl K: what it finds, for whom."""

import re
from contextlib import suppress
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Config, Container, Host, Image, Network, Node, Plugin, Registry, Secret, Service, Volume
from hosts.palette import PLACES
from hosts.views.find_acts import NOUNS
from jobs.models import Job, Schedule
from tests.hosts.swarm.rows import SERVICE, TASK, some_services
from tests.rows import a_host, a_swarm, container_json, containers, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]
OPTION = re.compile(r'role="option".*?<span class="words clip">(.*?)</span>', re.S)


@pytest.fixture
def fleet() -> Host:
    host = a_host("fra-1")
    containers(host, container_json("web"), container_json("web-db", State="exited"), container_json("other"))
    Job.objects.create(kind="image.pull", by_name="ada", host="fra-1", target="acme/web:2")
    Schedule.objects.create(name="web nightly", kind="image.pull", cron="0 0 * * *", timezone="UTC")
    return host


def found(role: str, query: str) -> tuple[list[str], str]:
    client = Client()
    client.force_login(person(f"{role}-{query}"[:30], role))
    answer = client.get("/find/", {"q": query})
    assert answer.status_code == 200
    page = answer.content.decode()
    return OPTION.findall(page), page


def test_it_finds_objects_jobs_schedules_and_the_lists_for_the_words(fleet: Host) -> None:
    words, page = found("viewer", "web")
    assert words[:2] == ["web", "web-db"]
    assert "Pull image acme/web:2" in words
    assert "web nightly" in words
    assert 'href="/containers/?search=web"' in page
    assert "fra-1" in found("viewer", "fra")[0]


def test_it_offers_every_list_and_every_form_that_needs_nothing_first() -> None:
    ends = ("_list", "_create", "_add", "_init", "_join", "_pull", "_build", "_load", "_install", "_prune", "_restore")
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str) and name.endswith(ends)}
    without = set()
    for name in names - {
        "disk_prune",
        "usersessions_list",
    }:  # one begins with what the disk page measured; one is allauth's
        with suppress(NoReverseMatch):
            without.add(name if reverse(name) else "")
    assert len(without) > 30
    assert without - {place.page for place in PLACES} == set()
    words, page = found("admin", "network")
    assert "New network" in words and "Prune networks" in words and 'href="/networks/create/"' in page
    assert "New network" not in found("viewer", "network")[0]


def test_a_page_whose_name_begins_with_the_words_comes_first(fleet: Host) -> None:
    Job.objects.create(kind="volume.backup", by_name="ada", host="fra-1", target="volumes -> loft")
    words, _page = found("admin", "vol")
    assert words[0] == "Volumes" and "Back up volume volumes -&gt; loft" in words
    assert words.index("New volume") > words.index("Back up volume volumes -&gt; loft")


def test_it_finds_every_noun_by_its_name_and_leads_to_its_page(fleet: Host) -> None:
    apply.apply_rows(fleet, "image", [parse.image_row({"Id": "sha256:1", "RepoTags": ["shop/redis:7"], "Size": 5})])
    apply.apply_rows(fleet, "network", [parse.network_row({"Id": "n1", "Name": "shop-back", "Driver": "bridge"})])
    apply.apply_rows(fleet, "volume", [parse.volume_row({"Name": "shop-data", "Driver": "local"})])
    apply.apply_rows(fleet, "plugin", [parse.plugin_row({"Id": "p1", "Name": "shop-nfs:1"})])
    Registry.objects.create(name="shop-hub", address="registry.example")
    swarm = some_services(fleet)  # the stack shop, with web in it
    base: Any = {"engine_id": "s" * 25, "swarm": swarm, "seen": timezone.now()}
    Secret.objects.create(**base, name="shop-key")
    Config.objects.create(**base, name="shop-conf")
    Node.objects.create(**base, name="shop-node", role="worker")
    _words, page = found("admin", "shop")
    for path in (
        "/images/fra-1/",
        "/networks/fra-1/n1/",
        "/volumes/fra-1/shop-data/",
        "/plugins/fra-1/p1/",
        "/registries/shop-hub/",
        "/stacks/swarm/shop/",
        "/secrets/swarm/",
        "/configs/swarm/",
        "/nodes/swarm/",
    ):
        assert f'href="{path}' in page, path
    _words, page = found("admin", "web")
    for path in ("/containers/fra-1/", f"/services/swarm/{SERVICE}/", f"/tasks/swarm/{TASK[:-1]}1/", "/jobs/"):
        assert f'href="{path}' in page, path
    places = set(found("admin", "")[0])
    assert {"Plugins", "Registries", "Services", "Tasks", "Stacks", "Networks", "Volumes", "Schedules"} <= places


def test_an_image_is_found_by_each_of_its_names(fleet: Host) -> None:
    raw = {"Id": "sha256:1", "RepoTags": ["boom/first:1", "crane/second:2"], "Size": 5}
    apply.apply_rows(fleet, "image", [parse.image_row(raw)])
    assert "boom/first:1" in found("viewer", "CRANE second")[0]
    assert "Remove boom/first:1" in found("admin", "remove crane/sec")[0]
    assert "boom/first:1" not in found("viewer", "third")[0]


def test_nothing_typed_gives_the_places_that_one_may_see(fleet: Host) -> None:
    assert {"Users", "Add host", "Pull an image"} <= set(found("admin", "")[0])
    assert not {"Users", "Add host", "Pull an image", "Diagnostics"} & set(found("viewer", "")[0])


def test_a_verb_and_a_name_are_an_act_that_the_state_and_the_rights_allow(fleet: Host) -> None:
    words, page = found("deployer", "restart web")
    web = Container.objects.get(name="web")
    assert words[0] == "Restart web"
    assert f'action="/containers/fra-1/{web.engine_id[:12]}/restart/"' in page
    assert "Restart web?" in page  # asks first
    assert f'data-confirm-affected="fra-1/{web.engine_id[:12]}"' in page  # and says who leans on it
    assert "Start web-db" in found("deployer", "start web")[0]
    assert "Logs web" in found("viewer", "logs web")[0]
    assert not [word for word in found("viewer", "restart web")[0] if word.startswith("Restart")]


def test_what_was_typed_is_only_text(fleet: Host) -> None:
    _words, page = found("viewer", '<script>alert("x")</script>')
    assert "<script>" not in page
    assert found("viewer", "a" * 5000)[0] is not None


def test_acts_on_other_objects_lead_to_a_dialog_or_a_page_that_is_there(fleet: Host) -> None:
    apply.apply_rows(fleet, "image", [parse.image_row({"Id": "sha256:1", "RepoTags": ["crane:7"], "Size": 5})])
    apply.apply_rows(fleet, "network", [parse.network_row({"Id": "n1", "Name": "crane-net", "Driver": "bridge"})])
    apply.apply_rows(fleet, "volume", [parse.volume_row({"Name": "crane-data", "Driver": "local"})])
    apply.apply_rows(fleet, "plugin", [parse.plugin_row({"Id": "p1", "Name": "crane-nfs:1", "Enabled": True})])
    a_swarm(fleet)
    names = {
        Image: "crane:7",
        Network: "crane-net",
        Volume: "crane-data",
        Plugin: "crane-nfs:1",
        Service: "web",
        Node: "buoy-a",
    }
    client = Client()
    client.force_login(person("ada", "admin"))
    for noun in NOUNS:
        for act in noun.acts:
            page = client.get("/find/", {"q": f"{act.verb} {names[noun.model]}"}).content.decode()
            option = rf'<a role="option"[^>]* href="([^"]*)"[^>]*>(?:(?!</a>).)*{act.words} {names[noun.model]}<'
            link = re.search(option, page, re.S)
            assert link, f"{act.verb} {names[noun.model]}"
            answer = client.get(link[1], headers={"HX-Request": "true"} if "hx-get" in link[0] else {})
            assert answer.status_code == 200, link[1]
            form = re.search(r'data-action="([^"]*)"', link[0])
            done = act.verb in {
                "enable",
                "promote",
            }  # which the plugin and the manager are: their pages have no such form
            assert not form or done or f'action="{form[1]}"' in answer.content.decode(), link[0]
    for role, offered in (("deployer", True), ("viewer", False)):
        words, _page = found(role, "scale web")
        assert ("Scale web" in words) == offered
