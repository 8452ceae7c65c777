"""Policies as people make and see them: which one counts, who changes it, who is exempt."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, Grant
from accounts.rights import SYSTEM, Role
from common.errors import PolicyRefused
from hosts.actions import policing
from hosts.models import Host, Policy
from hosts.models.policies import in_force
from hosts.policy.refusals import NothingKnown
from hosts.policy.rules import Rules
from hosts.policy.services import check_service
from hosts.specs.body import Create
from hosts.specs.services.body import to_engine
from hosts.specs.services.inspected import from_inspect
from hosts.specs.services.spec import to_json
from tests.hosts.policy import escapes
from tests.rows import a_host, a_swarm, person

pytestmark = pytest.mark.django_db


def a_policy(**values: Any) -> Policy:
    rules = values.pop("rules", {})
    return Policy.objects.create(rules=Rules.of(rules).as_json(), by_name="ada", **values)


def bearer(user: Any) -> dict[str, str]:
    from accounts.models import ApiToken

    made: Any = ApiToken.make(user, "policy")
    return {"authorization": f"Bearer {made[1] if isinstance(made, tuple) else made}"}


def test_the_most_particular_policy_counts_whole() -> None:
    quay, fleet = a_host("quay"), a_host("fleet")
    Host.objects.filter(pk=quay.pk).update(labels={"env": "prod", "rack": "7"})
    quay.refresh_from_db()
    assert in_force(quay).places == ["built-in"] and in_force(quay).rules == [Rules()]
    a_policy(rules={"privileged": True})
    assert in_force(quay).places == in_force(fleet).places == ["all"]
    a_policy(label="env=prod", rules={"gpus": True, "binds": ["/srv"]})
    a_policy(label="rack", rules={"gpus": True})
    a_policy(label="env=test")
    assert in_force(quay).places == ["label:env=prod", "label:rack"]
    assert in_force(fleet).places == ["all"]
    own = a_policy(host=quay, rules={"namespaces": ["pid"]})
    assert in_force(quay).places == ["host:quay"] and in_force(quay).rules == [own.parsed]
    assert not own.parsed.privileged  # it counts whole


def test_of_several_labels_each_has_to_allow_it() -> None:
    quay, otto = a_host("quay"), person("otto", "deployer")
    Host.objects.filter(pk=quay.pk).update(labels={"env": "prod", "rack": "7"})
    quay.refresh_from_db()
    a_policy(label="env", rules={"gpus": True, "binds": ["/srv/team"]})
    a_policy(label="rack", rules={"gpus": True})

    def asked(**host: Any) -> None:
        body = {"Image": "busybox", "HostConfig": host}
        policing.allow(otto, [quay], policing.creation_check(otto, quay, Create({}, body)))

    asked(DeviceRequests=[{"Count": 1}])
    with pytest.raises(PolicyRefused) as refused:
        asked(Binds=["/srv/team:/d"])
    assert refused.value.params["rule"] == "binds"


def test_nobody_is_exempt_but_who_manages_the_host() -> None:
    quay, fleet = a_host("quay"), a_host("fleet")
    nils, otto = person("nils", "member"), person("otto", "deployer")
    Grant.objects.create(user=nils, role=Role.HOST_ADMIN, host=quay, by_name="ada")
    exempt = [(SYSTEM, quay), (person("ada", "admin"), quay), (person("hanna", "host_admin"), fleet), (nils, quay)]
    for rule, body in escapes.CONTAINERS.values():
        for actor, host in exempt:
            policing.allow(actor, [host], policing.creation_check(actor, host, Create({}, body)))
        for actor, host in ((otto, quay), (nils, fleet), (None, quay)):
            with pytest.raises(PolicyRefused) as refused:
                policing.allow(actor, [host], policing.creation_check(actor, host, Create({}, body)))
            assert refused.value.params["rule"] == rule


def test_who_manages_a_host_changes_its_policy_and_no_other(client: Client) -> None:
    quay, _fleet = a_host("quay"), a_host("fleet")
    nils = person("nils", "member")
    Grant.objects.create(user=nils, role=Role.HOST_ADMIN, host=quay, by_name="ada")
    client.force_login(nils)
    page = client.get("/hosts/quay/policy/edit/")
    assert page.status_code == 200 and "Kernel settings" in page.content.decode()
    sent = {"ports": "443\n8000-8999", "binds": "/srv/team\n/srv/common:ro", "gpus": "on", "about": "the shop"}
    assert client.post("/hosts/quay/policy/edit/", sent).status_code == 302
    stored = Policy.objects.get()
    assert (stored.place, stored.about, stored.by_name) == ("host:quay", "the shop", "nils")
    assert stored.parsed.ports == ("443", "8000-8999") and stored.parsed.gpus and not stored.parsed.log_drivers
    shown = client.get("/hosts/quay/policy/").content.decode()
    assert "/srv/common:ro" in shown and "host:quay" in shown
    entry = AuditEntry.objects.get(action="policy.add")
    assert entry.detail["after"]["gpus"] is True
    assert client.get("/hosts/fleet/policy/").status_code == 404
    assert client.get("/policies/add/").status_code == 403
    answer = client.post("/api/v1/policies", {"label": "env"}, "application/json", headers=bearer(nils))
    assert answer.status_code == 403
    assert client.post(f"/policies/{stored.pk}/remove/").status_code == 302
    assert not Policy.objects.exists() and AuditEntry.objects.filter(action="policy.remove").exists()


def test_who_sees_a_host_sees_its_policy_and_changes_nothing(client: Client) -> None:
    quay = a_host("quay")
    stored = a_policy(host=quay, rules={"sysctls": ["net.core.somaxconn"]})
    otto = person("otto", "deployer")
    client.force_login(otto)
    shown = client.get("/hosts/quay/policy/").content.decode()
    assert "net.core.somaxconn" in shown and "/policy/edit/" not in shown
    for path in ("/hosts/quay/policy/edit/", f"/policies/{stored.pk}/edit/", f"/policies/{stored.pk}/remove/"):
        assert client.post(path, {}).status_code == 403, path
    said = client.get("/api/v1/hosts/quay/policy", headers=bearer(otto)).json()
    assert said["exempt"] is False and said["rules"][0]["from"] == "host:quay"
    assert Policy.objects.get().parsed.sysctls == ("net.core.somaxconn",)


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"binds": ["srv"]}, "binds"),
        ({"binds": ["/"]}, "binds"),
        ({"binds": ["/srv/../etc"]}, "binds"),
        ({"binds": ["/srv", "/srv/team"]}, "binds"),
        ({"devices": ["/dev/"]}, "devices"),
        ({"ports": ["80-20"]}, "ports"),
        ({"ports": ["70000"]}, "ports"),
        ({"namespaces": ["mount"]}, "namespaces"),
        ({"limits": ["disk"]}, "limits"),
        ({"volume_types": ["none"]}, "volume_types"),
    ],
)
def test_what_no_rule_can_be_is_said_at_its_field(client: Client, rules: Any, field: str) -> None:
    headers = bearer(person("ada", "admin"))
    answer = client.post("/api/v1/policies", {"rules": rules}, "application/json", headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert not Policy.objects.exists()


def test_policies_over_rest(client: Client) -> None:
    headers = bearer(person("ada", "admin"))

    def ask(method: str, path: str, body: Any = None) -> Any:
        return getattr(client, method)(f"/api/v1/{path}", body, "application/json", headers=headers)

    made = ask("post", "policies", {"label": "env=prod", "rules": {"binds": ["/srv/team"]}})
    assert made.status_code == 201 and made.json()["rules"]["log_drivers"]
    assert ask("post", "policies", {"label": "env=prod"}).json()["field"] == "label"
    assert ask("post", "policies", {"label": "a", "host": "b"}).status_code == 422
    assert ask("post", "policies", {"rules": {"privilege": True}}).status_code == 422
    pk = made.json()["id"]
    changed = ask("patch", f"policies/{pk}", {"rules": {"privileged": True}}).json()
    assert changed["rules"]["privileged"] and changed["rules"]["binds"] == ["/srv/team"]
    assert AuditEntry.objects.get(action="policy.change").detail == {
        "before": {"privileged": False},
        "after": {"privileged": True},
    }
    assert client.get("/api/v1/policies", headers=headers).json()["count"] == 1
    assert client.delete(f"/api/v1/policies/{pk}", headers=headers).status_code == 204
    assert client.get(f"/api/v1/policies/{pk}", headers=headers).status_code == 404


def test_no_service_that_leads_out_is_asked_of_a_swarm(client: Client) -> None:
    swarm = a_swarm(a_host("quay"))
    headers, tried = bearer(person("otto", "deployer")), 0
    for name, (rule, body) in escapes.SERVICES.items():
        spec = from_inspect(body)
        if not check_service(to_engine(spec, "1.48"), Rules(), NothingKnown()):
            continue  # no path of ours carries it
        sent = to_json(spec)
        answer = client.post(f"/api/v1/services/{swarm.name}", sent, "application/json", headers=headers)
        if answer.status_code != 403:
            print(name, answer.status_code, answer.content)
        tried += answer.status_code == 403
        assert answer.status_code in {403, 422}, (name, answer.content)
        assert answer.status_code == 422 or f"({rule})" in answer.json()["title"], (name, answer.content)
    assert tried >= 12, tried


def test_the_form_of_containers_says_what_is_forbidden(client: Client) -> None:
    a_host("quay")
    client.force_login(person("otto", "deployer"))
    page = client.get("/containers/create/?host=quay").content.decode()
    assert "policy of quay</a> forbids: Privileged containers" in page
    client.force_login(person("hanna", "host_admin"))
    assert "forbids:" not in client.get("/containers/create/?host=quay").content.decode()
