"""The states of an import and of its rows, and the choices that decide what a row does."""

from enum import StrEnum
from typing import Final


class ImportStatus(StrEnum):
    """Where an import stands.

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
"""States in which a worker has the import."""


class ImportStage(StrEnum):
    """An import's status as it is shown: with the undoing of its changeset."""

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
    """What a row of the file does. At the preview it is what it would do, after the commit what it did."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    SKIP = "skip"
    CONFLICT = "conflict"
    REJECT = "reject"


class ImportMode(StrEnum):
    """Which leads an import may touch."""

    CREATE_ONLY = "create_only"
    UPDATE_ONLY = "update_only"
    CREATE_AND_UPDATE = "create_and_update"


class FieldPolicy(StrEnum):
    """What a value of the file does to a field of an existing lead. An empty cell never changes anything."""

    FILL_EMPTY = "fill_empty"
    OVERWRITE = "overwrite"
    KEEP = "keep"


class Duplicates(StrEnum):
    """Which of several rows with the same e-mail address counts."""

    FIRST = "first"
    LAST = "last"


class InvalidValues(StrEnum):
    """What becomes of a row with a value that breaks its format; without a valid address it is always rejected."""

    REJECT = "reject"
    DROP = "drop"
