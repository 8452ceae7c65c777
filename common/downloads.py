"""How a file that is downloaded is called."""

from django.utils.http import content_disposition_header


def attachment(name: str) -> str:
    """The value of Content-Disposition for a file called `name`, whoever chose that name: it cannot end the header."""
    # Django lets a line end of a name into the header, and then refuses the header
    plain = "".join(letter if letter.isprintable() else "_" for letter in name)
    return str(content_disposition_header(True, plain))
