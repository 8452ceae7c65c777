"""The API's doors: who is let in, and what is said of a request that cannot be read."""

import pytest
from django.test import Client

from accounts.models import ApiToken
from hosts.models import Host
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]


@pytest.fixture
def api(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    return client


def test_a_session_changes_nothing_without_the_page_s_csrf_token() -> None:
    a_host()
    browser = Client(enforce_csrf_checks=True)
    ada = person("ada", "admin")
    browser.force_login(ada)
    assert browser.delete("/api/v1/hosts/quay").status_code == 403
    assert Host.objects.exists()
    browser.get("/hosts/add/")
    token = browser.cookies["csrftoken"].value
    assert browser.delete("/api/v1/hosts/quay", headers={"X-CSRFToken": token}).status_code == 204
    a_host()
    program = Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {ApiToken.make(ada, 'ci')}"}
    assert program.delete("/api/v1/hosts/quay", headers=headers).status_code == 204


@pytest.mark.parametrize(
    "path", ["/api/v1/hosts/%00", "/api/v1/jobs?state=%00", "/containers/?search=%00", "/containers/quay/a%00b/"]
)
def test_a_nul_is_refused_before_the_database_sees_it(api: Client, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 400
    if path.startswith("/api/"):
        assert answer["Content-Type"] == "application/problem+json"


def test_a_nul_in_a_form_finds_nothing(api: Client) -> None:
    containers(a_host(), container_json("web"))
    assert api.post("/containers/bulk/stop/", {"target": "quay\0x/web"}).status_code == 404
    assert api.post("/images/prune/", {"host": "nobody\0"}).status_code in {404, 422}


def test_a_body_that_cannot_be_read_is_a_problem_with_a_code(api: Client) -> None:
    a_host()
    answer = api.post("/api/v1/images/quay/pull", "{", "application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    wrong = api.post("/api/v1/images/quay/pull", {"image": 4}, "application/json")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.image")


def test_a_changed_address_brings_its_kind_along(api: Client) -> None:
    a_host()
    answer = api.patch("/api/v1/hosts/quay", {"url": "tcp://10.0.0.5:2375"}, "application/json")
    assert (answer.status_code, answer.json()["kind"]) == (200, "tcp")


def test_a_label_cannot_smuggle_another_one(api: Client) -> None:
    a_host()
    for labels in ({"a": "b,c=d"}, {"a=b": "c"}, {"a,b": "c"}):
        answer = api.patch("/api/v1/hosts/quay", {"labels": labels}, "application/json")
        assert (answer.status_code, answer.json()["field"]) == (422, "labels")
    answer = api.patch("/api/v1/hosts/quay", {"labels": {"site": "jkt=1"}}, "application/json")
    assert answer.json()["labels"] == {"site": "jkt=1"}
