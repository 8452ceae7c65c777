"""Fields that are stored encrypted (Fernet, key in DERMAGA_ENCRYPTION_KEY)."""

import hmac
import json
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


@cache
def box() -> MultiFernet:
    """The cipher; several keys, separated by commas, allow a change of key: the first one encrypts."""
    return MultiFernet([Fernet(key.strip()) for key in settings.DERMAGA_ENCRYPTION_KEY.split(",")])


def signing_keys(purpose: str) -> list[bytes]:
    """A key for signatures of one kind, of each key there is: the first one signs, any may have signed."""
    keys = settings.DERMAGA_ENCRYPTION_KEY.split(",")
    return [hmac.digest(key.strip().encode(), f"dermaga {purpose}".encode(), "sha256") for key in keys]


class Undecipherable(Exception):
    """A stored secret was written with another DERMAGA_ENCRYPTION_KEY."""

    def __init__(self) -> None:
        super().__init__("A stored secret cannot be read: DERMAGA_ENCRYPTION_KEY is not the key it was written with.")


def seal(text: str) -> str:
    """`text` as only this installation can read it."""
    return box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises Undecipherable."""
    try:
        return box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Undecipherable from error


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that only this installation's key can read."""

    def get_prep_value(self, value: Any) -> Any:
        return seal(str(value)) if value else ""

    def from_db_value(self, value: str | None, *_: Any) -> str:
        return unseal(value) if value else ""


class EncryptedJSONField(EncryptedTextField):
    """JSON that only this installation's key can read."""

    _pyi_private_set_type: Any  # what the type checker lets be stored, and says is read
    _pyi_private_get_type: Any

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(json.dumps(value, separators=(",", ":")))

    def from_db_value(self, value: str | None, *rest: Any) -> Any:
        text = super().from_db_value(value, *rest)
        return json.loads(text) if text else None
