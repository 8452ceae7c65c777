"""What a prune of a whole host would remove: the exact list, which is shown, signed, and given back when it is to be done."""

from dataclasses import asdict, dataclass, field
from typing import Any

from django.core import signing
from django.utils.translation import gettext_noop

from common.errors import Invalid

AT_ONCE = 500  # of a kind
KINDS = ("containers", "networks", "images", "volumes", "build_cache")
SALT = "dermaga.prune-plan"
KEPT_SECONDS = 3600
IMAGES = ("none", "dangling", "all")
VOLUMES = ("none", "anonymous", "all")


@dataclass(frozen=True)
class Item:
    """One thing that would go. `was` is what must still be so: the names of an image, the time of making of a volume."""

    id: str
    name: str
    size: int = 0
    was: Any = None


@dataclass(frozen=True)
class Choice:
    """What is asked for besides stopped containers and unused networks."""

    images: str = "dangling"
    volumes: str = "none"
    build_cache: bool = True

    def check(self) -> None:
        """Raises Invalid."""
        if self.images not in IMAGES:
            raise Invalid("images", gettext_noop("Images are none, dangling or all."))
        if self.volumes not in VOLUMES:
            raise Invalid("volumes", gettext_noop("Volumes are none, anonymous or all."))


@dataclass
class Plan:
    """The things by kind, the largest first, of a Choice. `more` says how many of each kind are not in it."""

    host: str
    choice: Choice
    items: dict[str, list[Item]] = field(default_factory=dict)
    more: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many things."""
        return sum(map(len, self.items.values()))

    @property
    def size(self) -> int:
        """Bytes, as far as they are known. Layers that other images share stay, so less may become free."""
        return sum(item.size for items in self.items.values() for item in items)

    @property
    def rows(self) -> dict[str, list[list[Any]]]:
        """The things as JSON values."""
        return {kind: [[i.id, i.name, i.size, i.was] for i in items] for kind, items in self.items.items()}

    @property
    def rule(self) -> dict[str, Any]:
        """The choice, as a job's parameters have it."""
        return asdict(self.choice)

    def signed(self, user: Any) -> str:
        """The plan as a word that nobody can change, for this person alone."""
        return signing.dumps([user.pk, self.host, self.rule, self.rows], salt=SALT, compress=True)


def signed_plan(user: Any, word: str, of: str) -> Plan:
    """The plan of `signed` for the host `of`. Raises Invalid for one of somebody or something else, changed, or old."""
    try:
        pk, host, rule, rows = signing.loads(word, salt=SALT, max_age=KEPT_SECONDS)
    except (signing.BadSignature, ValueError, UnicodeError) as error:
        raise _stale() from error
    if (pk, host) != (user.pk, of):
        raise _stale()
    return Plan(host, Choice(**rule), {kind: [Item(*row) for row in items] for kind, items in rows.items()})


def _stale() -> Invalid:
    return Invalid("plan", gettext_noop("What was shown is no longer valid. Look at the list again."))
