"""Reading replies of registers: typed failures for their status codes, and values and facts by path."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from leadflood.domains.enrichment.models import FactField, FactValue, FetchedData, KeyRejected, Refused
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts

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


class RegisterFacts(CollectedFacts):
    """Facts that one record of a register states, all with the same sentence as evidence."""

    def __init__(
        self, record: Mapping[str, Any], observed_at: datetime, source_url: str, *, confidence: float, evidence: str
    ) -> None:
        """Args: confidence: in a fact of weight 1."""
        super().__init__(observed_at, source_url)
        self._record = record
        self._confidence = confidence
        self._evidence = evidence

    def state(self, field: FactField, value: FactValue | None, quote: str | None, weight: float = 1.0) -> None:
        """Add a fact, unless the value is missing or none of the field. Args: quote: the text of the record."""
        self.add(field, value, round(self._confidence * weight, 2), "register", self._evidence, quote=quote)

    def state_at(self, field: FactField, *path: str, weight: float = 1.0) -> None:
        """Add the text at a path of the record, if there is one."""
        text = text_at(self._record, *path)
        self.state(field, text, text, weight)

    def state_year_at(self, field: FactField, *path: str, weight: float = 1.0) -> None:
        """Add the year of a date that is written YYYY-MM-DD."""
        text = text_at(self._record, *path)
        if text and text[:4].isdigit():
            self.state(field, int(text[:4]), text, weight)
