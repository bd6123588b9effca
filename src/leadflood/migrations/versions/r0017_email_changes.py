"""Changes of an e-mail address wait for their confirmation.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Of a person, as users are, and so of no workspace. The token is not here: it is derived.
CHANGES = """
CREATE TABLE email_changes (
    id                uuid PRIMARY KEY,
    user_id           uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    job_workspace_id  uuid,
    email             text NOT NULL,
    email_norm        text NOT NULL,
    former_email      text NOT NULL,
    former_email_norm text NOT NULL,
    token_hash        bytea NOT NULL,
    sending           integer NOT NULL DEFAULT 1 CHECK (sending >= 1),
    job_id            uuid,
    requested_at      timestamptz NOT NULL DEFAULT now(),
    last_sent_at      timestamptz NOT NULL DEFAULT now(),
    expires_at        timestamptz NOT NULL,
    closed_at         timestamptz
)
"""


def upgrade() -> None:
    """Old code goes on changing addresses at once."""
    op.execute(CHANGES)
    op.execute("CREATE UNIQUE INDEX email_changes_open_key ON email_changes (user_id) WHERE closed_at IS NULL")
    op.execute("CREATE INDEX email_changes_user_idx ON email_changes (user_id, last_sent_at)")
    op.execute("CREATE INDEX email_changes_token_hash_idx ON email_changes (token_hash)")
    op.execute("CREATE INDEX email_changes_expires_at_idx ON email_changes (expires_at)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON email_changes TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Forget what was not confirmed."""
    op.execute("DROP TABLE email_changes")
