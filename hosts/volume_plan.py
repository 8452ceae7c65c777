"""A volume that somebody wants, checked before an engine hears of it."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from common.errors import Invalid

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}")
SERVER = re.compile(r"[a-zA-Z0-9_.:-]{1,253}")
SHARE = re.compile(r"//(?P<server>[^/,\s]{1,253})/[^,\s]{1,1000}")
NOT_A_NAME = gettext_noop(
    "A volume's name has 2 to 255 letters, digits, dots, dashes and underscores, and begins with a letter or digit."
)


@dataclass(frozen=True)
class VolumePlan:
    """What POST /volumes/create takes. `secret` is a password in the options: nothing of ours shows or keeps it."""

    name: str
    driver: str = "local"
    options: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    secret: str = ""

    def check(self) -> None:
        """Raises Invalid for the first value that is wrong."""
        if not NAME.fullmatch(self.name):
            raise Invalid("name", NOT_A_NAME)
        if not NAME.fullmatch(self.driver.replace("/", "_").replace(":", "_")):
            raise Invalid("driver", gettext_noop("Name a driver: local, or a plugin's."))


def nfs_options(server: str, path: str, more: str = "") -> dict[str, str]:
    """Options of the `local` driver for a folder that an NFS server exports. Raises Invalid."""
    if not SERVER.fullmatch(server):
        raise Invalid("server", gettext_noop("Name the server: nas.example.com or 10.0.0.5."))
    if not path.startswith("/") or "," in path:
        raise Invalid("export", gettext_noop("The exported path begins with a slash and has no comma: /export/data."))
    return {"type": "nfs", "device": f":{path}", "o": ",".join(part for part in (f"addr={server}", more) if part)}


def cifs_options(share: str, username: str, password: str, more: str = "") -> dict[str, str]:
    """The same for a share of Windows or Samba. Raises Invalid."""
    found = SHARE.fullmatch(share)
    if not found:
        raise Invalid("share", gettext_noop("A share is written like //nas.example.com/data, without a comma."))
    for name, value in (("username", username), ("password", password)):
        if "," in value or "\n" in value:
            raise Invalid(name, gettext_noop("The kernel takes no comma here: it separates options."))
    parts = [f"addr={found['server']}", f"username={username}" if username else "guest"]
    parts += [f"password={password}"] if password else []
    return {"type": "cifs", "device": share, "o": ",".join([*parts, more] if more else parts)}
