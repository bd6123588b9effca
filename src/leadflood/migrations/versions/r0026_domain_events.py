"""Domain events in the outbox, in an order that a feed can be read by.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# Each is a transaction of its own, and safe to repeat after a kill.
STEPS = (
    """
    ALTER TABLE outbox_events
        ADD COLUMN IF NOT EXISTS subject_kind text,
        ADD COLUMN IF NOT EXISTS subject_ids uuid[],
        ADD COLUMN IF NOT EXISTS position bigint
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS outbox_events_position_idx",
    """
    CREATE INDEX CONCURRENTLY outbox_events_position_idx ON outbox_events (workspace_id, position, id)
    WHERE position IS NOT NULL
    """,
)
RETENTION = (
    """
    CREATE TABLE event_retention (
        id           smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
        purged_until timestamptz NOT NULL DEFAULT now()
    )
    """,
    "INSERT INTO event_retention DEFAULT VALUES",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON event_retention TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """The previous release keeps working.

    It writes events of jobs as before, and shows domain events as events of an unknown job.
    """
    with op.get_context().autocommit_block():
        for step in STEPS:
            op.execute(step)
    for statement in RETENTION:
        op.execute(statement)


def downgrade() -> None:
    """Domain events go; those of jobs stay."""
    op.execute("DELETE FROM outbox_events WHERE position IS NOT NULL")
    op.execute("DROP TABLE event_retention")
    op.execute("ALTER TABLE outbox_events DROP COLUMN subject_kind, DROP COLUMN subject_ids, DROP COLUMN position")
