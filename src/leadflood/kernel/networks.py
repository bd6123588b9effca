"""Addresses and networks of settings."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def is_within(address: str, networks: str) -> bool:
    """Whether an address is one of the comma-separated addresses or networks."""
    found = _address(address)
    wanted = [ip_network(item.strip()) for item in networks.split(",") if item.strip()]
    return found is not None and any(found in network for network in wanted)


def is_private(address: str) -> bool:
    """Whether an address is loopback or private, as those of proxies usually are."""
    found = _address(address)
    return found is not None and found.is_private


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
