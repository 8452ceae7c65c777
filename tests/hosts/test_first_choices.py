"""What the forms that remove or restore have chosen before anybody has."""

import re

import pytest
from django.test import Client

from tests.rows import a_host, person

FORMS = (
    "/containers/prune/",
    "/images/prune/",
    "/networks/prune/",
    "/volumes/prune/",
    "/disk/prune/",
    "/volumes/restore/",
)


@pytest.mark.django_db
@pytest.mark.parametrize("path", FORMS)
def test_a_form_begins_with_a_host_that_answers_and_with_empty_fields(client: Client, path: str) -> None:
    a_host("adrift", state="unreachable")
    a_host("quay")
    client.force_login(person("ada", "admin"))
    html = client.get(path).content.decode()
    assert re.findall(r'<option value="([^"]+)" selected[^>]*>(?:quay|adrift)', html) == ["quay"]
    assert re.findall(r'<input [^>]*name="(?:label|volume)"[^>]* value="[^"]+"', html) == []
