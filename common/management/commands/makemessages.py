"""`manage.py makemessages`, which also hears n_(...): the sentences of the scripts in common/templatetags/words.py."""

from pathlib import Path

from django.core.management.commands import makemessages

MOMENT = '"POT-Creation-Date:'


class Command(makemessages.Command):
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=n_"]

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Without the moment of its making: it would be a conflict between any two changes."""
        super().write_po_file(potfile, locale)
        file = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not line.startswith(MOMENT)), encoding="utf-8")
