"""A network that somebody wants, checked before an engine hears of it."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")
DRIVERS = ("bridge", "macvlan", "ipvlan", "overlay")  # that are offered; any other may be named
POOLS_AT_MOST, PAIRS_AT_MOST = 16, 200
NOT_A_NAME = gettext_noop(
    "A network's name has letters, digits, dots, dashes and underscores, and begins with a letter or digit."
)
NOT_A_SUBNET = gettext_noop("%(value)s is no subnet. Examples: 172.30.0.0/16, fd00:5::/64.")
NOT_AN_ADDRESS = gettext_noop("%(value)s is no address like 172.30.0.10.")
TAKES_ALL = gettext_noop(
    "What is made from %(name)s has its addresses and options: leave subnets, options and IPv6 out, and make no "
    "configuration of it."
)
OUTSIDE = gettext_noop("%(value)s is not in the subnet %(subnet)s.")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Subnet = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Pool:
    """Addresses of a network: those of `subnet`, given out from `range` ("": all of it). `aux` are taken: name -> address."""

    subnet: str = ""
    range: str = ""
    gateway: str = ""
    aux: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.subnet or self.range or self.gateway or self.aux)


@dataclass(frozen=True)
class NetworkPlan:
    """What POST /networks/create takes."""

    name: str
    driver: str = "bridge"
    options: dict[str, str] = field(default_factory=dict)
    internal: bool = False
    attachable: bool = False
    ipv6: bool = False
    ipam_driver: str = ""
    ipam_options: dict[str, str] = field(default_factory=dict)
    pools: tuple[Pool, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    config_only: bool = False  # a template that others are made from, and no network itself
    config_from: str = ""  # the name of such a one

    def check(self) -> None:
        """Raises Invalid for the first value that is wrong; a pool's fields are called pools.0.subnet and so on."""
        if not NAME.fullmatch(self.name):
            raise Invalid("name", NOT_A_NAME)
        if not NAME.fullmatch(self.driver.replace("/", "_").replace(":", "_")):
            raise Invalid("driver", gettext_noop("Name a driver: bridge, macvlan, ipvlan, overlay or a plugin's."))
        if len(self.pools) > POOLS_AT_MOST:
            raise Invalid("pools", gettext_noop("At most %(most)s address pools."), {"most": POOLS_AT_MOST})
        for name in ("options", "ipam_options", "labels"):
            if len(getattr(self, name)) > PAIRS_AT_MOST:
                raise Invalid(name, gettext_noop("At most %(most)s entries."), {"most": PAIRS_AT_MOST})
        if self.config_from and (self.config_only or self.pools or self.options or self.ipam_options or self.ipv6):
            raise Invalid("config_from", TAKES_ALL, {"name": self.config_from[:80]})
        subnets: list[Subnet] = []
        for n, pool in enumerate(self.pools):
            subnets.append(_check_pool(f"pools.{n}", pool, subnets, ipv6=self.ipv6))

    def body(self) -> dict[str, Any]:
        """The Engine API's request."""
        body = {
            "Name": self.name,
            "Driver": self.driver,
            "Options": self.options,
            "Internal": self.internal,
            "Attachable": self.attachable,
            "EnableIPv6": self.ipv6,
            "IPAM": self.ipam(),
            "Labels": self.labels,
            "CheckDuplicate": True,
        }
        if self.config_only:
            body["ConfigOnly"] = True
        if self.config_from:  # an engine refuses whatever else is said of it
            body |= {"ConfigFrom": {"Network": self.config_from}, "IPAM": None, "Options": None}
        return body

    def ipam(self) -> dict[str, Any]:
        """The part of the Engine API's request that is about addresses."""
        pools = [
            {
                key: value
                for key, value in (
                    ("Subnet", pool.subnet),
                    ("IPRange", pool.range),
                    ("Gateway", pool.gateway),
                    ("AuxiliaryAddresses", pool.aux),
                )
                if value
            }
            for pool in self.pools
        ]
        return {"Driver": self.ipam_driver or "default", "Options": self.ipam_options, "Config": pools}


def _check_pool(place: str, pool: Pool, others: list[Subnet], *, ipv6: bool) -> Subnet:
    try:
        subnet = ipaddress.ip_network(pool.subnet)
    except ValueError as error:
        raise Invalid(f"{place}.subnet", NOT_A_SUBNET, {"value": pool.subnet[:64] or "“”"}) from error
    if subnet.version == 6 and not ipv6:
        raise Invalid(f"{place}.subnet", gettext_noop("This is an IPv6 subnet: switch IPv6 on as well."))
    if clash := next((other for other in others if other.version == subnet.version and other.overlaps(subnet)), None):
        raise Invalid(f"{place}.subnet", gettext_noop("It overlaps with %(other)s above."), {"other": str(clash)})
    if pool.range:
        _check_range(f"{place}.range", pool.range, subnet)
    if pool.gateway:
        _inside(f"{place}.gateway", pool.gateway, subnet)
    for address in pool.aux.values():
        _inside(f"{place}.aux", address, subnet)
    return subnet


def _check_range(name: str, value: str, subnet: Subnet) -> None:
    try:
        inner = ipaddress.ip_network(value)
    except ValueError as error:
        raise Invalid(name, NOT_A_SUBNET, {"value": value[:64]}) from error
    if inner.version != subnet.version or not inner.subnet_of(subnet):  # type: ignore[arg-type]  # same version by then
        raise Invalid(name, OUTSIDE, {"value": value[:64], "subnet": str(subnet)})


def _inside(name: str, value: str, subnet: Subnet) -> None:
    if address(name, value) not in subnet:
        raise Invalid(name, OUTSIDE, {"value": value[:64], "subnet": str(subnet)})


def address(name: str, value: str, version: int = 0) -> Address:
    """`value` as an address, of IP `version` unless that is 0. Raises Invalid for the field `name`."""
    try:
        found = ipaddress.ip_address(value)
    except ValueError as error:
        raise Invalid(name, NOT_AN_ADDRESS, {"value": value[:64]}) from error
    if version and found.version != version:
        raise Invalid(
            name,
            gettext_noop("%(value)s is no IPv%(version)s address."),
            {"value": value[:64], "version": version},
        )
    return found
