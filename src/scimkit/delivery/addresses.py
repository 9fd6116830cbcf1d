"""The addresses that deliveries may connect to. Only public addresses are allowed, to prevent SSRF.

This module resolves no name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, TypeAlias

from scimkit.delivery.retries import DeliveryFailed

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NAT64: Final = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")
_IPV4_COMPATIBLE: Final = IPv6Network("::/96")


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of texts such as `10.0.0.0/8`.

    Raises:
        ValueError: A text is not a network or an address.
    """
    return tuple(ip_network(each) for each in texts)


def checked_addresses(found: Sequence[tuple[Any, ...]], allowed: Sequence[Network]) -> list[str]:
    """Return the addresses of an answer of `getaddrinfo`.

    One forbidden address refuses the name, because the answer could be an attempt to reach it.

    Raises:
        DeliveryFailed: The host has no address, or one that is not public and not allowed.
    """
    texts = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not texts:
        raise DeliveryFailed("The host of the receiver has no address.")
    if not all(is_allowed(each, allowed) for each in texts):
        raise DeliveryFailed("The host of the receiver has an address that is not public. Allow its network to use it.")
    return texts


def is_allowed(text: str, allowed: Sequence[Network] = ()) -> bool:
    """Report whether an address is public or in an allowed network.

    An IPv6 address that contains an IPv4 address counts as that address.
    """
    address: Address = ip_address(text.partition("%")[0])
    embedded = _embedded(address)
    if embedded is not None:
        address = embedded
    if any(address in network for network in allowed):
        return True
    if address in _LOCAL_NAT64:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, or None."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
