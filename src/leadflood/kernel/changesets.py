"""Changesets of any kind of subject: how the changes of a chunk are undone.

The domain `leads` stores changesets, counts them and undoes them chunk by chunk. What the undo of a chunk writes is up
to the kind of subject: a domain declares a `ChangesetSubject`, and `bootstrap` composes them.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participants

MAX_DIRECT: Final = 5000
"""Maximum leads that a request changes itself; a job changes more, in chunks of this size."""


@dataclass(frozen=True, slots=True)
class UndoChunk:
    """Some changes of a changeset: those between two IDs of subjects."""

    after: UUID
    until: UUID
    changes: int


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A change of a changeset: `created`, `updated`, `deleted` or `restored`, with the values before and after."""

    subject_id: UUID
    change: str
    before: Mapping[str, JsonValue] | None
    after: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class UndoStep:
    """A chunk to undo.

    Attributes:
        actor: who runs it; by: who undoes the changeset.
        participants: of leads, which may keep a lead from being removed.
    """

    actor: Actor
    by: Actor
    participants: Participants
    changeset_id: UUID
    chunk: UndoChunk
    trace: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Undone:
    """Result of the undo of a chunk: number of reverted subjects, and the fields that it kept, by subject."""

    reverted: int
    kept: Mapping[UUID, Sequence[str]] = field(default_factory=dict)


async def _no_more(_tx: Transaction, _actor: Actor, _changeset_id: UUID) -> Collection[Permission]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesetSubject:
    """A kind of subject that changesets can be about.

    Attributes:
        subject: its name. Stored with each changeset.
        undo: reverts the changes of a chunk, in the transaction that counts it. It locks subjects in ID order.
        chunk: maximum changes that a request undoes itself; a job undoes more, in chunks of this size.
        permissions: what the undo of a changeset asks of its actor, besides that of the verb.
    """

    subject: str
    undo: Callable[[Transaction, UndoStep], Awaitable[Undone]]
    chunk: int = MAX_DIRECT
    permissions: Callable[[Transaction, Actor, UUID], Awaitable[Collection[Permission]]] = _no_more


class ChangesetSubjects:
    """The kinds of subjects of changesets, filled by `bootstrap`."""

    def __init__(self) -> None:
        self._known: dict[str, ChangesetSubject] = {}

    def add(self, subjects: Sequence[ChangesetSubject]) -> None:
        """Raises: ValueError: there is one of this name."""
        for subject in subjects:
            if subject.subject in self._known:
                message = f"Changesets of {subject.subject} are declared twice."
                raise ValueError(message)
            self._known[subject.subject] = subject

    def __getitem__(self, subject: str) -> ChangesetSubject:
        """Raises: KeyError: no domain declares it."""
        return self._known[subject]
