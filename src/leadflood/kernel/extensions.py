"""Extensions of the lists, pages and API of another domain's subjects, such as leads.

A domain declares an `Extension` for a kind of subject, and `bootstrap` composes them into `Extensions`. Lists, pages,
endpoints and bulk changes read the registry and name no domain.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, JsonValue

from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.db.sql import Sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.text import InvalidValue

Load: TypeAlias = Callable[[Transaction, Actor, Sequence[UUID]], Awaitable[Mapping[UUID, Any]]]
LoadPanel: TypeAlias = Callable[[Transaction, Actor, UUID], Awaitable[Mapping[str, Any] | None]]
LoadOptions: TypeAlias = Callable[[Transaction, Actor], Awaitable[Mapping[str, Any]]]
LoadHome: TypeAlias = Callable[[Transaction, Actor, ZoneInfo], Awaitable[Mapping[str, Any]]]
Changed: TypeAlias = Mapping[UUID, Mapping[str, JsonValue]]
"""Changed subjects with the data that an undo needs: small JSON without personal data."""


@dataclass(frozen=True, slots=True)
class RelatedOrder:
    """Order of a list of subjects by a number that another domain has of them.

    Attributes:
        name: name in the API, in URLs and saved views.
        ranked: statement for the `lead_id` and `sort_key` of the subjects that have the number, with an index for both
            in this order. Its only parameter is `workspace_id`.
        fractional: whether the number is double precision, and no integer.
    """

    name: str
    ranked: Sql
    fractional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedField:
    """Data of a domain about subjects of another one: a list column, and a value of `expand` in the API.

    Attributes:
        name: name in the API, in URLs and saved views.
        label: column header.
        load: returns the values of many subjects with one statement. Subjects without a value are left out.
        schema: type of a value in the API.
        permission: permission to read it.
        cell: template of a cell, with the value as `value`. None if it is not a column.
        empty: makes the value of a subject that `load` left out.
        names: the names in a value, for a column of a file. None if files don't have it.
        order: order of the list by this column. None if it cannot be sorted.
    """

    name: str
    label: str
    load: Load
    schema: Any
    permission: Permission
    cell: str | None = None
    empty: Callable[[], Any] = lambda: None
    names: Callable[[Any], list[str]] | None = None
    order: RelatedOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of the page of a subject.

    Attributes:
        name: name of the element, `panel-<name>`.
        title: heading.
        template: template of the content, with the result of `load` as `panel`, the ID as `subject_id`, and `form`.
        load: loads the content, or None to show no panel. The number of statements doesn't depend on that of rows.
        permission: permission to see it.
        main: whether it is in the wide column instead of the one beside it.
        order: sort key within the column, ascending.
    """

    name: str
    title: str
    template: str
    load: LoadPanel
    permission: Permission
    main: bool = False
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePanel:
    """A part of the home page, with the attributes of `Panel`. The template has the result of `load` as `panel`.

    Attributes:
        load: loads the content, for the time zone of the reader.
        link: text and address of a link in the heading.
        personal: whether it is about the user. It is rendered with the page, and not by its stream, which users share.
    """

    name: str
    title: str
    template: str
    load: LoadHome
    permission: Permission
    link: tuple[str, str] | None = None
    personal: bool = False
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAction:
    """A menu entry on the page of a subject.

    Attributes:
        path: path of the target, with `{id}` for the subject.
        posts: whether it submits a form instead of being a link.
    """

    text: str
    path: str
    icon: str
    permission: Permission
    posts: bool = False
    order: int = 100

    def address(self, subject_id: UUID) -> str:
        """Path of the target for one subject."""
        return self.path.format(id=subject_id)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A validated bulk operation: the label of its changeset, and the arguments to store."""

    label: str
    arguments: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Batch:
    """Locked subjects for a bulk operation to change. `actor`: the requester."""

    actor: Actor
    changeset_id: UUID
    subject_ids: Sequence[UUID]
    arguments: Mapping[str, JsonValue]
    trace: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UndoBatch:
    """Changes for an undo to revert; the subjects are locked. `actor`: the user who undoes them."""

    actor: Actor
    changeset_id: UUID
    changed: Changed
    trace: Mapping[str, str]


Prepare: TypeAlias = Callable[[Transaction, Actor, Any], Awaitable[Prepared]]
Apply: TypeAlias = Callable[[Transaction, Batch], Awaitable[Changed]]
Undo: TypeAlias = Callable[[Transaction, UndoBatch], Awaitable[Iterable[UUID]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOperation:
    """A bulk change of subjects of another domain, which can be undone with its changeset.

    Attributes:
        name: name in the API and in stored changes. Its meaning must never change.
        label: button text, such as "Add tags".
        heading: text before a number of subjects, such as "Add tags to".
        done: text after a number of subjects, such as "tagged".
        running: text before a number of subjects, such as "Tagging".
        icon: icon name at lucide.dev.
        permission: permission needed in addition to changing subjects.
        arguments: contract of the arguments.
        prepare: validates the arguments before any subject is changed. Raises AppError.
        apply: changes a batch. Returns the subjects that were not in the requested state already.
        undo: reverts a batch, except later changes. Returns the changed subjects.
        fields: template of the input fields, which belong to the form `form_id`. None if it has no arguments.
        read: converts the values of that form to arguments.
        load: loads `options` for the template.
        listed: whether it is offered for selected subjects.
        writes: whether `apply` writes subjects themselves and stores their images, so that the undo of the changeset
            reverts them without `undo`.
    """

    name: str
    label: str
    heading: str
    done: str
    running: str
    icon: str
    permission: Permission
    arguments: type[BaseModel]
    prepare: Prepare
    apply: Apply
    undo: Undo
    fields: str | None = None
    read: Callable[[Mapping[str, Sequence[str]]], Mapping[str, Any]] = lambda _values: {}
    load: LoadOptions | None = None
    listed: bool = True
    writes: bool = False
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Extension of subjects of one kind by one domain."""

    fields: Sequence[RelatedField] = ()
    panels: Sequence[Panel] = ()
    actions: Sequence[PageAction] = ()
    operations: Sequence[BulkOperation] = ()


