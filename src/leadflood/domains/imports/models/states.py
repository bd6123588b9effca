"""States of an import and of its rows, and the options that decide the action of a row."""

from enum import StrEnum
from typing import Final


class ImportStatus(StrEnum):
    """State of an import.

    `uploading → uploaded → staging → previewed → committing → committed`; from `committing` one can go to `paused` and
    back. `cancelled` and `failed` end a phase early: what was committed by then can be undone. Whether it is being
    undone, or was, is a state of its changeset.
    """

    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    STAGING = "staging"
    PREVIEWED = "previewed"
    COMMITTING = "committing"
    PAUSED = "paused"
    COMMITTED = "committed"
    CANCELLED = "cancelled"
    FAILED = "failed"


BUSY: Final = frozenset({ImportStatus.STAGING, ImportStatus.COMMITTING})
"""States in which a worker processes the import."""


class ImportStage(StrEnum):
    """Status of an import, including the undo of its changeset."""

    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    STAGING = "staging"
    PREVIEWED = "previewed"
    COMMITTING = "committing"
    PAUSED = "paused"
    COMMITTED = "committed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


class RowAction(StrEnum):
    """Action of a row: planned after the preview, actual after the commit."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    SKIP = "skip"
    CONFLICT = "conflict"
    REJECT = "reject"


class ImportMode(StrEnum):
    """Which leads to create or update."""

    CREATE_ONLY = "create_only"
    UPDATE_ONLY = "update_only"
    CREATE_AND_UPDATE = "create_and_update"


class FieldPolicy(StrEnum):
    """How to update a field of existing leads. Empty cells never change anything."""

    FILL_EMPTY = "fill_empty"
    OVERWRITE = "overwrite"
    KEEP = "keep"


class Duplicates(StrEnum):
    """How to handle several rows with one email.

    `COMBINE`: later ones fill in what the first one leaves empty. `FIRST`, `LAST`: keep that one. `REPORT`: keep the
    first one and reject the others.
    """

    COMBINE = "combine"
    FIRST = "first"
    LAST = "last"
    REPORT = "report"


class InvalidValues(StrEnum):
    """How to handle invalid values. Rows without a valid email are always rejected."""

    REJECT = "reject"
    DROP = "drop"
