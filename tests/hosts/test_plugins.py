"""Managed plugins: privileges first, then installed from a registry, switched, set, upgraded and removed, by page and REST."""

import io
import json
import re
import tarfile
import time
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import requests
from django.test import Client

from accounts.rights import RIGHTS_OF, Right, Role
from hosts.engine import parse
from hosts.inventory import apply
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import tar_of
from tests.engines.plugins import plugin_tar, push_plugin
from tests.engines.podman_engine import PodmanEngine
from tests.engines.registry import PASSWORD, Registry
from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Held
from tests.hosts.logins import WRONG, a_host, stored
from tests.rows import a_host as a_host_row
from tests.rows import person
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core
FRAGMENT = {"HX-Request": "true"}


def sent(product: Product, path: str, **fields: Any) -> dict[str, Any]:
    """The end of the job that a form has started."""
    answer = product.post(path, **fields)
    found = re.fullmatch(rf"{product.url}/jobs/(\d+)/", answer.url)
    assert answer.ok and found, f"{answer.status_code} {answer.url} {answer.text[-3000:]}"
    return ended(product, int(found[1]))


def looked(product: Product, path: str, **fields: Any) -> str:
    """The page once the registry was asked, as it asks for itself again and again."""

    def there() -> str:
        answer = product.post(path, **fields)
        found = re.search(r'name="look" value="(\d+)"', answer.text)
        fields["look"] = found[1] if found else ""
        return "" if found else answer.text

    html: str = until(there, "the registry was asked")
    return html


def privileges(product: Product, reference: str, **more: Any) -> Any:
    """The end of a look over REST."""
    return ended(product, product.api("plugins/local/privileges", "POST", plugin=reference, **more)["job"])


def plugin(product: Product, name: str, state: str = "") -> dict[str, Any]:
    """The plugin in the tables, in this state."""

    def found() -> Any:
        rows = product.api(f"plugins?host=local&search={name}")["items"]
        return next((row for row in rows if row["name"] == name and state in {"", row["state"]}), None)

    row: dict[str, Any] = until(found, f"{name} shows {state}")
    return row


def granted(html: str) -> str:
    """What a page has shown and asks to grant."""
    found = re.search(r'name="granted" value="([^"]*)"', html)
    assert found, html[-3000:]
    return unescape(found[1])


@pytest.fixture(scope="module")
def pushed(docker_engine: DockerEngine, registry: Registry) -> str:
    """Two versions in the registry, of which the second asks for more; the reference without a tag."""
    reference = f"{registry.address}/team/quay"
    push_plugin(docker_engine, f"{reference}:1")
    push_plugin(docker_engine, f"{reference}:2", linux={"capabilities": ["CAP_NET_ADMIN"]}, description="Second")
    return reference


@pytest.fixture
def clean(product: Product, docker_engine: DockerEngine) -> Iterator[None]:
    yield
    for name in docker_engine.docker("plugin", "ls", "--format", "{{.Name}}").split():
        docker_engine.docker("plugin", "rm", "-f", name)


def test_a_plugin_is_installed_with_what_was_shown_and_lives_its_life_on_pages(
    product: Product, docker_engine: DockerEngine, pushed: str, clean: None
) -> None:
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online")
    fields: dict[str, Any] = {"host": "local", "reference": f"{pushed}:1", "alias": "quay:one", "enable": "1"}
    html = looked(product, "/plugins/install/", **fields)
    assert "runs as root on the host" in html
    assert [(entry["name"], entry["value"]) for entry in json.loads(granted(html))] == [("network", ["none"])]
    assert docker_engine.docker("plugin", "ls", "-q") == ""
    job = sent(product, "/plugins/install/", **fields, step="grant", granted=granted(html))
    assert job["error"] == ""
    assert [part["state"] for part in job["parts"]] == ["done"] * len(job["parts"])
    row = plugin(product, "quay:one", "enabled")
    assert (row["types"], row["description"]) == (["docker.volumedriver/1.0"], "Volumes of the tests")
    assert docker_engine.docker("plugin", "inspect", "-f", "{{.Enabled}}", "quay:one") == "true\n"
    at = f"/plugins/local/{row['id'][:12]}"
    page = product.http.get(f"{product.url}{at}/").text
    assert "docker.volumedriver/1.0" in page and "Volumes of the tests" in page
    assert "is enabled. Disable it first" in product.post(f"{at}/configure/", settings="DEBUG=1").text
    assert sent(product, f"{at}/disable/")["error"] == ""
    plugin(product, "quay:one", "disabled")
    refused = product.post(f"{at}/configure/", settings="no setting")
    assert (refused.status_code, "“no setting” is no setting" in refused.text) == (422, True)
    assert "not found" in product.post(f"{at}/configure/", settings="OTHER=1").text
    assert product.post(f"{at}/configure/", settings="DEBUG=canary").ok
    assert "DEBUG=canary" in docker_engine.docker("plugin", "inspect", "-f", "{{.Settings.Env}}", "quay:one")
    assert "canary" not in product.http.get(f"{product.url}{at}/").text + json.dumps(product.api("plugins"))
    html = looked(product, f"{at}/upgrade/", reference=f"{pushed}:2")
    assert "CAP_NET_ADMIN" in html
    assert sent(product, f"{at}/upgrade/", reference=f"{pushed}:2", step="grant", granted=granted(html))["error"] == ""
    until(lambda: plugin(product, "quay:one")["description"] == "Second", "the second version shows")
    assert plugin(product, "quay:one")["capabilities"] == ["CAP_NET_ADMIN"]
    product.post(f"{at}/remove/")
    assert docker_engine.docker("plugin", "ls", "-q") == ""
    assert product.api("plugins?host=local")["count"] == 0


