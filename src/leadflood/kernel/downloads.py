"""Names of files that browsers save."""

import re
from typing import Final
from urllib.parse import quote

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._ ()-]+")


def attachment(filename: str) -> str:
    """The `Content-Disposition` of a file to save (RFC 6266): its name, also in ASCII for old programs."""
    plain = _UNSAFE.sub("_", filename)
    named = f'attachment; filename="{plain}"'
    return named if plain == filename else f"{named}; filename*=UTF-8''{quote(filename, safe='')}"
