"""Filter fields that imports add to leads."""

from typing import Final

from leadflood.kernel.db.sql import sql
from leadflood.kernel.filters import Column, FilterField, Kind, Relation

LEAD_FILTERS: Final = (
    FilterField(
        "import",
        "Import",
        Kind.REFERENCE,
        Column("import_id", sql("related.import_id")),
        Relation(
            "lead_imports",
            sql("""
EXISTS (SELECT FROM lead_imports related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
        ),
        nullable=False,
    ),
)
"""The import that created or updated a lead, by its ID, as long as its changeset is kept."""