def test_the_same_over_rest_and_nothing_comes_that_was_not_granted(
    product: Product, docker_engine: DockerEngine, pushed: str, clean: None
) -> None:
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online")
    first = privileges(product, f"{pushed}:1")["result"]["privileges"]
    second = privileges(product, f"{pushed}:2")["result"]["privileges"]
    assert [entry for entry in second if entry not in first] == [
        {"name": "capabilities", "description": "list of additional capabilities required", "value": ["CAP_NET_ADMIN"]}
    ]
    body = {"plugin": f"{pushed}:2", "alias": "rest", "enable": False}
    job = ended(product, product.api("plugins/local/install", "POST", **body, privileges=first)["job"])
    assert job["state"] == "failed"
    assert "asks for something else now than what was granted" in job["error"]
    assert docker_engine.docker("plugin", "ls", "-q") == ""
    job = ended(product, product.api("plugins/local/install", "POST", **body, privileges=second)["job"])
    assert job["error"] == ""
    assert plugin(product, "rest:latest")["state"] == "disabled"
    assert ended(product, product.api("plugins/local/rest/enable", "POST", timeout=10)["job"])["error"] == ""
    plugin(product, "rest:latest", "enabled")
    docker_engine.docker("volume", "ls", timeout=30)
    assert ended(product, product.api("plugins/local/rest/disable", "POST", force=True)["job"])["error"] == ""
    plugin(product, "rest:latest", "disabled")
    assert product.api("plugins/local/rest/configure", "POST", settings=["DEBUG=1"]) == {"done": "configure"}
    assert product.api("plugins/local/rest/remove", "POST") == {"done": "remove"}


def test_the_audit_says_which_folder_of_the_host_a_setting_gives_and_no_value_that_may_be_a_password(
    product: Product, docker_engine: DockerEngine, clean: None
) -> None:
    store = {"name": "store", "source": "/tmp", "destination": "/data", "type": "bind", "options": ["rbind"]}
    folder = docker_engine.run.folder / "with-a-mount"
    with tarfile.open(
        fileobj=io.BytesIO(plugin_tar(docker_engine.run, mounts=[store | {"settable": ["source"]}]))
    ) as tar:
        tar.extractall(folder, filter="data")
    docker_engine.docker("plugin", "create", "mounted", str(folder))
    plugin(product, "mounted:latest", "disabled")
    product.api("plugins/local/mounted/configure", "POST", settings=["store.source=/srv", "DEBUG=canary"])
    (entry,) = product.api("audit?action=plugin.configure&search=mounted")["items"]
    assert entry["detail"] == {
        "names": ["DEBUG", "store.source"],
        "before": {"store.source": "/tmp"},
        "after": {"store.source": "/srv"},
    }


def test_a_plugin_that_the_registry_lacks_fails_in_its_job(product: Product, registry: Registry) -> None:
    fields: dict[str, Any] = {"host": "local", "reference": f"{registry.address}/team/none:1"}
    html = looked(product, "/plugins/install/", **fields)
    assert "Docker 20.10 says the same of a plugin that the registry does not have" in html
    job = sent(product, "/plugins/install/", **fields, step="grant", granted=granted(html))
    assert job["state"] == "failed"
    assert "error resolving plugin reference" in job["error"]


