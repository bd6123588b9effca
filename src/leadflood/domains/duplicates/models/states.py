"""States of pairs, merges and scans, and the result of a comparison."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class CandidateStatus(StrEnum):
    """`open → dismissed` or `merged`; both can be reverted."""

    OPEN = "open"
    DISMISSED = "dismissed"
    MERGED = "merged"


class MergeStatus(StrEnum):
    """`merged → undone`."""

    MERGED = "merged"
    UNDONE = "undone"


class MergeRunStatus(StrEnum):
    """`merging → merged → undoing → undone`; back to `merged` if the undo failed."""

    MERGING = "merging"
    MERGED = "merged"
    UNDOING = "undoing"
    UNDONE = "undone"


class ScanStatus(StrEnum):
    """`queued → running → completed` or `failed`."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class ReasonKind(StrEnum):
    """Kind of evidence for a match. The values are stored."""

    SAME_MAILBOX = "same_mailbox"
    SIMILAR_EMAIL = "similar_email"
    SAME_PHONE = "same_phone"
    SIMILAR_NAME = "similar_name"
    SIMILAR_COMPANY = "similar_company"
    SIMILAR_FIELD = "similar_field"
    """Another field, named by the reason."""


class MergeSide(StrEnum):
    """The lead whose value is kept."""

    SURVIVOR = "survivor"
    OTHER = "other"


MIN_SCORE: Final = 55
"""Pairs with a lower score are not worth a review, such as the same phone number with different names."""
CERTAIN: Final = 100
"""Score of pairs that can be merged without a review: no field contradicts that they are one person."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that two leads have in common, with its similarity: 1 is equal.

    `field` is the field's name in the API, if the kind does not imply it.
    """

    kind: ReasonKind
    similarity: float
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """Probability that two leads are one person, 0 to 100, and the reasons."""

    score: int
    reasons: tuple[Reason, ...]
