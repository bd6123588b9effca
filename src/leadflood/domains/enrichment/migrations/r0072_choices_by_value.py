"""The index of choices by their value begins with the lookup.

As long as PostgreSQL has no statistics of the table, an index that begins with the workspace looked as good to it as
the primary key for finding the choices of a lead, and it read those of the whole workspace.

Revision ID: 0072
Revises: 0071
"""

from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

INDEX = "chosen_values_lookup_idx"
FORMER = "chosen_values_value_idx"


def upgrade() -> None:
    """Any release can use either index."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON chosen_values (lookup_id, value_id, workspace_id)")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {FORMER}")


def downgrade() -> None:
    """The former index again."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {FORMER}")
        op.execute(f"CREATE INDEX CONCURRENTLY {FORMER} ON chosen_values (workspace_id, lookup_id, value_id)")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
