"""Browser sessions, invitations and preferences; an audit log that is filtered in the order in which it is shown.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SESSIONS = """
ALTER TABLE sessions ADD COLUMN kind text NOT NULL DEFAULT 'api' CHECK (kind IN ('api', 'browser'));
ALTER TABLE sessions DROP CONSTRAINT sessions_end_reason_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN
    ('logout', 'ended', 'password_changed', 'token_reuse', 'user_disabled', 'replaced', 'switched'));
ALTER TABLE session_tokens DROP CONSTRAINT session_tokens_kind_check;
ALTER TABLE session_tokens ADD CONSTRAINT session_tokens_kind_check CHECK (kind IN ('access', 'refresh', 'web'));
"""

PREFERENCES = """
ALTER TABLE users ADD COLUMN appearance text NOT NULL DEFAULT 'system'
    CHECK (appearance IN ('system', 'light', 'dark'));
ALTER TABLE users ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';
"""

# An invitation goes with the membership of who vouches for it. The token is not here, not even sealed: it is derived.
INVITATIONS = """
CREATE TABLE invitations (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           uuid NOT NULL,
    email        text NOT NULL,
    email_norm   text NOT NULL,
    role         text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    invited_by   uuid,
    token_hash   bytea NOT NULL,
    job_id       uuid,
    sends        integer NOT NULL DEFAULT 1 CHECK (sends >= 1),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_sent_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    accepted_at  timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, invited_by) REFERENCES memberships (workspace_id, user_id) ON DELETE CASCADE,
    CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);
