"""Reading replies of providers: which failure a status or an error in the body means, and the values of a record.

Every provider uses this; what differs is in its `ReplyRules`. No source repeats a call.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NoReturn

from leadflood.domains.enrichment.models import (
    Away,
    Busy,
    FactField,
    FactValue,
    KeyRejected,
    Objected,
    OutOfCredits,
    ProviderReply,
    Refused,
)
from leadflood.domains.enrichment.models.waits import DEFAULT_WAIT, MAX_WAIT, retry_after
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts
from leadflood.domains.enrichment.sources.register_replies import text_at

_OK: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_ERRORS: Final = range(500, 600)
_MAX_MESSAGE: Final = 160


class ReplyClass(StrEnum):
    """Meaning of a reply. The names are used in definitions of generic sources."""

    HIT = "hit"
    MISS = "miss"
    BUSY = "busy"
    AWAY = "away"
    REFUSED = "refused"
    KEY_REJECTED = "key_rejected"
    OUT_OF_CREDITS = "out_of_credits"
    OBJECTED = "objected"


USUAL: Final[Mapping[int, ReplyClass]] = {
    400: ReplyClass.REFUSED,
    401: ReplyClass.KEY_REJECTED,
    402: ReplyClass.OUT_OF_CREDITS,
    403: ReplyClass.KEY_REJECTED,
    404: ReplyClass.MISS,
    408: ReplyClass.AWAY,
    410: ReplyClass.MISS,
    422: ReplyClass.REFUSED,
    425: ReplyClass.BUSY,
    429: ReplyClass.BUSY,
    451: ReplyClass.OBJECTED,
}
"""The meaning of statuses of errors, unless a provider's rules differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRules:
    """The meaning of a provider's replies, where it differs from the usual one.

    Attributes:
        label: of the provider, for sentences.
        statuses: by status of HTTP.
        ids: by the provider's own name of an error, which decides before the status.
        wait: after a reply that says "later" without saying when.
    """

    label: str
    statuses: Mapping[int, ReplyClass] = field(default_factory=dict)
    ids: Mapping[str, ReplyClass] = field(default_factory=dict)
    wait: timedelta = DEFAULT_WAIT

    def class_of(self, reply: ProviderReply) -> ReplyClass:
        """The meaning of a reply."""
        for name in error_ids(reply.value):
            if name in self.ids:
                return self.ids[name]
        if reply.status in self.statuses:
            return self.statuses[reply.status]
        if reply.status in _OK:
            return ReplyClass.HIT
        if reply.status in _ERRORS or reply.status in _REDIRECTS or reply.status < _OK.start:
            return ReplyClass.AWAY
        if reply.value is None and reply.status in {403, 404}:
            return ReplyClass.AWAY  # the page of a firewall or of a wrong server: the API answers in JSON
        return USUAL.get(reply.status, ReplyClass.REFUSED)


def require_value(reply: ProviderReply, rules: ReplyRules) -> Any:  # noqa: ANN401  JSON
    """The JSON of a reply; None if the provider has nothing.

    Raises: Busy, Away, Refused, KeyRejected, OutOfCredits, Objected: with a sentence for users.
    """
    meaning = rules.class_of(reply)
    if meaning is ReplyClass.HIT:
        return reply.value
    if meaning is not ReplyClass.MISS:
        raise_failure(meaning, reply, rules)
    return None


def raise_failure(meaning: ReplyClass, reply: ProviderReply, rules: ReplyRules) -> NoReturn:
    """Raise the failure that a reply means, which is neither a hit nor a miss. Raises: as `require_value`."""
    name, now, said = rules.label, reply.fetched_at, error_sentence(reply)
    wait = retry_after(reply.headers.get("retry-after", ""), now) if "retry-after" in reply.headers else None
    match meaning:
        case ReplyClass.BUSY:
            raise Busy(f"{name} wants to be asked later.{said}", now + (rules.wait if wait is None else wait))
        case ReplyClass.AWAY if wait is not None:
            raise Busy(f"{name} has a problem of its own (error {reply.status}).", now + wait)
        case ReplyClass.AWAY:
            raise Away(f"{name} has a problem of its own (error {reply.status}).")
        case ReplyClass.KEY_REJECTED:
            raise KeyRejected(f"{name} does not accept the key.{said}")
        case ReplyClass.OUT_OF_CREDITS:
            raise OutOfCredits(f"The credits at {name} are used up.{said}", None if wait is None else now + wait)
        case ReplyClass.OBJECTED:
            raise Objected(f"The person asked {name} not to be looked up.")
        case _:
            raise Refused(f"{name} refused the question (error {reply.status}).{said}")


