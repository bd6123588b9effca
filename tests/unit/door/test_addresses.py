"""Private, reserved and embedded addresses are refused, however they are written."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.kernel.door.addresses import parse_address, refusal_of
from tests.support.samples import rows

REFUSED = [
    *(
        "0.0.0.0",  # noqa: S104  not bound
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.9.10",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
    ),
    *("192.0.0.192", "192.88.99.1", "192.168.1.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"),
    *("2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fc00::1", "fd12::1", "fe80::1", "fec0::2", "ff02::1"),
    *("2001:db8::1", "3fff::1", "5f00::1", "100::1"),
]
ALLOWED = ["8.8.8.8", "93.184.215.14", "25.1.2.3", "2606:4700::1111", "::ffff:8.8.8.8", "2a00:1450::1"]
EXPLAINED = {"fec0::": "QEMU's user network reaches the host's loopback interface at fec0::2"}
"""Sample addresses that are refused although the sample allows them, and why."""

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)


@pytest.mark.parametrize("text", REFUSED)
def test_an_address_that_is_not_of_the_public_internet_is_refused(text: str) -> None:
    assert refusal_of(ip_address(text))


@pytest.mark.parametrize("text", ALLOWED)
def test_a_public_address_is_allowed(text: str) -> None:
    assert refusal_of(ip_address(text)) is None


@pytest.mark.parametrize("text", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "fe80::1%lo", "acme.com", ""])
def test_only_the_usual_form_is_an_address(text: str) -> None:
    assert parse_address(text) is None


@given(V4)
def test_a_mapped_address_is_judged_like_the_embedded_one(address: IPv4Address) -> None:
    mapped = IPv6Address(f"::ffff:{address}")

    assert refusal_of(mapped) == refusal_of(address)
    assert parse_address(str(mapped)) == address


@given(V4)
def test_every_other_way_to_embed_an_address_is_refused(address: IPv4Address) -> None:
    number = int(address)
    embedded = [
        IPv6Address(number),
        IPv6Address((0xFFFF << 48) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80)),
        IPv6Address((0x20010000 << 96) | (number << 64) | (number ^ 0xFFFFFFFF)),
    ]

    assert all(refusal_of(item) for item in embedded)


@pytest.mark.samples
def test_sample_addresses_are_blocked_and_allowed_as_they_say() -> None:
    wrong = []
    for row in rows("ssrf/addresses.jsonl"):
        address = parse_address(row["input"])
        refused = address is None or refusal_of(address) is not None
        if refused != row["expected"]["block"]:
            wrong.append(row["input"])

    assert wrong == list(EXPLAINED)
