"""An edit of a lead in a form: what it changes, and where it meets what others changed meanwhile.

A form says of each field what it was when it was shown (`base.company`). So fields that others changed meanwhile are
kept, and only a field that both changed is a conflict.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.errors import LeadVersionConflict
from leadflood.kernel.errors import InvalidInput
from leadflood.web import labels
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_form import custom_changes, custom_fields_of, form_of, text_in_form

BASE: Final = "base."
"""Before the name of a field: its value when the form was shown."""
_NOT_FIELDS: Final = frozenset({"csrf", "version", "then"})
_ROUNDS: Final = 3


class EditConflict(Exception):
    """Someone else changed fields that the form changes. `fields`: their names; `stored`: the lead as it is now."""

    def __init__(self, fields: Sequence[str], stored: LeadView) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields
        self.stored = stored


@dataclass(frozen=True, slots=True)
class ConflictingField:
    """A field that two people changed: the value wanted, and the one stored now."""

    label: str
    mine: str
    current: str


@dataclass(frozen=True, slots=True)
class ShownConflict:
    """A conflict in words. `inputs`: what overwrites the current values, as names and values of a form."""

    fields: Sequence[ConflictingField]
    inputs: Sequence[tuple[str, str]]
    by: str


@dataclass(frozen=True, slots=True)
class LeadEdit:
    """The fields of a lead in a form."""

    form: Form

    @property
    def fields(self) -> list[str]:
        """The names of its fields, in its order."""
        return [name for name in self.form.fields if name not in _NOT_FIELDS and not name.startswith(BASE)]

    def changed(self, stored: LeadView) -> list[str]:
        """The fields that it changes. Raises: EditConflict. InvalidInput: it doesn't say what it was filled with."""
        now = form_of(stored)
        changed = [name for name in self.fields if _value(self.form, name) not in (_value(now, name), self._base(name))]
        conflicts = [name for name in changed if self._is_older(name, now, stored.version)]
        if conflicts:
            raise EditConflict(conflicts, stored)
        return changed

    def _base(self, name: str) -> list[str] | None:
        return _value(self.form, BASE + name) if BASE + name in self.form.fields else None

    def _is_older(self, name: str, now: Form, version: int) -> bool:
        """Whether the form was filled before the stored value."""
        base = self._base(name)
        if base is not None:
            return base != _value(now, name)
        shown = self.form.number("version")
        if not isinstance(shown, int):
            raise InvalidInput("This page is out of date. Reload and try again.")
        return shown != version


async def save_edit(ctx: PageContext, lead_id: UUID, edit: LeadEdit) -> bool:
    """Change the fields that the form changes; what others changed meanwhile is kept. Returns whether there are any.

    Raises: EditConflict, LeadNotFound, DuplicateLead, UnknownOwner, InvalidInput.
    """
    for attempt in range(1, _ROUNDS + 1):
        try:
            return await _save(ctx, lead_id, edit)
        except LeadVersionConflict:  # someone else saved between our reading and our writing
            if attempt == _ROUNDS:
                raise
    return False


async def _save(ctx: PageContext, lead_id: UUID, edit: LeadEdit) -> bool:
    async with ctx.writing() as tx:
        stored = await queries.get_lead(tx, ctx.actor, lead_id=lead_id)
        changed = Form({name: edit.form.values(name) for name in edit.changed(stored)})
        given = changed.given(UpdateLead, blank=None)
        given.pop("customFields", None)
        if custom := custom_changes(changed, stored, await custom_fields_of(tx, ctx.actor)):
            given["customFields"] = custom
        if given:
            command = validated(UpdateLead, given)
            await service.update_lead(tx, ctx.actor, lead_id=lead_id, command=command, expected_version=stored.version)
        return bool(given)


def bases(names: Iterable[str], stored: Form, given: Form | None = None) -> dict[str, list[str]]:
    """Values for the inputs `base.*`, by field. `given`: a form that is shown again, which has them already."""
    sent = given.fields if given is not None else {}
    return {name: sent.get(BASE + name) or stored.values(name) or [""] for name in names}


def shown_conflict(conflict: EditConflict, edit: LeadEdit, context: Mapping[str, Any]) -> ShownConflict:
    """A conflict in words, for a page with this context: `named`, `people`, `custom`, `changed_by`."""
    now = form_of(conflict.stored)
    people, custom = context["people"], context["custom"]
    fields = [
        ConflictingField(
            context["named"].get(name) or labels.field(name),
            text_in_form(name, edit.form, people, custom),
            text_in_form(name, now, people, custom),
        )
        for name in conflict.fields
    ]
    base = bases(edit.fields, now, edit.form) | bases(conflict.fields, now)
    inputs = [(name, value) for name in edit.fields for value in edit.form.values(name)]
    inputs += [(BASE + name, value) for name, values in base.items() for value in values]
    return ShownConflict(fields, inputs, context["changed_by"])


def _value(form: Form, name: str) -> list[str]:
    """The value of a field, to be compared: of one that is sent more than once, all that are not empty."""
    return [value.strip() for value in form.values(name) if value.strip()]
