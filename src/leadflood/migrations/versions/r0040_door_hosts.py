"""Hosts that are crawled: when the next request may go out, their robots.txt, and opt-outs of their owners.

Revision ID: 0040
Revises: 0039
"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE door_hosts (
        host    text PRIMARY KEY,
        spacing double precision NOT NULL,
        next_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX door_hosts_next_at_idx ON door_hosts (next_at)",
    """
    CREATE TABLE door_robots (
        origin     text PRIMARY KEY,
        body       text NOT NULL,
        reachable  boolean NOT NULL,
        fetched_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX door_robots_fetched_at_idx ON door_robots (fetched_at)",
    """
    CREATE TABLE door_blocked_hosts (
        host       text PRIMARY KEY,
        reason     text NOT NULL DEFAULT '',
        blocked_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "GRANT SELECT, INSERT, UPDATE, DELETE ON door_hosts, door_robots, door_blocked_hosts TO leadflood_system",
)


def upgrade() -> None:
    """The previous release does not use the tables. Only work across workspaces reads them."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables, with the opt-outs."""
    op.execute("DROP TABLE door_hosts, door_robots, door_blocked_hosts")