# ---------------------------------------------------------------- with an account
def test_it_is_made_of_a_tar_pushed_and_installed_with_an_account(
    product: Product, docker_engine: DockerEngine, tls_registry: Registry, clean: None, no_upload_left: None
) -> None:
    with a_host(product, docker_engine, "local"), stored(product, tls_registry, "locked") as locked:
        full = f"{locked.address}/team/made:1"
        token = product.http.cookies.get("csrftoken") or ""
        answer = product.http.post(
            f"{product.url}/plugins/create/",
            {"host": "local", "name": full},
            files={"file": ("plugin.tar", plugin_tar(docker_engine.run))},
            headers={"Referer": f"{product.url}/", "X-CSRFToken": token},
            timeout=30,
        )
        assert "/jobs/" in answer.url, answer.text[-2000:]
        assert ended(product, int(answer.url.rstrip("/").rpartition("/")[2]))["error"] == ""
        row = plugin(product, full, "disabled")
        ref = row["id"][:12]
        dialog = product.http.get(f"{product.url}/plugins/local/{ref}/push/", headers=FRAGMENT).text
        assert "with the default account: tester" in dialog
        wrong = sent(product, f"/plugins/local/{ref}/push/", account=locked.wrong)
        assert "does not take the login of mallory" in wrong["error"]
        job = ended(product, product.api(f"plugins/local/{ref}/push", "POST")["job"])
        assert (job["state"], job["error"]) == ("done", "")
        assert job["result"]["digest"].startswith("sha256:") and job["result"]["plugin"] == full
        product.post(f"/plugins/local/{ref}/remove/")
        until(lambda: product.api("plugins?host=local")["count"] == 0, "it is gone")

        # 20.10 keeps a refusal to itself when it is asked for privileges: it is told when the plugin is to come
        assert "does not give to this account" in looked(
            product, "/plugins/install/", host="local", reference=full, account="none"
        )
        for account, words in ((0, "Choose an account"), (locked.wrong, "does not take the login of mallory")):
            body = {"plugin": full, "privileges": [], "account": account}
            refused = ended(product, product.api("plugins/local/install", "POST", **body)["job"])
            assert refused["state"] == "failed" and words in refused["error"], refused["error"]
            assert WRONG not in str(refused)
        fields: dict[str, Any] = {"host": "local", "reference": full, "account": str(locked.right)}
        html = looked(product, "/plugins/install/", **fields)
        job = sent(product, "/plugins/install/", **fields, step="grant", granted=granted(html))
        assert job["error"] == ""
        plugin(product, full, "disabled")
        assert WRONG not in str(wrong) and PASSWORD not in str(job) + html


def test_a_file_that_is_no_plugin_is_said_in_its_job(
    product: Product, docker_engine: DockerEngine, no_upload_left: None
) -> None:
    with a_host(product, docker_engine, "local"):
        answer = requests.post(
            f"{product.url}/api/v1/plugins/local/create",
            {"name": "team/none:1"},
            files={"file": ("plugin.tar", tar_of({"readme": b"no"}))},
            headers={"Authorization": f"Bearer {product.token}"},
            timeout=30,
        )
        assert answer.status_code == 202
        job = ended(product, answer.json()["job"])
        assert job["state"] == "failed" and "no rootfs found" in job["error"]


def test_cancelling_ends_a_look_and_an_install(product: Product, fake_engine: FakeEngine) -> None:
    """The engine sees the connection end, whichever it waits for."""
    product.api("hosts", "POST", name="fake", url=fake_engine.url)
    try:
        until(lambda: product.api("hosts/fake")["state"] == "online", "fake is online")
        for path, kind, body in (
            ("/plugins/privileges", "privileges", {"plugin": "r.example.com/a:1"}),
            ("/plugins/privileges", "install", {"plugin": "r.example.com/a:1", "privileges": []}),
        ):
            held = Held()
            fake_engine.misbehave(path, held)
            job = product.api(f"plugins/fake/{kind}", "POST", **body)["job"]
            assert held.asked.wait(10)
            began = time.monotonic()
            product.post(f"/jobs/{job}/cancel/")
            assert held.left.wait(2)
            assert ended(product, job)["state"] == "cancelled"
            assert time.monotonic() - began < 3
    finally:
        product.api("hosts/fake", "DELETE")


def test_a_wrong_plugin_name_is_said_at_its_field_and_stays(admin: Client) -> None:
    for typed in ("", "a b", "UPPER", "x@sha256:" + "0" * 64):
        answer = admin.post("/plugins/install/", {"host": "quay", "reference": typed}, headers=FRAGMENT)
        assert (answer.status_code, answer.context["field"]) == (422, "reference")
        assert answer.context["typed"]["reference"] == typed