def error_ids(value: Any) -> list[str]:  # noqa: ANN401  JSON
    """The names that a body gives to its errors, in the usual forms: `errors[].id`, `error.code`, `error_code`."""
    if not isinstance(value, dict):
        return []
    errors = value.get("errors")
    items = [*errors[:10]] if isinstance(errors, list) else []
    items += [value.get("error"), value]
    found: list[str] = []
    for item in items:
        if isinstance(item, dict):
            names = [item.get(key) for key in ("id", "code", "type", "error_code")]
            for name in names:
                found += [part for part in (name if isinstance(name, list) else [name]) if isinstance(part, str)]
    return found


def error_text(value: Any) -> str:  # noqa: ANN401  JSON
    """The message of an error in a body; empty where there is none."""
    if not isinstance(value, dict):
        return ""
    errors = value.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    for item in (first, value.get("error"), value):
        if isinstance(item, str) and item.strip():
            return item.strip()
        if isinstance(item, dict):
            for key in ("details", "message", "error_message", "detail"):
                if isinstance(item.get(key), str) and item[key].strip():
                    return str(item[key]).strip()
    return ""


def error_sentence(reply: ProviderReply) -> str:
    """The provider's own words, as another sentence. They are shown as text."""
    text = " ".join(error_text(reply.value).split())
    text = "".join(char for char in text if char.isprintable())[:_MAX_MESSAGE].strip()
    return f" It says: {text.rstrip('.')}." if text else ""


def header_number(reply: ProviderReply, name: str) -> int | None:
    """A header that is a whole number, 0 or more; None where it is missing or something else."""
    text = reply.headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len("999999999999") else None


def header_time(reply: ProviderReply, name: str) -> datetime | None:
    """A header that is a time in ISO 8601 within a day; None where it is something else."""
    try:
        found = datetime.fromisoformat(reply.headers.get(name, "").strip())
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=reply.fetched_at.tzinfo)
    return min(max(found, reply.fetched_at), reply.fetched_at + MAX_WAIT)


def mapping_at(value: Any, *path: str) -> Mapping[str, Any]:  # noqa: ANN401  JSON
    """The object at a path of keys; empty where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def list_at(value: Any, *path: str, most: int = 100) -> list[Any]:  # noqa: ANN401  JSON
    """The list at a path of keys; empty where there is none."""
    *parents, last = path
    found = mapping_at(value, *parents).get(last)
    return found[:most] if isinstance(found, list) else []


def number_at(value: Any, *path: str) -> float | None:  # noqa: ANN401  JSON
    """The number at a path of keys."""
    *parents, last = path
    found = mapping_at(value, *parents).get(last)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


class ProviderFacts(CollectedFacts):
    """Facts that one record of a provider states. Only those of the given fields are collected."""

    def __init__(
        self, record: object, observed_at: datetime, gives: Collection[FactField], *, evidence: str, sure: float
    ) -> None:
        """Args: record: JSON. sure: confidence in a fact of weight 1."""
        super().__init__(observed_at)
        self._record = record
        self._gives = gives
        self._evidence = evidence
        self._sure = min(max(sure, 0.01), 0.99)

    def state(
        self, fact_field: FactField, value: FactValue | None, weight: float = 1.0, *, quote: str | None = None
    ) -> None:
        """Add a fact, unless the value is missing or none of the field."""
        if fact_field in self._gives:
            confidence = min(max(round(self._sure * weight, 3), 0.01), 1.0)
            self.add(fact_field, value, confidence, "provider", self._evidence, quote=quote)

    def state_at(self, fact_field: FactField, *path: str, weight: float = 1.0) -> None:
        """Add the text at a path of the record, if there is one."""
        text = text_at(self._record, *path)
        self.state(fact_field, text, weight, quote=text)

    def state_flag_at(self, fact_field: FactField, *path: str) -> None:
        """Add the boolean at a path of the record, if there is one."""
        *parents, last = path
        found = mapping_at(self._record, *parents).get(last)
        self.state(fact_field, found if isinstance(found, bool) else None)

    def state_number_at(self, fact_field: FactField, *path: str, weight: float = 1.0) -> None:
        """Add the whole number at a path of the record, if there is one."""
        number = number_at(self._record, *path)
        if number is not None and float(number).is_integer():
            self.state(fact_field, int(number), weight, quote=str(int(number)))

    def state_all_at(self, fact_field: FactField, *path: str, weight: float = 1.0) -> None:
        """Add each text of a list at a path of the record."""
        for item in list_at(self._record, *path):
            if isinstance(item, str) and item.strip():
                self.state(fact_field, item.strip(), weight, quote=item.strip())
