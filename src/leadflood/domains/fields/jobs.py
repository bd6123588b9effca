"""The job of custom fields: converts stored values to their field's type."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from leadflood.domains.fields import queries
from leadflood.domains.fields.errors import FieldNotFound
from leadflood.domains.fields.events import CONVERT_VALUES, ConvertValues
from leadflood.domains.fields.models import CustomField
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_MAX_SECONDS = 6 * 3600.0


class Converter(Protocol):
    """Converts the values that subjects of one kind have."""

    async def __call__(self, tx: Transaction, actor: Actor, *, field: CustomField, after: UUID | None) -> UUID | None:
        """Convert the values of the next subjects after one. Returns the last of them; None at the end."""
        ...


def definitions(converters: Mapping[str, Converter]) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `converters`: by kind of subject."""

    async def convert(context: JobContext[ConvertValues]) -> None:
        after: UUID | None = None
        while True:
            async with context.transaction() as tx:
                try:
                    field = await queries.get_field(tx, context.actor, field_id=context.payload.field_id)
                except FieldNotFound:
                    return
                known = await queries.custom_fields(tx, context.actor.workspace_id, subject=field.subject)
                after = await converters[field.subject](tx, context.actor, field=known[field.key], after=after)
            if after is None:
                return

    return [JobDefinition(CONVERT_VALUES, convert, timeout=_MAX_SECONDS)]
