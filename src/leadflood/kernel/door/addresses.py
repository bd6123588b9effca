"""IP addresses that may be contacted.

The networks are those of the IANA registries of special-purpose addresses (RFC 6890), whatever the `ipaddress` module
of the running Python knows of them, and all that embed an IPv4 address, which would let a private one pass as IPv6.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

IPAddress = IPv4Address | IPv6Address

_SPECIAL_V4: Final = {
    IPv4Network(network): why
    for network, why in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "shared by carriers",
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "reserved for protocols",
        "192.0.2.0/24": "for documentation",
        "192.31.196.0/24": "reserved for DNS (AS112)",
        "192.52.193.0/24": "reserved for multicast (AMT)",
        "192.88.99.0/24": "reserved for 6to4 relays",
        "192.168.0.0/16": "private",
        "192.175.48.0/24": "reserved for DNS (AS112)",
        "198.18.0.0/15": "for benchmarks",
        "198.51.100.0/24": "for documentation",
        "203.0.113.0/24": "for documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
    }.items()
}
_SPECIAL_V6: Final = {
    IPv6Network(network): why
    for network, why in {
        "::/96": "loopback, unspecified or IPv4-compatible",
        "::ffff:0:0:0/96": "IPv4-translated",
        "64:ff9b::/96": "an IPv4 address behind NAT64",
        "64:ff9b:1::/48": "an IPv4 address behind a local NAT64",
        "100::/64": "discarded",
        "100:0:0:1::/64": "reserved",
        "2001::/23": "reserved for protocols, Teredo included",
        "2001:db8::/32": "for documentation",
        "2002::/16": "an IPv4 address behind 6to4",
        "2620:4f:8000::/48": "reserved for DNS (AS112)",
        "3fff::/20": "for documentation",
        "5f00::/16": "for segment routing",
        "fc00::/7": "private",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",  # QEMU's user network reaches the host's loopback interface at fec0::2
        "ff00::/8": "multicast",
    }.items()
}


def parse_address(text: str) -> IPAddress | None:
    """The address in its usual form, an IPv4-mapped one as IPv4; None for anything else, zone ids included."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return None if address.scope_id else address.ipv4_mapped or address
    return address


def refusal_of(address: IPAddress) -> str | None:
    """Reason to refuse an address, such as `private`; None for an address of the public internet."""
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return "link-local"
        if address.ipv4_mapped is not None:
            return refusal_of(address.ipv4_mapped)
        why = next((why for network, why in _SPECIAL_V6.items() if address in network), None)
    else:
        why = next((why for network, why in _SPECIAL_V4.items() if address in network), None)
    if why is None and (not address.is_global or address.is_multicast):
        return "not public"
    return why
