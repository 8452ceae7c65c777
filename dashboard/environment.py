"""Reads settings from the environment, each secret also from a file; a bad value stops the start and names itself."""

import os
import re
import secrets
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The value of `name`, or the content of the file that `name_FILE` points to, or `default`."""
    path = os.environ.get(f"{name}_FILE")
    if path and not os.environ.get(name):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={path} cannot be read ({error.strerror}).") from error
    return os.environ.get(name) or default


def flag(name: str, default: bool = False) -> bool:
    """A yes/no setting: 1, true, yes, on or 0, false, no, off."""
    value = text(name, "yes" if default else "no").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value} is neither yes nor no.")


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of `allowed`."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value} is none of {', '.join(allowed)}.")
    return value


def zone(name: str, default: str) -> str:
    """The name of a time zone, like Asia/Jakarta."""
    value = text(name, default).lstrip(":")
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{name}={value} is not a time zone. Example: Asia/Jakarta.") from error
    return value


def origins(name: str) -> list[str]:
    """A comma-separated list of origins, like https://dermaga.example.com."""
    values = names(name)
    for value in values:
        if not value.startswith(("http://", "https://")):
            raise ImproperlyConfigured(f"{name}={value} is not an origin. Example: https://dermaga.example.com")
    return values


def redis_url(name: str) -> str:
    """An address that begins with redis://, rediss:// or unix://, or nothing."""
    value = text(name)
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name} is not a Redis address like redis://host:6379/0.")  # may hold a password
    return value


def email_url(name: str) -> str:
    """How to reach a mail server: smtp://, smtp+tls:// or smtp+ssl://, or nothing."""
    value = text(name)
    if value and not value.startswith(("smtp://", "smtp+tls://", "smtp+ssl://", "filemail://")):
        raise ImproperlyConfigured(f"{name} is not like smtp+tls://user:password@host:587.")  # may hold a password
    return value


def label(name: str) -> str:
    """What is chosen by label: the word all, NAME=VALUE, NAME with any value, or nothing."""
    value = text(name).strip()
    if not value.isprintable() or value.startswith("=") or len(value) > 200:
        raise ImproperlyConfigured(f"{name}={value[:60]} is neither all nor a label like tier=production.")
    return value


def issuer(name: str) -> str:
    """The address of an OpenID provider as its tokens name it: https://, or http:// on this machine; or nothing."""
    value = text(name)
    here = ("http://localhost", "http://127.0.0.1", "http://[::1]")
    if (
        value
        and not value.startswith("https://")
        and not re.match(f"({'|'.join(map(re.escape, here))})([:/]|$)", value)
    ):
        raise ImproperlyConfigured(f"{name}={value} is not an address like https://login.example.com/realms/quay.")
    return value


def directory(name: str) -> str:
    """The address of a directory: ldaps://, or ldap://, over which TLS begins before anything is said; or nothing."""
    value = text(name)
    if value and not re.fullmatch(r"ldaps?://[^/?#@\s]+/?", value):
        raise ImproperlyConfigured(f"{name}={value} is not an address like ldaps://directory.example.com.")
    return value


def ldap_filter(name: str, default: str) -> str:
    """A condition in parentheses with one %s."""
    value = text(name, default)
    if value.count("%s") != 1 or value.count("(") != value.count(")") or not (value[0] == "(" and value[-1] == ")"):
        raise ImproperlyConfigured(f"{name}={value} is not a filter with one %s, like {default}.")
    return value


def groups(name: str) -> dict[str, list[tuple[str, bool]]]:
    """GROUP=TEAM or GROUP=TEAM:lead, separated by semicolons: group -> (team, whether as its lead)."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for part in (part.strip() for part in text(name).split(";")):
        group, _, team = part.rpartition("=")  # a group may have "=" in its name, a team has not
        team, _, lead = team.strip().partition(":")
        if part and (not group.strip() or not re.fullmatch(r"[-\w]{1,63}", team) or lead not in {"", "lead"}):
            raise ImproperlyConfigured(f"{name}: {part} is not like engineers=north or chiefs=north:lead.")
        if part:
            found.setdefault(group.strip(), []).append((team, bool(lead)))
    return found


def number(name: str, default: int, lowest: int, highest: int) -> int:
    """A whole number between `lowest` and `highest`."""
    value = text(name, str(default))
    if not value.isdecimal() or not lowest <= int(value) <= highest:
        raise ImproperlyConfigured(f"{name}={value} is not a whole number from {lowest} to {highest}.")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    """A comma-separated list without its empty entries."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def networks(name: str, default: str = "") -> list[str]:
    """A comma-separated list of addresses and networks, like 10.0.0.7,172.16.0.0/12."""
    values = names(name, default)
    for value in values:
        try:
            ip_network(value)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}={value} is no address or network. Example: 172.16.0.0/12") from error
    return values


def folders(name: str) -> list[str]:
    """A comma-separated list of whole paths of folders, like /srv/backups."""
    values = names(name)
    for value in values:
        if not value.startswith("/") or os.path.normpath(value) == "/":
            raise ImproperlyConfigured(f"{name}={value} is not the whole path of a folder. Example: /srv/backups")
    return values


def data_folder(default: Path) -> Path:
    """The folder for the database file and the keys; made with mode 0700 when missing."""
    folder = Path(text("DERMAGA_DATA", str(default))).expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ImproperlyConfigured(
            f"the data folder {folder} cannot be written ({error.strerror}). "
            "Give it to this user or set DERMAGA_DATA to another folder."
        ) from error
    return folder


def _check_fernet(name: str, keys: str) -> None:
    from cryptography.fernet import Fernet

    try:
        for key in keys.split(","):
            Fernet(key.strip())
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a Fernet key (32 bytes in URL-safe base64).") from error


def kept_secret(name: str, folder: Path, make: str) -> str:
    """The secret `name` from the environment, else from `folder/NAME`, made there (mode 0600) at the first start.

    `make` is "django" (a random string) or "fernet" (a key for `cryptography.fernet`).
    """
    given = text(name)
    if given:
        if make == "fernet":
            _check_fernet(name, given)
        return given
    file = folder / name.lower()
    if not file.exists():
        from cryptography.fernet import Fernet

        value = Fernet.generate_key().decode() if make == "fernet" else secrets.token_urlsafe(50)
        draft = folder / f".{name.lower()}-{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(value)
        try:
            os.link(draft, file)  # two processes starting together agree on the first one's key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()
