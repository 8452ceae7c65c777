"""Saved views: each person's own, and only lists."""

import pytest
from django.test import Client

from accounts.models import SavedView
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
SICK = "state=exited&state=dead&sort=-started"


@pytest.fixture
def vera(client: Client) -> Client:
    client.force_login(person("vera", "viewer"))
    return client


def save(client: Client, name: str = "sick", of: str = "container_list", query: str = SICK, **headers: str) -> int:
    return client.post("/views/save/", {"of": of, "name": name, "query": query}, headers=headers).status_code


def test_a_view_is_saved_shown_in_the_menu_replaced_and_removed(vera: Client) -> None:
    assert save(vera, query=f"{SICK}&page=7&target=a/b&search=") == 302
    view = SavedView.objects.get()
    assert (view.query, view.url) == (SICK, f"/containers/?{SICK}")
    menu = vera.get("/views/", {"of": "container_list", "query": SICK}).content.decode()
    assert 'aria-current="true"' in menu
    assert "sick" not in vera.get("/views/?of=image_list").content.decode()
    save(vera, query="state=dead")
    assert SavedView.objects.get().query == "state=dead"
    vera.post(f"/views/{SavedView.objects.get().pk}/remove/")
    assert not SavedView.objects.exists()


def test_nobody_sees_or_removes_the_view_of_another(vera: Client) -> None:
    save(vera)
    other = Client()
    other.force_login(person("otto", "deployer"))
    assert "sick" not in other.get("/views/?of=container_list").content.decode()
    assert other.post(f"/views/{SavedView.objects.get().pk}/remove/").status_code == 404
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize("of", ["nothing_list", "logout", "", "//evil.example_list", "host_page"])
def test_only_lists_have_views(vera: Client, of: str) -> None:
    assert save(vera, of=of) == 404
    assert vera.get("/views/", {"of": of}).status_code == 404


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("  ", SICK, "Give the view a name"),
        ("n" * 61, SICK, "Give the view a name"),
        ("much", "&".join(f"label=a-long-label-{n}" for n in range(200)), "too many filters"),
    ],
)
def test_a_wrong_one_is_refused_and_what_was_typed_stays(vera: Client, name: str, query: str, words: str) -> None:
    answer = vera.post(
        "/views/save/", {"of": "container_list", "name": name, "query": query}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert name in answer.content.decode()
    assert not SavedView.objects.exists()


def test_there_are_at_most_fifty_and_one_of_them_can_still_be_replaced(vera: Client) -> None:
    for number in range(50):
        assert save(vera, f"view {number}") == 302
    headers = {"HX-Request": "true"}
    assert save(vera, "one more", **headers) == 422
    assert save(vera, "view 7", query="state=dead", **headers) == 200
    assert SavedView.objects.count() == 50


def test_ctrl_k_finds_it(vera: Client) -> None:
    save(vera, "sick ones")
    assert f'href="/containers/?{SICK.replace("&", "&amp;")}"' in vera.get("/find/?q=sick").content.decode()
