"""A form's field: what it says is text, unless Django itself made the markup."""

import pytest
from django import forms
from django.template import Context, Template
from django.test import Client

from tests.rows import person


class Form(forms.Form):
    name = forms.CharField(help_text="<script>x</script>")


def test_help_texts_are_escaped() -> None:
    html = Template("{% field form.name %}").render(Context({"form": Form()}))
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


@pytest.mark.django_db
def test_the_rules_for_passwords_stay_a_list(client: Client) -> None:
    client.force_login(person("ada", "admin"))
    html = client.get("/account/password/change/").content.decode()
    assert "<ul><li>" in html
    assert "&lt;ul" not in html
