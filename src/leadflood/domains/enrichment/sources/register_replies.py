"""Reading replies of registers: typed failures for their status codes, and values by path."""

from collections.abc import Mapping
from typing import Any, Final

from leadflood.domains.enrichment.models import FetchedData, KeyRejected, Refused

_OK: Final = range(200, 300)
_MISSING: Final = frozenset({404, 410})
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_MAX_ITEMS: Final = 1000


def require_reply(reply: FetchedData, name: str, *, forbidden: str = "") -> Any:  # noqa: ANN401  JSON
    """The value of a reply; None if the register has no such record.

    Args:
        reply: of the register.
        name: of the register, for sentences.
        forbidden: the sentence for status 403, if it has a cause of its own.

    Raises: KeyRejected: status 401. Refused: any other status.
    """
    if reply.status in _OK:
        return reply.value
    if reply.status in _MISSING:
        return None
    if reply.status == _UNAUTHORIZED:
        raise KeyRejected(f"{name} does not accept the key.")
    if reply.status == _FORBIDDEN and forbidden:
        raise Refused(forbidden)
    raise Refused(f"{name} refused the question (error {reply.status}).")


def text_at(value: Any, *path: str) -> str | None:  # noqa: ANN401  JSON
    """The text or number at a path of keys, of a list its first item; None where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def items_in(value: Any, key: str) -> list[Mapping[str, Any]]:  # noqa: ANN401  JSON
    """The objects of a list in a reply."""
    found = value.get(key) if isinstance(value, dict) else None
    return [item for item in found[:_MAX_ITEMS] if isinstance(item, dict)] if isinstance(found, list) else []
