"""States of a lead, and the normalized, stored form of its values.

The functions are pure and idempotent: they return the normalized value. Invalid values raise `InvalidValue` (a
ValueError) whose message names the remedy.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from leadflood.kernel.field_types import MAX_OPTION, MAX_OPTIONS, MAX_SAFE_INTEGER, MAX_TEXT, FieldValue
from leadflood.kernel.text import InvalidValue, clean_block, clean_line, search_key


class LeadStatus(StrEnum):
    """Enrichment status of a lead."""

    NEW = "new"
    PROCESSING = "processing"
    ENRICHED = "enriched"
    FAILED = "failed"


TRANSITIONS: Final[dict[LeadStatus, frozenset[LeadStatus]]] = {
    LeadStatus.NEW: frozenset({LeadStatus.PROCESSING, LeadStatus.FAILED}),
    LeadStatus.PROCESSING: frozenset({LeadStatus.PROCESSING, LeadStatus.ENRICHED, LeadStatus.FAILED}),
    LeadStatus.ENRICHED: frozenset({LeadStatus.PROCESSING, LeadStatus.ENRICHED}),
    LeadStatus.FAILED: frozenset({LeadStatus.PROCESSING, LeadStatus.ENRICHED}),
}
"""The allowed transitions from each status.

`new → failed` is a job cancelled before it ran; `processing → processing` is another attempt, which the timeline
shows; leaving `failed` and `enriched` is a retry and another enrichment.
Two jobs of one lead may overlap: the one that completes last makes it `enriched`, whatever the other came to.
"""


@dataclass(frozen=True, slots=True)
class DirectTransition:
    """A lead that is enriched in one step: its start time, the data of both timeline entries, and its found values.

    `found`: by the name of their fields in the database; None: it has none, and had none.
    """

    lead_id: UUID
    begun_at: datetime | None
    begun: Mapping[str, Any]
    ended: Mapping[str, Any]
    found: Mapping[str, str] | None = None


class ChangesetKind(StrEnum):
    """Origin of a changeset."""

    BULK = "bulk"
    IMPORT = "import"
    MERGE = "merge"


class FieldSource(StrEnum):
    """Source of a changed field of a lead. The values are stored."""

    EDIT = "edit"
    IMPORT = "import"
    BULK = "bulk"
    MERGE = "merge"
    UNDO = "undo"
    CONVERSION = "conversion"
    """A custom field got another type."""

    SYSTEM = "system"
    """Changes by the system, such as the removal of an owner's account."""


class ChangesetStatus(StrEnum):
    """`open → applied → undoing → undone`; a cancelled undo returns to `applied` and can be resumed."""

    OPEN = "open"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"


class Change(StrEnum):
    """Change to a lead."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"


CustomValue = FieldValue


def normalise_source(text: str) -> str:
    """The channel of a lead as a token such as `web-form` or `import:2026-03`; of "Web form", too.

    Raises: InvalidValue: nothing of it can be in a token.
    """
    token = clean_line(text, max_length=_MAX_SOURCE_TEXT).lower()
    if not _SOURCE.fullmatch(token):
        token = _NO_TOKEN.sub("-", search_key(text)).strip("-._:")[:_MAX_SOURCE].rstrip("-._:")
    if not token:
        message = "Use letters and digits (maximum 64), e.g. Web form."
        raise InvalidValue(message)
    return token


def clean_custom_value(value: object) -> CustomValue | None:
    """A custom field's value: text of several lines, a finite number, a boolean, a list of texts, or null.

    Integers are within ±(2^53 - 1): JSON readers agree on integers only up to that size (RFC 8259, 6).
    """
    if isinstance(value, str):
        return clean_block(value, max_length=MAX_TEXT)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= MAX_SAFE_INTEGER:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list) and 0 < len(value) <= MAX_OPTIONS and all(isinstance(item, str) for item in value):
        return [clean_line(item, max_length=MAX_OPTION) for item in value]
    if isinstance(value, int | float):
        message = f"Must be between -{MAX_SAFE_INTEGER} and {MAX_SAFE_INTEGER}."
        raise InvalidValue(message, "out_of_range")
    message = f"Must be a string, a number, true, false, null or a list of at most {MAX_OPTIONS} strings."
    raise InvalidValue(message, "wrong_type")


_MAX_SOURCE: Final = 64
_MAX_SOURCE_TEXT: Final = 200
_NO_TOKEN: Final = re.compile(r"[^a-z0-9._:-]+")
_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,63}")
