"""Who may write what, and who may talk to engines. Each rule is tested on planted code as well: it must be able to fail."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.acts import Acts, waited_for
from tests.architecture.sources import Source, imports, inside, planted, product
from tests.architecture.writes import writes
from tests.conftest import LONG

# import-linter keeps hosts.models from the packages below hosts
MAY_NAME_ROWS = ("api", "dashboard", "hosts")
NO_ENGINE = ("accounts", "api", "hosts.charts", "hosts.context", "hosts.filters", "hosts.views", "jobs")
TALKS_TO_NOBODY = (  # addresses, names and words
    "hosts.engine.answers",
    "hosts.engine.endpoint",
    "hosts.engine.errors",
    "hosts.engine.parse",
    "hosts.engine.paths",
    "hosts.registry.names",
    "hosts.registry.places",
)


def modules(*packages: str) -> list[Source]:
    return [source for source in product() if any(inside(source.name, package) for package in packages)]


# ---------------------------------------------------------------- mirrored rows
def test_only_the_inventory_writes_what_the_watcher_knows() -> None:
    others = [source for source in modules(*MAY_NAME_ROWS) if not inside(source.name, "hosts.inventory")]
    assert len(others) > 60
    assert writes(others, product()) == []


def test_every_write_of_the_inventory_itself_is_found() -> None:
    """The finder on code that is known to write: each call that looks like one to a reader of the text."""
    inventory = modules("hosts.inventory")
    found = {sentence.split(" ")[0] for sentence in writes(inventory, product())}
    looks = re.compile(
        r"(?<!WatchProcess\.)(?<!Share\.)(?<!Adoption\.)(?<!Backup\.)\b(objects|_default_manager)\b.*\.(update|delete|create|bulk_\w+|update_or_create|get_or_create)$"
    )
    expected = {
        f"{source.name}:{node.lineno}"
        for source in inventory
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and looks.search(ast.unparse(node.func))
    }
    assert len(expected) >= 15
    assert expected - found == set()


PLANTED = {
    "create": "from hosts.models import Container\nContainer.objects.create(name='x')",
    "alias": "from hosts.models import Container as Box\ndef f():\n    Box.objects.filter(pk=1).update(state='x')",
    "module": "from hosts import models\ndef f():\n    models.Image.objects.all().delete()",
    "bulk": "from hosts.models import Event\nasync def f():\n    await Event.objects.abulk_create([])",
    "upsert": "from hosts.models import Volume\nVolume.objects.update_or_create(name='x', defaults={})",
    "row": "from hosts.models import Container\ndef f():\n    row = Container.objects.first()\n    row.save()",
    "new row": "from hosts.models import Network\nNetwork(name='x').save()",
    "loop": "from hosts.models import Image\ndef f():\n    for row in Image.objects.filter(size=0):\n        row.delete()",
    "dictionary": "from hosts.models import Image\ndef f(q):\n    d = {r.pk: r for r in Image.objects.all()}\n    d[1].delete()",
    "annotation": "from hosts.models import Container\ndef f(rows: list[Container]):\n    rows[0].save()",
    "returned": "def get() -> 'Container':\n    ...\ndef f():\n    get().delete()",
    "unpacked": "from hosts.models import Container\ndef f():\n    rows, n = order(Container.objects.all())\n    rows.update(n=n)",
    "relation": "def f(thing):\n    thing.container_set.filter(pk=1).update(state='x')",
    "one to one": "def f(thing):\n    thing.detail.delete()",
    "related": "def f(thing, use):\n    thing.uses.add(use, bulk=False)",
    "attribute": "from hosts.models import Container\nclass A:\n    def f(self, row: Container):\n        self.row = row\n        self.row.save()",
    "choice": "from hosts.models import Container, Image\ndef f(a):\n    (Container if a else Image).objects.all().delete()",
    "any model": "def f(model):\n    model.objects.all().delete()",
    "any query": "def f(rows: 'QuerySet[Any]'):\n    rows.update(state='x')",
    "any row": "def f(row):\n    row.save()",
    "sql": "def f(cursor):\n    cursor.execute('UPDATE hosts_container SET state = 1')",
    "host's state": "from hosts.models import Host\nHost.objects.filter(pk=1).update(state='online')",
    "host's columns": "from hosts.models import Host\ndef f(values):\n    Host.objects.filter(pk=1).update(**values)",
    "host's row": "def f(host: 'Host'):\n    host.reason_code = 'x'",
    "whole host": "def f(host: 'Host'):\n    host.save()",
    "host's fields": "F = ('name', 'last_seen')\ndef f(host: 'Host'):\n    host.save(update_fields=[*F])",
    "hosts": "from hosts.models import Host\ndef f(rows):\n    Host.objects.bulk_update(rows, ['memory'])",
    "new host": "from hosts.models import Host\nHost(name='x', state='online')",
}  # fmt: skip


@pytest.mark.parametrize("code", PLANTED.values(), ids=PLANTED.keys())
def test_a_write_elsewhere_is_caught(code: str) -> None:
    assert len(writes([planted(code)])) == 1


INNOCENT = {
    "reads": "from hosts.models import Container\nContainer.objects.filter(state='x').order_by('name').count()",
    "other models": "from jobs.models import Job\nJob.objects.filter(pk=1).update(state='x')\nJob.objects.create()",
    "dictionaries": "def f(values: dict):\n    values.update({'state': 1})",
    "shown": "def show(row: 'Container') -> dict:\n    ...\ndef f(row: 'Container'):\n    show(row).update(x=1)",
    "people's rows": "from hosts.models import Registry\ndef f(row: Registry):\n    row.save()\n    Registry.objects.all().delete()",
    "people's columns": "from hosts.models import Host\nHost.objects.filter(pk=1).update(enabled=True)",
    "people's row": "F = ('url', 'kind')\ndef f(host: 'Host'):\n    host.labels = {}\n    host.save(update_fields=[*F, 'labels'])",
    "people's host": "def f(host: 'Host'):\n    host.save(force_insert=True)\n    host.delete()",
}  # fmt: skip


@pytest.mark.parametrize("code", INNOCENT.values(), ids=INNOCENT.keys())
def test_what_is_no_write_is_left_alone(code: str) -> None:
    assert writes([planted(code)]) == []


# ---------------------------------------------------------------- acts
def test_every_act_takes_the_actor_checks_a_right_and_leaves_an_audit() -> None:
    acts = Acts(product())
    assert len(acts.public) > 20
    assert acts.problems() == []


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def start(container, actor):\n    with on_engine(actor): ...", "does not take the actor first"),
        ("def start(actor, container):\n    with client(container) as api: api.start()", "leaves no audit"),
        ("def start(actor, container):\n    record(actor, 'x')", "does not check a right"),
        ("def start(actor, container):\n    _go()\ndef _go():\n    demand()", "leaves no audit"),
    ],
)
def test_an_act_without_its_steps_is_caught(code: str, problem: str) -> None:
    head = "from accounts.audit import record\nfrom hosts.actions.act import demand, on_engine\n"
    problems = Acts([planted(head + code, "hosts.actions.planted")]).problems()
    assert any(problem in sentence for sentence in problems), problems


def test_an_act_may_take_its_steps_through_others() -> None:
    code = (
        "from hosts.actions.act import on_engine\nfrom hosts.actions import containers\n"
        "def start(actor, container):\n    with _engine(actor): ...\n"
        "def _engine(actor):\n    return on_engine(actor)\n"
        "ACTS = {'start': start}\n"
        "def run(context: JobContext):\n    ACTS['start'](context.job.by)"
    )
    assert Acts([planted(code, "hosts.actions.planted")]).problems() == []


def test_a_question_that_changes_something_is_caught() -> None:
    code = (
        "from hosts.actions.act import demand\n"
        "def processes(actor, container):\n    demand(actor)\n    return _ask(lambda api: api.kill(container.engine_id))"
    )
    assert any("kill" in sentence for sentence in Acts([planted(code, "hosts.actions.containers.looks")]).problems())


# what a request itself asks an engine for: downloads are streams, the others are questions with short deadlines
ASKED_IN_A_REQUEST = {
    "backups.downloads.download",
    "containers.commits.export",
    "containers.files.download",
    "containers.files.show",
    "images.image_files.save",
    "swarm.secrets.content",
    "swarm.swarms.tokens",
    "swarm.swarms.unlock_key",
}


def test_no_request_waits_for_an_act() -> None:
    """Pages and API go through `soon`, which waits a second for it."""
    found = waited_for(modules("api", "hosts.views"), Acts(product()))
    assert found == ASKED_IN_A_REQUEST


def test_a_request_that_waits_for_an_act_is_caught() -> None:
    code = (
        "from hosts.actions.networks import networks\ndef f(request, row):\n    {}(networks.remove, request.user, row)"
    )
    acts = Acts(product())
    assert waited_for([planted(code.format("soon"))], acts) == set()
    direct = code.replace("{}(networks.remove, ", "networks.remove(")
    assert waited_for([planted(direct)], acts) == {"networks.networks.remove"}


# ---------------------------------------------------------------- engines
def strangers(sources: list[Source], package: str) -> list[str]:
    return [
        f"{source.name}:{line} imports {name}"
        for source in sources
        for line, name in imports(source.tree)
        if inside(name, package)
    ]


def test_only_the_engine_layer_imports_docker() -> None:
    assert strangers([s for s in product() if not inside(s.name, "hosts.engine")], "docker") == []
    assert strangers(modules("hosts.engine"), "docker") != []


def test_no_page_and_no_api_route_reaches_an_engine_but_through_an_act() -> None:
    found = [one for layer in ("hosts.engine", "hosts.registry") for one in strangers(modules(*NO_ENGINE), layer)]
    assert [one for one in found if not any(f"imports {silent}." in one for silent in TALKS_TO_NOBODY)] == []


def test_an_import_in_a_function_is_caught() -> None:
    code = "def page(request):\n    from hosts.engine.connect import client\n    import docker.errors"
    assert strangers([planted(code)], "hosts.engine") != []
    assert strangers([planted(code)], "docker") != []


# ---------------------------------------------------------------- the audit
WRITES_AUDIT = re.compile(
    r"\b(?:AuditEntry|AuditChain)(?:\(|(?:\.objects\b[^\n]*\.)(?:create|update|delete|save|bulk_\w+)\()"
)


def test_the_audit_is_written_in_one_place() -> None:
    found = {source.name for source in product() if WRITES_AUDIT.search(ast.unparse(source.tree))}
    assert found == {"accounts.audit", "accounts.models.audit"}  # where the classes are


@pytest.mark.parametrize("code", ["AuditEntry(action='x')", "AuditEntry.objects.filter(pk=1).update(target='')"])
def test_a_second_writer_of_the_audit_is_caught(code: str) -> None:
    assert WRITES_AUDIT.search(code)


# ---------------------------------------------------------------- the suite itself
def test_the_files_that_begin_first_are_there() -> None:
    assert [name for name in LONG if not (Path(__file__).parent.parent / name).exists()] == []