T = TypeVar("T", Panel, PageAction, BulkOperation)


@dataclass(slots=True)
class Extensions:
    """Registry of the extensions of subjects of one kind.

    Attributes:
        subject: kind of subject.
        fields: related fields by name, in the order of the domains.
        operations: bulk operations by name.
        panels: panels in their order.
        actions: menu entries in their order.
    """

    subject: str
    fields: dict[str, RelatedField] = field(default_factory=dict)
    operations: dict[str, BulkOperation] = field(default_factory=dict)
    panels: list[Panel] = field(default_factory=list)
    actions: list[PageAction] = field(default_factory=list)

    def add(self, extension: Extension | None) -> None:
        """Add the extension of a domain, if it has one; again is allowed. Raises: ValueError: a name is taken."""
        if extension is None:
            return
        for related in extension.fields:
            _put(self.fields, related.name, related)
        for operation in sorted(extension.operations, key=lambda item: item.order):
            _put(self.operations, operation.name, operation)
        _add(self.panels, extension.panels)
        _add(self.actions, extension.actions)
        names = [panel.name for panel in self.panels]
        if len(set(names)) < len(names):
            message = f"Two panels of {self.subject} share a name: {', '.join(names)}."
            raise ValueError(message)

    @property
    def columns(self) -> dict[str, str]:
        """Labels of the list columns, by name."""
        return {name: related.label for name, related in self.fields.items() if related.cell is not None}

    @property
    def orders(self) -> dict[str, RelatedOrder]:
        """Orders by related fields, by name."""
        return {related.order.name: related.order for related in self.fields.values() if related.order is not None}

    @property
    def file_columns(self) -> dict[str, RelatedField]:
        """Related fields that files have, by name."""
        return {name: related for name, related in self.fields.items() if related.names is not None}

    def check_field(self, name: str) -> str:
        """Return the name if it is a related field. Raises: InvalidValue."""
        if name not in self.fields:
            known = f" Provide one of: {', '.join(self.fields)}." if self.fields else ""
            message = f"There is no such field to expand.{known}"
            raise InvalidValue(message, "not_allowed")
        return name

    async def load(
        self, tx: Transaction, actor: Actor, names: Iterable[str], subject_ids: Sequence[UUID]
    ) -> dict[str, dict[UUID, Any]]:
        """Load related fields, by name and subject, with one statement per field. Unknown names are left out.

        Raises: leadflood.kernel.actor.MissingPermission.
        """
        found: dict[str, dict[UUID, Any]] = {}
        for related in (self.fields[name] for name in dict.fromkeys(names) if name in self.fields):
            actor.require(related.permission)
            loaded = await related.load(tx, actor, subject_ids) if subject_ids else {}
            found[related.name] = {each: loaded[each] if each in loaded else related.empty() for each in subject_ids}
        return found


def _put(found: dict[str, Any], name: str, added: object) -> None:
    if found.setdefault(name, added) != added:
        message = f"There is another {name}."
        raise ValueError(message)


def _add(found: list[Any], added: Sequence[T]) -> None:
    found += [item for item in added if item not in found]
    found.sort(key=lambda item: item.order)
