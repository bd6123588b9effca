"""Copy the runs and values that exist to lookups, in short transactions.

Revision ID: 0051
Revises: 0050
"""

from alembic import op
from sqlalchemy import text

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

# The next runs in the order of their keys, locked against changes until they are copied. Triggers copy what is written
# meanwhile.
BATCH = text("""
WITH batch AS (
    SELECT workspace_id, id FROM enrichment_runs
    WHERE (workspace_id, id) > (:workspace_id, :id)
    ORDER BY workspace_id, id
    LIMIT 2000
    FOR SHARE
), copied AS (
    SELECT copy_enrichment_runs(workspace_id, array_agg(id)) FROM batch GROUP BY workspace_id
)
SELECT b.workspace_id, b.id FROM batch b, (SELECT count(*) FROM copied) AS c
ORDER BY b.workspace_id DESC, b.id DESC LIMIT 1
""")
NOTHING = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    """Safe to repeat after a kill: what is copied is not copied again."""
    with op.get_context().autocommit_block():
        # Forced row-level security can apply to the owner too, which would then silently copy nothing.
        op.execute("SET ROLE leadflood_system")
        last: tuple[object, object] | None = (NOTHING, NOTHING)
        while last is not None:
            row = op.get_bind().execute(BATCH, {"workspace_id": last[0], "id": last[1]}).first()
            last = None if row is None else (row[0], row[1])
        op.execute("RESET ROLE")


def downgrade() -> None:
    """Nothing to do: the copies go with their tables."""
