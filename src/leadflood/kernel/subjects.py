"""References to a subject, such as a lead: how each domain merges, unmerges, keeps, exports and erases its part.

A domain declares a `Participant` for a kind of subject, and `bootstrap` composes them. The verbs that merge, unmerge,
undo, export and erase walk all of them, so that they reach what they do not know.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import Sql, assemble, sql
from leadflood.kernel.db.transaction import Transaction

ERASED: Final = "[erased]"
"""Replacement of an erased text. The erasing functions of the schema write the same."""

# Number of a person's rows in a place.
_COUNT = sql("SELECT count(*) FROM {table} t WHERE t.workspace_id = :workspace_id AND ({found})")

# A person's rows in a place, as JSON.
_RECORDS = sql("""
SELECT {record} AS record FROM {table} t WHERE t.workspace_id = :workspace_id AND ({found})
""")

# Delete a person's rows in a place.
DELETE = sql("DELETE FROM {table} t WHERE t.workspace_id = :workspace_id AND ({found})")

# All columns of a row.
ALL_COLUMNS = sql("to_jsonb(t) - 'workspace_id'")


@dataclass(frozen=True, slots=True)
class Reference:
    """A row that a merge moved to the survivor, and what it was like before.

    Attributes:
        kind: what it is. Stored: names never change their meaning, and no two participants share one.
    """

    kind: str
    id: UUID
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unmerging:
    """References that return to an unmerged subject, if one of the holders still has them.

    Attributes:
        references: what the merge moved, of the kinds of one participant.
        holders: the survivor, the subject that it was merged into since, and so on.
        to_id: the subject that becomes one of its own again.
    """

    references: Sequence[Reference]
    holders: Sequence[UUID]
    to_id: UUID


@dataclass(frozen=True, slots=True)
class DataSubject:
    """A person whose data is exported or erased.

    Attributes:
        ids: the subjects that are this person, deleted and merged ones included.
        addresses: the person's e-mail addresses, in lower case.
        texts: what else identifies the person in a text: phone numbers, full names, former addresses.
    """

    ids: frozenset[UUID] = frozenset()
    addresses: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    @property
    def pattern(self) -> str:
        """A regular expression of PostgreSQL that finds the texts, but not as parts of other words or addresses."""
        return rf"(?<![\w.+-])(?:{_any_of(self.addresses)})(?![\w-])|(?<!\w)(?:{_any_of(self.texts)})(?!\w)"

    @property
    def fragments(self) -> list[str]:
        """Lowercase fragments for LIKE: ten times as fast as `pattern`, with false positives."""
        texts = {_WILDCARD.sub(r"\\\g<0>", text.lower()) for text in self.addresses | self.texts}
        return [f"%{text}%" for text in sorted(texts)]

    def parameters(self, actor: Actor) -> dict[str, Any]:
        """Parameters available to every statement about the person."""
        return {
            "workspace_id": actor.workspace_id,
            "ids": sorted(self.ids),
            "addresses": sorted(self.addresses),
            "pattern": self.pattern,
            "fragments": self.fragments,
        }


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(_SPECIAL.sub(r"\\\g<0>", text) for text in sorted(texts)) or _NOTHING


_SPECIAL: Final = re.compile(r"[^\w\s]")
_WILDCARD: Final = re.compile(r"[\\%_]")
_NOTHING: Final = "(?=a)b"
"""A pattern that matches nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A table, or some of its rows, with something about a person.

    Conditions are on the alias `t`. Parameters: `workspace_id`, `ids`, `addresses`, `pattern` and `fragments` of the
    person, and what `Participant.prepare` adds.

    Attributes:
        name: what an erasure calls it, such as `timeline`.
        table: its name.
        found: which rows are of the person.
        erase: removes them, or what names the person in them; `{table}` and `{found}` are filled in. None: they go
            with what they refer to, by a foreign key or a trigger.
        exported: which rows belong to an export of the person; None: those that are `found`.
        record: what is exported of a row, as JSON; None: nothing.
    """

    name: str
    table: Sql
    found: Sql
    erase: Sql | None = DELETE
    exported: Sql | None = None
    record: Sql | None = ALL_COLUMNS

    async def count(self, tx: Transaction, values: Mapping[str, Any]) -> int:
        """Number of rows that an erasure finds."""
        counted: int = await tx.scalar(assemble(_COUNT, table=self.table, found=self.found), values)
        return counted

    async def records(self, tx: Transaction, values: Mapping[str, Any]) -> list[Any]:
        """Records of an export."""
        if self.record is None:
            return []
        found = self.exported or self.found
        rows = await tx.all(assemble(_RECORDS, record=self.record, table=self.table, found=found), values)
        return [row.record for row in rows]

    async def remove(self, tx: Transaction, values: Mapping[str, Any]) -> None:
        """Erase it."""
        if self.erase is not None:
            await tx.execute(assemble(self.erase, table=self.table, found=self.found), values)


Lock: TypeAlias = Callable[[Transaction, Actor, Sequence[UUID]], Awaitable[None]]
Merge: TypeAlias = Callable[[Transaction, Actor, UUID, UUID], Awaitable[Sequence[Reference]]]
Unmerge: TypeAlias = Callable[[Transaction, Actor, Unmerging], Awaitable[None]]
Conflicts: TypeAlias = Callable[[Transaction, Actor, Sequence[UUID]], Awaitable[Mapping[UUID, str]]]
Related: TypeAlias = Callable[[Transaction, Actor, Sequence[UUID]], Awaitable[Iterable[UUID]]]
Admit: TypeAlias = Callable[[Transaction, Actor, DataSubject], Awaitable[None]]
Prepare: TypeAlias = Callable[[Transaction, Actor, DataSubject], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A domain's data about subjects of one kind. Operations that it leaves out do not concern it.

    Attributes:
        name: the domain.
        subject: the kind of subject, such as `lead`; None: every kind.
        places: where it has data of persons, in the order in which they are erased.
        kinds: the kinds of references that a merge moves, with the names that people see counts of.
        lock: locks what must be locked before the subjects themselves.
        merge: lets what refers to one subject (the first id) refer to another; both are locked. Returns what it moved.
        unmerge: returns that.
        conflicts: those of the subjects that undoing a change must not remove, by reason.
        related: the subjects that are the same person as these.
        admit: locks what an erasure needs before all else, or refuses it.
        prepare: further parameters of the places, for one person.
    """

    name: str
    subject: str | None = None
    places: Sequence[Place] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    lock: Lock | None = None
    merge: Merge | None = None
    unmerge: Unmerge | None = None
    conflicts: Conflicts | None = None
    related: Related | None = None
    admit: Admit | None = None
    prepare: Prepare | None = None


