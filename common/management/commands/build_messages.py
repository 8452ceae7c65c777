"""`manage.py build_messages`: compiles locale/*.po to *.mo with Babel, since a fresh machine lacks gettext's tools."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Compiles the message catalogues."

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                with source.open("rb") as file:
                    catalog = read_po(file, locale=source.parent.parent.name)
                with source.with_suffix(".mo").open("wb") as out:
                    write_mo(out, catalog)
