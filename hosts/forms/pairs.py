"""A field of name=value lines, as labels and options are written."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

AT_MOST = 200


class PairsField(forms.CharField):
    """Gives a dictionary. Empty lines do not count; a name without a sign has an empty value."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=20_000, **kwargs)

    def clean(self, value: Any) -> Any:
        """Raises ValidationError for a line without a name, and for a name that comes twice."""
        found: dict[str, str] = {}
        for line in super().clean(value).splitlines():
            if not line.strip():
                continue
            name, _sign, content = (part.strip() for part in line.partition("="))
            if not name:
                raise forms.ValidationError(_("“%(line)s” is not name=value."), params={"line": line.strip()[:80]})
            if name in found:
                raise forms.ValidationError(_("%(name)s is there twice."), params={"name": name[:80]})
            found[name] = content
        if len(found) > AT_MOST:
            raise forms.ValidationError(_("At most %(most)s lines."), params={"most": AT_MOST})
        return found
