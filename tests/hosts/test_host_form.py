"""Adding a host: what is wrong is said at the field, and nothing is stored."""

import pytest
from django.test import Client

from accounts.models import AuditEntry
from hosts.models import Host
from tests.rows import a_host, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    return client


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "quay"}, "name"),
        ({"name": "add"}, "name"),
        ({"url": ""}, "url"),
        ({"url": "docker.sock"}, "url"),
        ({"url": "tcp://10.0.0.1:99999", "kind": "tcp"}, "url"),
        ({"url": "tcp://10.0.0.1:2375"}, "url"),
        ({"url": "unix://relative"}, "url"),
        ({"labels": "nonsense"}, "labels"),
        ({"url": "tcp://10.0.0.1:2376", "kind": "tls", "tls_ca": "not a certificate"}, "tls_ca"),
        ({"url": "tcp://10.0.0.1:2376", "kind": "tls", "tls_cert": "x"}, "tls_key"),
        ({"url": "ssh://root@10.0.0.1", "kind": "ssh"}, "ssh_key"),
    ],
)
def test_it_names_the_field_that_is_wrong(admin: Client, values: dict[str, str], field: str) -> None:
    a_host()
    answer = admin.post(
        "/hosts/add/", {"name": "new", "kind": "unix", "url": "unix:///run/x.sock", "labels": ""} | values
    )
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert Host.objects.count() == 1


def test_it_stores_a_host_and_audits_it(admin: Client) -> None:
    answer = admin.post("/hosts/add/", {"name": "new", "kind": "unix", "url": "/run/x.sock", "labels": "site=jkt, a=b"})
    assert answer.status_code == 302
    host = Host.objects.get()
    assert (host.url, host.labels) == ("unix:///run/x.sock", {"site": "jkt", "a": "b"})
    assert AuditEntry.objects.filter(action="host.add", actor_name="ada").count() == 1


def test_removing_says_first_what_it_deletes(admin: Client) -> None:
    a_host()
    assert "Containers" in admin.get("/hosts/quay/remove/").content.decode()
    assert Host.objects.count() == 1
    admin.post("/hosts/quay/remove/")
    assert Host.objects.count() == 0
