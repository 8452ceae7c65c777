"""Registries with accounts in the product, and engines as its hosts, for tests of pulls, pushes, builds and plugins."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.engines.registry import PASSWORD, USER, Registry
from tests.engines.ways import AnyEngine
from tests.servers.product import Product
from tests.waiting import until

WRONG = "wrong-canary-4711"  # a password that no registry takes


@dataclass
class Stored:
    """A registry in the product. `right`, its default account, and `wrong` are ids."""

    name: str
    address: str
    right: int
    wrong: int


@contextmanager
def a_host(product: Product, engine: AnyEngine, name: str) -> Iterator[str]:
    """The engine as a host of the product; `local` is there already."""
    if name != "local":
        product.api("hosts", "POST", name=name, url=engine.url)
    try:
        until(lambda: product.api(f"hosts/{name}")["state"] == "online", f"{name} is online")
        yield name
    finally:
        if name != "local":
            product.api(f"hosts/{name}", "DELETE")


@contextmanager
def stored(product: Product, registry: Registry, name: str) -> Iterator[Stored]:
    """The registry in the product while the block runs."""
    ca = registry.authority.ca if registry.authority else ""
    product.api("registries", "POST", name=name, address=registry.address, plain_http=not ca, ca=ca)
    try:
        ids = [account(product, name), account(product, name, WRONG, user="mallory")]
        yield Stored(name, registry.address, *ids)
    finally:
        product.api(f"registries/{name}", "DELETE")


def account(product: Product, name: str, secret: str = PASSWORD, *, user: str = USER) -> int:
    """Another account of a stored registry; its id."""
    return int(product.api(f"registries/{name}/accounts", "POST", username=user, secret=secret)["id"])
