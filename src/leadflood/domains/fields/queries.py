"""SQL that reads the definitions of custom fields."""

from uuid import UUID

from leadflood.domains.fields.contracts import FieldOptionView, FieldView
from leadflood.domains.fields.errors import FieldNotFound
from leadflood.domains.fields.models import CustomField
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.field_types import FieldType, Option

_COLUMNS = sql("id, subject, key, label, type, options, position, archived_at, version, created_at, updated_at")

# A field by its id.
_FIELD = assemble(
    sql("SELECT {columns} FROM field_definitions WHERE workspace_id = :workspace_id AND id = :field_id"),
    columns=_COLUMNS,
)

# Fields of a subject in display order, archived ones last.
_FIELDS = assemble(
    sql("""
SELECT {columns} FROM field_definitions
WHERE workspace_id = :workspace_id AND subject = :subject
ORDER BY archived_at IS NOT NULL, position, id
"""),
    columns=_COLUMNS,
)


async def get_field(tx: Transaction, actor: Actor, *, field_id: UUID) -> FieldView:
    """Raises: FieldNotFound."""
    row = await tx.first(_FIELD, {"workspace_id": actor.workspace_id, "field_id": field_id})
    if row is None:
        raise FieldNotFound
    return _view(row)


async def list_fields(tx: Transaction, actor: Actor, *, subject: str) -> list[FieldView]:
    """The custom fields of a subject in display order, archived ones last."""
    rows = await tx.all(_FIELDS, {"workspace_id": actor.workspace_id, "subject": subject})
    return [_view(row) for row in rows]


async def custom_fields(tx: Transaction, workspace_id: UUID, *, subject: str) -> dict[str, CustomField]:
    """The custom fields of a subject by key, in display order; also archived ones, whose values keep their type."""
    rows = await tx.all(_FIELDS, {"workspace_id": workspace_id, "subject": subject})
    return {row.key: custom_field(row) for row in rows}


def custom_field(row: Row) -> CustomField:
    """The definition in a row."""
    options = tuple(Option(option["value"], option["label"]) for option in row.options)
    return CustomField(row.id, row.key, row.label, FieldType(row.type), options, row.archived_at is not None)


def _view(row: Row) -> FieldView:
    return FieldView(
        id=row.id,
        subject=row.subject,
        key=row.key,
        label=row.label,
        type=FieldType(row.type),
        options=[FieldOptionView(value=option["value"], label=option["label"]) for option in row.options],
        position=row.position,
        archived=row.archived_at is not None,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
