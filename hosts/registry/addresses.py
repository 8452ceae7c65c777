"""Which IP addresses Dermaga connects to for whom: an address that people store must not open to them what only this machine
can reach."""

import ipaddress
from enum import IntEnum

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# cloud metadata services that are not link-local: AWS over IPv6, Alibaba, Azure, Oracle
METADATA = {ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")}
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
COMPATIBLE = ipaddress.ip_network("::/96")  # the old way to write a version 4 address in a version 6 one


class Level(IntEnum):
    """How near an address is. NEVER: link-local, metadata services, groups, and what is no address."""

    PUBLIC = 0
    PRIVATE = 1
    LOOPBACK = 2
    NEVER = 3


def level_of(text: str) -> Level:
    """Of an IP address, whatever other one it has inside."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return Level.NEVER
    return max(map(_level, [address, *_inside(address)]))


def _inside(address: Address) -> list[Address]:
    """The version 4 addresses that a version 6 one leads to."""
    if isinstance(address, ipaddress.IPv4Address) or int(address) < 2:
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in (*NAT64, COMPATIBLE)):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


def _level(address: Address) -> Level:
    if address in METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return Level.NEVER
    if address.is_loopback:
        return Level.LOOPBACK
    wraps = isinstance(address, ipaddress.IPv6Address) and bool(_inside(address))  # what is inside says it
    return Level.PUBLIC if wraps or (address.is_global and not address.is_reserved) else Level.PRIVATE
