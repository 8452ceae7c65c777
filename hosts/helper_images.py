"""Of which images helper containers are made."""

from typing import Any

from hosts.models import Container, Host, Image

TRIED = 4


def likely_shells(user: Any, host: Host, volume: str) -> list[str]:
    """Ids of images of the host that `user` may see and that may have a shell: those of who uses the volume, then the smallest ones."""
    users = Container.objects.filter(host=host, uses__noun="volume", uses__name=volume)
    there = Image.objects.visible_to(user).filter(host=host)
    known = set(there.values_list("engine_id", flat=True))
    found = [image for image in users.values_list("image_id", flat=True)[:20] if image in known]
    found += there.exclude(name="").order_by("size", "name").values_list("engine_id", flat=True)[:20]
    return list(dict.fromkeys(found))[:TRIED]
