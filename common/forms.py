"""What forms share."""

from django import forms

from common.errors import DermagaError, Invalid


class RefusedForm(forms.Form):
    """A form whose act may refuse what is in it."""

    def refuse(self, error: DermagaError) -> None:
        """Says it at the field that it is about, or above all of them."""
        field = error.field if isinstance(error, Invalid) and error.field in self.fields else None
        self.add_error(field, str(error))