CREATE UNIQUE INDEX invitations_open_key ON invitations (workspace_id, email_norm)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_email_idx ON invitations (workspace_id, email_norm, last_sent_at);
CREATE INDEX invitations_invited_by_idx ON invitations (workspace_id, invited_by);
CREATE INDEX invitations_token_hash_idx ON invitations (token_hash);
CREATE INDEX invitations_expires_at_idx ON invitations (expires_at);
"""

# Collation "C": only there is "begins with" a range of the index, and LIKE is not leakproof.
AUDIT = """
ALTER TABLE audit_events ALTER COLUMN action TYPE text COLLATE "C";
DROP INDEX audit_events_action_idx;
DROP INDEX audit_events_actor_idx;
DROP INDEX audit_events_subject_idx;
CREATE INDEX audit_events_at_idx ON audit_events (workspace_id, at, id);
CREATE INDEX audit_events_action_idx ON audit_events (workspace_id, action, at, id);
CREATE INDEX audit_events_actor_idx ON audit_events (workspace_id, actor_id, at, id);
CREATE INDEX audit_events_subject_idx ON audit_events (workspace_id, subject_id, at, id);
"""

# As in revision 1, but for the kinds of tokens. Their prefixes tell them apart before they are hashed, so that neither
# can be sent in the place of the other.
AUTHENTICATE = """
CREATE OR REPLACE FUNCTION authenticate_token(sought bytea)
RETURNS TABLE (kind text, workspace_id uuid, user_id uuid, role text, session_id uuid, api_key_id uuid,
               scopes text[], stale boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = leadflood, pg_temp
AS $$
    SELECT 'session', s.workspace_id, s.user_id, m.role, s.id, NULL::uuid, NULL::text[],
           s.last_used_at < now() - interval '1 minute'
    FROM session_tokens t
    JOIN sessions s ON s.workspace_id = t.workspace_id AND s.id = t.session_id
    JOIN memberships m ON m.workspace_id = s.workspace_id AND m.user_id = s.user_id
    JOIN users u ON u.id = s.user_id
    WHERE t.token_hash = sought AND t.kind IN ({kinds}) AND t.expires_at > now()
      AND s.ended_at IS NULL AND u.disabled_at IS NULL
    UNION ALL
    SELECT 'api_key', k.workspace_id, k.created_by, m.role, NULL::uuid, k.id, k.scopes,
           coalesce(k.last_used_at < now() - interval '1 minute', true)
    FROM api_keys k
    JOIN memberships m ON m.workspace_id = k.workspace_id AND m.user_id = k.created_by
    JOIN users u ON u.id = k.created_by
    WHERE k.token_hash = sought AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
      AND u.disabled_at IS NULL
$$
"""

# The caller and all that every page says of it, in one statement. Who may come in is decided by the function above.
VISITOR = """
CREATE FUNCTION authenticate_visitor(sought bytea)
RETURNS TABLE (kind text, workspace_id uuid, user_id uuid, role text, session_id uuid, api_key_id uuid,
               scopes text[], stale boolean, email text, name text, appearance text, time_zone text,
               joined_ids uuid[], joined_names text[], joined_roles text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = leadflood, pg_temp
AS $$
    SELECT a.*, u.email, u.name, u.appearance, u.time_zone, j.ids, j.names, j.roles
    FROM authenticate_token(sought) a
    JOIN users u ON u.id = a.user_id
    CROSS JOIN LATERAL (
        SELECT array_agg(w.id ORDER BY m.created_at, w.id) AS ids,
               array_agg(w.name ORDER BY m.created_at, w.id) AS names,
               array_agg(m.role ORDER BY m.created_at, w.id) AS roles
        FROM memberships m JOIN workspaces w ON w.id = m.workspace_id WHERE m.user_id = a.user_id
    ) j
$$
"""

SECURE = (
    "ALTER TABLE invitations ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE invitations FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY tenant ON invitations
        USING (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)
        WITH CHECK (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)
    """,
    "CREATE POLICY system ON invitations TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON invitations TO leadflood_app, leadflood_system",
)

OWN_VISITOR = (
    "REVOKE ALL ON FUNCTION authenticate_visitor(bytea) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION authenticate_visitor(bytea) TO leadflood_app",
    "GRANT CREATE ON SCHEMA leadflood TO leadflood_system",
    "ALTER FUNCTION authenticate_visitor(bytea) OWNER TO leadflood_system",
    "REVOKE CREATE ON SCHEMA leadflood FROM leadflood_system",
)

SIGN_OUT = "DELETE FROM sessions WHERE kind = 'browser' OR end_reason IN ('replaced', 'switched')"
BEFORE = """
ALTER TABLE session_tokens DROP CONSTRAINT session_tokens_kind_check;
ALTER TABLE session_tokens ADD CONSTRAINT session_tokens_kind_check CHECK (kind IN ('access', 'refresh'));
ALTER TABLE sessions DROP CONSTRAINT sessions_end_reason_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN
    ('logout', 'ended', 'password_changed', 'token_reuse', 'user_disabled'));
ALTER TABLE sessions DROP COLUMN kind;
ALTER TABLE users DROP COLUMN appearance, DROP COLUMN time_zone;
DROP TABLE invitations;
DROP INDEX audit_events_at_idx;
DROP INDEX audit_events_action_idx;
DROP INDEX audit_events_actor_idx;
DROP INDEX audit_events_subject_idx;
ALTER TABLE audit_events ALTER COLUMN action TYPE text COLLATE "default";
CREATE INDEX audit_events_action_idx ON audit_events (workspace_id, action, id);
CREATE INDEX audit_events_actor_idx ON audit_events (workspace_id, actor_id, id);
CREATE INDEX audit_events_subject_idx ON audit_events (workspace_id, subject_id, id);
"""


def _run(script: str) -> None:
    for statement in filter(None, (part.strip() for part in script.split(";\n"))):
        op.execute(statement)


def _replace_authenticate(kinds: str) -> None:
    """CREATE OR REPLACE keeps owner and rights, but only who owns a function may replace it."""
    op.execute("GRANT CREATE ON SCHEMA leadflood TO leadflood_system")
    op.execute("SET LOCAL ROLE leadflood_system")
    op.execute(AUTHENTICATE.replace("{kinds}", kinds))
    op.execute("RESET ROLE")
    op.execute("REVOKE CREATE ON SCHEMA leadflood FROM leadflood_system")


def upgrade() -> None:
    """Old code goes on: what it writes has defaults, and it neither makes nor asks for browser sessions."""
    for script in (SESSIONS, PREFERENCES, INVITATIONS, AUDIT):
        _run(script)
    for statement in SECURE:
        op.execute(statement)
    _replace_authenticate("'access', 'web'")
    op.execute(VISITOR)
    for statement in OWN_VISITOR:
        op.execute(statement)


def downgrade() -> None:
    """Sign all browsers out, and forget invitations and preferences."""
    op.execute("DROP FUNCTION authenticate_visitor(bytea)")
    _replace_authenticate("'access'")
    op.execute("SET LOCAL ROLE leadflood_system")  # forced row-level security may bind the owner, too
    op.execute(SIGN_OUT)
    op.execute("RESET ROLE")
    _run(BEFORE)
