"""Names of lists, email addresses in texts, and limits."""

import re
from collections.abc import Iterator
from typing import Final

MAX_LISTS: Final = 500
"""Lists of a workspace."""
MAX_NAME: Final = 100
MAX_DESCRIPTION: Final = 500
MAX_ADDRESSES: Final = 1_000
"""Email addresses that one request adds."""
MAX_UNKNOWN: Final = 100
"""Addresses without a lead that an answer names."""

_ADDRESS: Final = re.compile(r"[^\s,;<>\"'|()\[\]]+@[^\s,;<>\"'|()\[\]]+")


def name_key(name: str) -> str:
    """Unique key of a name, which ignores case."""
    return name.casefold()


def addresses_in(text: str) -> Iterator[str]:
    """Possible email addresses in a text, such as a CSV file or a pasted list: the first one of each line."""
    for line in text.splitlines():
        found = _ADDRESS.search(line)
        if found is not None:
            yield found[0].rstrip(".:")
