"""Addresses as pages write them. Nothing is contacted, so nothing is refused here but what is no web address."""

from typing import Final

import ada_url

MAX_LINK: Final = 2000
"""Characters of an address."""


def absolute_link(address: str, base: str) -> str | None:
    """A link of a page as a normalized http or https URL (WHATWG URL Standard); None if it is none or too long.

    Args:
        address: as written, absolute or relative.
        base: URL that relative addresses refer to.
    """
    if not address or len(address) > MAX_LINK:
        return None
    try:
        url = ada_url.join_url(base, address.strip())
    except ValueError:
        return None
    return url if url.startswith(("http:", "https:")) else None
