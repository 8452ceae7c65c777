#!/usr/bin/env python
"""Dermaga's command line: `python manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (this file must still run on the Python that is too old)
        sys.exit(f"Dermaga needs Python 3.11 or newer, this is {sys.version.split()[0]} ({sys.executable}).")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Dermaga cannot start: {error}")
    except (OperationalError, ProgrammingError) as error:
        said = " ".join(str(error).split())
        missing = "no such table" in said or "does not exist" in said
        hint = " `manage.py prepare` makes what is missing." if missing else ""
        sys.exit(f"The database cannot be used: {said}.{hint}")


if __name__ == "__main__":
    main()
