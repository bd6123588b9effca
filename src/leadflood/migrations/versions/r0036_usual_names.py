"""Stored names of job kinds and audit actions are those of the field: `purge_expired`, `updated`.

Processes of the previous release keep working during the deploy:

- Schedules are rows under the name of their job kind. The rows are renamed, so that no purge runs twice. A worker
  of the previous release adds its row again when it starts, and both run the same idempotent job.
- Jobs keep the kind under which they were queued. The registry knows the former names (`JobKind.former_name`), so that
  workers of this release run what the previous one queues. A job of a new kind waits for a worker of this release.
- Audit events are read by name only. One that the previous release still writes keeps its former name.

Revision ID: 0036
Revises: 0035
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

KINDS = {
    "duplicates.start.v1": "duplicates.schedule.v1",
    "email_changes.forget.v1": "email_changes.purge_expired.v1",
    "exports.forget.v1": "exports.purge_expired.v1",
    "figures.count.v1": "metrics.aggregate.v1",
    "figures.recount.v1": "metrics.rebuild.v1",
    "imports.forget.v1": "imports.purge_expired.v1",
    "invitations.forget.v1": "invitations.purge_expired.v1",
}
ACTIONS = {
    "field.changed": "field.updated",
    "import.read_again": "import.format_changed",
    "leads.changed": "leads.updated",
    "view.changed": "view.updated",
}


def _rename(names: dict[str, str]) -> None:
    for old, new in names.items():
        op.execute(f"UPDATE schedules SET name = '{new}' WHERE name = '{old}'")  # noqa: S608  constants of this file


def _rename_actions(names: dict[str, str]) -> None:
    # Forced row-level security binds the owner, too, and the role that sees every workspace may only append.
    op.execute("ALTER TABLE audit_events NO FORCE ROW LEVEL SECURITY")
    for old, new in names.items():
        op.execute(f"UPDATE audit_events SET action = '{new}' WHERE action = '{old}'")  # noqa: S608  as above
    op.execute("ALTER TABLE audit_events FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    """Rename the rows."""
    _rename(KINDS)
    _rename_actions(ACTIONS)


def downgrade() -> None:
    """Rename the rows back. Queued jobs of the new kinds are not known to the previous release."""
    _rename({new: old for old, new in KINDS.items()})
    _rename_actions({new: old for old, new in ACTIONS.items()})