class Participants:
    """The participants of one kind of subject, from the highest domain to the lowest."""

    def __init__(self, subject: str, participants: Iterable[Participant]) -> None:
        """Raises: ValueError: two have the same name, kind of reference, or place."""
        self._all = tuple(participant for participant in participants if participant.subject in (None, subject))
        self.kinds: Mapping[str, str] = {kind: name for item in self._all for kind, name in item.kinds.items()}
        self.places: Sequence[Place] = [place for item in self._all for place in item.places]
        for names in (
            [item.name for item in self._all],
            [kind for item in self._all for kind in item.kinds],
            [place.name for place in self.places],
        ):
            if len(set(names)) < len(names):
                message = f"Two participants of {subject} share a name: {', '.join(sorted(names))}."
                raise ValueError(message)

    async def lock(self, tx: Transaction, actor: Actor, subject_ids: Sequence[UUID]) -> None:
        """Acquire the locks that must precede those of the subjects."""
        for item in self._all:
            if item.lock is not None:
                await item.lock(tx, actor, subject_ids)

    async def merge(self, tx: Transaction, actor: Actor, *, from_id: UUID, to_id: UUID) -> list[Reference]:
        """Move all references from one subject to another; both are locked. Returns the moved references."""
        moved: list[Reference] = []
        for item in self._all:
            if item.merge is not None:
                moved += await item.merge(tx, actor, from_id, to_id)
        return moved

    async def unmerge(
        self, tx: Transaction, actor: Actor, *, moved: Sequence[Reference], holders: Sequence[UUID], to_id: UUID
    ) -> None:
        """Return moved references, if one of the holders still has them. All subjects are locked."""
        for item in self._all:
            if item.unmerge is not None:
                ours = [reference for reference in moved if reference.kind in item.kinds]
                await item.unmerge(tx, actor, Unmerging(ours, holders, to_id))

    async def conflicts(self, tx: Transaction, actor: Actor, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        """Those of the subjects that an undo must not remove, with the reason. They are locked."""
        found: dict[UUID, str] = {}
        for item in self._all:
            if item.conflicts is not None:
                found = {**await item.conflicts(tx, actor, subject_ids), **found}
        return found

    async def related(self, tx: Transaction, actor: Actor, subject_ids: Iterable[UUID]) -> frozenset[UUID]:
        """These subjects, and all that are the same person."""
        found, known = frozenset(subject_ids), frozenset[UUID]()
        while found != known:
            known = found
            for item in self._all:
                if item.related is not None:
                    found |= set(await item.related(tx, actor, sorted(known)))
        return found

    async def admit(self, tx: Transaction, actor: Actor, person: DataSubject) -> None:
        """Acquire the locks of an erasure. Raises: AppError: the person cannot be erased now."""
        for item in self._all:
            if item.admit is not None:
                await item.admit(tx, actor, person)

    async def count(self, tx: Transaction, actor: Actor, person: DataSubject) -> dict[str, int]:
        """Number of rows per place that an erasure of the person finds."""
        values = await self._values(tx, actor, person)
        return {place.name: await place.count(tx, values) for place in self.places}

    async def erase(self, tx: Transaction, actor: Actor, person: DataSubject) -> dict[str, int]:
        """Erase the person everywhere; all of the person's subjects are locked. Returns the same counts as `count`."""
        values = await self._values(tx, actor, person)
        # First all counts: rows of one place can go with those of another.
        counted = {place.name: await place.count(tx, values) for place in self.places}
        for place in self.places:
            await place.remove(tx, values)
        return counted

    async def export(self, tx: Transaction, actor: Actor, person: DataSubject) -> dict[str, list[Any]]:
        """Data of the person by place, without empty ones."""
        values = await self._values(tx, actor, person)
        found = {place.name: await place.records(tx, values) for place in self.places}
        return {name: records for name, records in found.items() if records}

    async def _values(self, tx: Transaction, actor: Actor, person: DataSubject) -> dict[str, Any]:
        values = person.parameters(actor)
        for item in self._all:
            if item.prepare is not None:
                values |= await item.prepare(tx, actor, person)
        return values
