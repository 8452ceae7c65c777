"""Every text of the interface has a translation that keeps its places for values."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings as project
from django.core.management import call_command
from django.core.management.commands import makemessages
from django.test import Client
from pytest_django.fixtures import Settings

ROOT = Path(project.BASE_DIR)
CATALOGUES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/*.po"))
SOURCES = ("accounts", "api", "common", "dashboard", "hosts", "jobs", "static", "templates")
PLACE = re.compile(r"%\(\w+\)[a-z]|%%")


class Extraction(makemessages.Command):
    """Django's, and it knows n_ too: common/templatetags/words.py marks its texts with that name."""

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=n_"]


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def messages(path: Path) -> Iterator[Message]:
    """All entries but the header."""
    return (message for message in catalogue(path) if message.id)


def forms(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    """The text, or its plural forms; an absent one counts as empty."""
    return [text or ""] if isinstance(text, str | None) else list(text)


def keys(path: Path) -> set[tuple[str, str]]:
    """(context, English text) of each entry."""
    return {(message.context or "", forms(message.id)[0]) for message in messages(path)}


def named(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.stem}"


def test_indonesian_is_there() -> None:
    assert ROOT / "locale" / "id" / "LC_MESSAGES" / "django.po" in CATALOGUES


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_no_text_is_left_untranslated(path: Path) -> None:
    empty = [message.id for message in messages(path) if not all(forms(message.string))]
    assert empty == []


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_no_translation_is_a_guess(path: Path) -> None:
    assert [message.id for message in messages(path) if message.fuzzy] == []
    assert not catalogue(path).fuzzy, "The header is marked fuzzy: remove the mark."


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_translations_keep_the_places_for_values(path: Path) -> None:
    differing = []
    for message in messages(path):
        wanted = set(PLACE.findall(" ".join(forms(message.id))))
        differing += [text for text in forms(message.string) if set(PLACE.findall(text)) != wanted]
    assert differing == []


def test_the_catalogue_has_every_text_of_the_sources(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shutil.which("xgettext"), "xgettext is missing. On Debian: apt-get install gettext"
    # A copy, because makemessages writes files next to the templates while it reads them.
    for name in SOURCES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    (tmp_path / "locale").mkdir()
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    monkeypatch.chdir(tmp_path)
    found = 0
    for domain in ("django", "djangojs"):
        call_command(Extraction(), locale=["id"], domain=domain, no_location=True, verbosity=0)
        fresh = tmp_path / "locale" / "id" / "LC_MESSAGES" / f"{domain}.po"
        if not fresh.exists():  # nothing to translate in this domain
            continue
        ours = ROOT / "locale" / "id" / "LC_MESSAGES" / fresh.name
        have = keys(ours) if ours.exists() else set()
        found += len(keys(fresh))
        assert sorted(keys(fresh) - have) == [], f"{ours.relative_to(ROOT)} lacks these: add and translate them."
    assert found > 400


@pytest.fixture
def compiled(tmp_path: Path, settings: Settings) -> Path:
    """A copy of the catalogues, compiled, which Django uses during the test. Returns its folder."""
    folder = tmp_path / "locale"
    shutil.copytree(ROOT / "locale", folder, ignore=shutil.ignore_patterns("*.mo"))
    settings.LOCALE_PATHS = [folder]
    call_command("build_messages")
    return folder


def test_every_catalogue_is_compiled(compiled: Path) -> None:
    sources = sorted(compiled.glob("*/LC_MESSAGES/*.po"))
    assert sources
    assert [source for source in sources if not source.with_suffix(".mo").is_file()] == []


@pytest.mark.django_db
@pytest.mark.usefixtures("compiled")
def test_the_login_page_speaks_the_language_of_the_browser() -> None:
    indonesian = Client().get("/account/login/", headers={"accept-language": "id"}).content.decode()
    english = Client().get("/account/login/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="id"' in indonesian
    assert "<title>Masuk - Dermaga</title>" in indonesian and "Terang atau gelap" in indonesian
    assert "<title>Log in - Dermaga</title>" in english and "Light or dark" in english