def test_what_the_command_line_does_to_plugins_shows_by_itself(
    product: Product, docker_engine: DockerEngine, pushed: str, clean: None
) -> None:
    docker_engine.docker("plugin", "install", "--grant-all-permissions", "--disable", "--alias", "cli", f"{pushed}:1")
    assert plugin(product, "cli:latest")["state"] == "disabled"
    docker_engine.docker("plugin", "enable", "cli")
    plugin(product, "cli:latest", "enabled")
    docker_engine.docker("plugin", "rm", "-f", "cli")
    until(lambda: product.api("plugins?host=local")["count"] == 0, "it is gone")


def test_podman_has_none_and_says_so(product: Product, podman_engine: PodmanEngine) -> None:
    product.api("hosts", "POST", name="dinghy", url=podman_engine.url)
    try:
        until(lambda: product.api("hosts/dinghy")["state"] == "online", "dinghy is online")
        assert product.api("plugins?host=dinghy")["count"] == 0
        for path in ("install", "create"):
            answer = product.post(f"/plugins/{path}/", host="dinghy", reference="team/quay:1", name="team/quay:1")
            assert answer.status_code == 422
            assert "dinghy runs Podman, which has no managed plugins." in answer.text
    finally:
        product.api("hosts/dinghy", "DELETE")


# ---------------------------------------------------------------- without an engine
def raw(name: str, **more: Any) -> dict[str, Any]:
    """An entry of /plugins."""
    config = {
        "Description": "d",
        "Interface": {"Types": [{"Prefix": "docker", "Capability": "volumedriver", "Version": "1.0"}]},
        "Env": [{"Name": "PASSWORD", "Settable": ["value"], "Value": "canary-1"}],
    }
    settings = {"Env": ["PASSWORD=canary-2"]}
    return {"Id": name.ljust(64, "f"), "Name": name, "Enabled": True, "Config": config, "Settings": settings, **more}


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    client.force_login(person("ada", "admin"))
    rows = [raw("blue:1"), raw("red:1", Enabled=False)]
    apply.apply_rows(a_host_row(), "plugin", [parse.plugin_row(row) for row in rows])
    return client


def names(client: Client, query: str) -> list[str]:
    return [row.name for row in client.get(f"/plugins/{query}", headers=FRAGMENT).context["page"].items]


def test_the_list_is_filtered_searched_and_sorted(admin: Client, django_assert_max_num_queries: Any) -> None:
    assert names(admin, "") == ["blue:1", "red:1"]
    assert names(admin, "?state=disabled") == ["red:1"]
    assert names(admin, "?search=blu") == ["blue:1"]
    assert names(admin, "?sort=-name&kind=docker.volumedriver%2F1.0") == ["red:1", "blue:1"]
    with django_assert_max_num_queries(6):
        names(admin, "")


def test_values_of_the_environment_are_not_kept(admin: Client) -> None:
    shown = admin.get("/plugins/quay/blue:1/").content + admin.get("/api/v1/plugins/quay/blue:1").content
    assert b"PASSWORD" in shown
    assert b"canary" not in shown


def test_only_administrators_manage_plugins(admin: Client) -> None:
    assert [role for role in Role if Right.PLUGINS_MANAGE in RIGHTS_OF[role]] == [Role.ADMIN, Role.HOST_ADMIN]
    admin.force_login(person("otto", "deployer"))
    assert admin.get("/plugins/quay/blue:1/").status_code == 200
    for path in (
        "install",
        "create",
        "quay/blue:1/push",
        "quay/blue:1/enable",
        "quay/blue:1/remove",
        "quay/red:1/configure",
        "quay/red:1/upgrade",
    ):
        assert admin.post(f"/plugins/{path}/").status_code == 403, path
    for path in ("privileges", "install", "blue:1/push", "red:1/enable", "blue:1/disable", "red:1/remove"):
        answer = admin.post(f"/api/v1/plugins/quay/{path}", {"plugin": "a:1", "privileges": []}, "application/json")
        assert answer.status_code == 403, path


@pytest.mark.parametrize(
    "odd", [{}, [], None, {"Id": 1}, raw("a", Config=None, Settings=[]), raw("b", Config={"Env": "x"})]
)
def test_nothing_in_an_answer_is_trusted(odd: Any) -> None:
    row = parse.plugin_row(odd)
    assert row is None or row["data"]["env"] == []


def test_an_engine_without_plugins_is_watched_all_the_same(product: Product, fake_engine: Any) -> None:
    product.api("hosts", "POST", name="plain", url=fake_engine.url)  # it answers 404 to /plugins
    try:
        until(lambda: product.api("hosts/plain")["state"] == "online", "plain is online")
        assert product.api("plugins?host=plain")["count"] == 0
    finally:
        product.api("hosts/plain", "DELETE")
