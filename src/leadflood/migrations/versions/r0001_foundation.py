"""Foundation: identity, leads, jobs, outbox, enrichment; roles' rights and row-level security.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EXTENSIONS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;
"""

IDENTITY = """
CREATE TABLE users (
    id                  uuid PRIMARY KEY,
    email               text NOT NULL,
    email_norm          text NOT NULL UNIQUE,
    name                text NOT NULL,
    password_hash       text NOT NULL,
    password_changed_at timestamptz NOT NULL DEFAULT now(),
    disabled_at         timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workspaces (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE memberships (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role         text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_user_id_idx ON memberships (user_id);

CREATE TABLE sessions (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    user_id      uuid NOT NULL,
    ip           text,
    user_agent   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    end_reason   text CHECK (end_reason IN ('logout', 'ended', 'password_changed', 'token_reuse', 'user_disabled')),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id) ON DELETE CASCADE,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id, created_at) WHERE ended_at IS NULL;

CREATE TABLE session_tokens (
    workspace_id uuid NOT NULL,
    token_hash   bytea NOT NULL,
    session_id   uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('access', 'refresh')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    PRIMARY KEY (workspace_id, token_hash),
    FOREIGN KEY (workspace_id, session_id) REFERENCES sessions (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX session_tokens_token_hash_idx ON session_tokens (token_hash);
CREATE INDEX session_tokens_session_id_idx ON session_tokens (workspace_id, session_id);

CREATE TABLE api_keys (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    prefix       text NOT NULL,
    token_hash   bytea NOT NULL,
    scopes       text[] NOT NULL,
    created_by   uuid NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, created_by) REFERENCES memberships (workspace_id, user_id) ON DELETE CASCADE
);
CREATE INDEX api_keys_token_hash_idx ON api_keys (token_hash);
CREATE INDEX api_keys_created_by_idx ON api_keys (workspace_id, created_by);

CREATE TABLE audit_events (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           uuid NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id     uuid,
    action       text NOT NULL,
    subject_type text NOT NULL,
    subject_id   uuid,
    data         jsonb NOT NULL DEFAULT '{}',
    request_id   text,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX audit_events_action_idx ON audit_events (workspace_id, action, id);
CREATE INDEX audit_events_actor_idx ON audit_events (workspace_id, actor_id, id);
CREATE INDEX audit_events_subject_idx ON audit_events (workspace_id, subject_id, id);

CREATE TABLE login_failures (
    subject_hash      bytea PRIMARY KEY,
    failures          integer NOT NULL,
    window_started_at timestamptz NOT NULL DEFAULT now()
);
"""

LEADS = """
CREATE TABLE leads (
    workspace_id  uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id            uuid NOT NULL,
    email         text NOT NULL,
    email_norm    text COLLATE "C" NOT NULL,
    first_name    text,
    last_name     text,
    company       text,
    job_title     text,
    phone         text,
    website       text,
    country       text CHECK (country ~ '^[A-Z]{2}$'),
    source        text NOT NULL,
    custom_fields jsonb NOT NULL DEFAULT '{}',
    owner_id      uuid,
    status        text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'processing', 'enriched', 'failed')),
    error         text,
    search_text   text NOT NULL,
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    enriched_at   timestamptz,
    deleted_at    timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, owner_id) REFERENCES memberships (workspace_id, user_id)
        ON DELETE SET NULL (owner_id)
);
CREATE UNIQUE INDEX leads_email_norm_key ON leads (workspace_id, email_norm) WHERE deleted_at IS NULL;
CREATE INDEX leads_created_at_idx ON leads (workspace_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_updated_at_idx ON leads (workspace_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_status_idx ON leads (workspace_id, status, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_source_idx ON leads (workspace_id, source, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_owner_idx ON leads (workspace_id, owner_id, created_at, id)
    WHERE deleted_at IS NULL AND owner_id IS NOT NULL;
CREATE INDEX leads_deleted_at_idx ON leads (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX leads_search_idx ON leads USING gin (workspace_id, search_text public.gin_trgm_ops)
    WHERE deleted_at IS NULL;

CREATE TABLE lead_events (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    lead_id      uuid NOT NULL,
    kind         text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id     uuid,
    data         jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, lead_id, id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
);
"""

JOBS = """
CREATE TABLE job_executions (
    workspace_id     uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id               uuid NOT NULL,
    kind             text NOT NULL,
    subject_id       uuid,
    payload          jsonb NOT NULL DEFAULT '{}',
    trace            jsonb NOT NULL DEFAULT '{}',
    status           text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'completed', 'failed')),
    attempts         integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts     integer NOT NULL CHECK (max_attempts >= 1),
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),
    lease_expires_at timestamptz,
    worker_id        uuid,
    last_error       text,
    failures         jsonb NOT NULL DEFAULT '[]',
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    started_at       timestamptz,
    finished_at      timestamptz,
    PRIMARY KEY (workspace_id, id),
    CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK ((status IN ('completed', 'failed')) = (finished_at IS NOT NULL))
);
CREATE INDEX job_executions_status_idx ON job_executions (workspace_id, status, id);
CREATE INDEX job_executions_subject_idx ON job_executions (workspace_id, subject_id, id) WHERE subject_id IS NOT NULL;
CREATE INDEX job_executions_lease_idx ON job_executions (lease_expires_at) WHERE status = 'running';
CREATE INDEX job_executions_due_idx ON job_executions (next_attempt_at) WHERE status = 'queued';

CREATE TABLE outbox_events (
    workspace_id    uuid NOT NULL,
    id              uuid NOT NULL,
    kind            text NOT NULL,
    job_id          uuid NOT NULL,
    payload         jsonb NOT NULL,
    status          text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'sent', 'failed', 'dead_letter')),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error      text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    processed_at    timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX outbox_events_status_idx ON outbox_events (workspace_id, status, id);
CREATE INDEX outbox_events_job_idx ON outbox_events (workspace_id, job_id, id);
CREATE INDEX outbox_events_open_idx ON outbox_events (next_attempt_at)
    WHERE status IN ('pending', 'processing', 'failed');
CREATE INDEX outbox_events_sent_idx ON outbox_events (processed_at) WHERE status = 'sent';

CREATE TABLE idempotency_keys (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    key_hash     bytea NOT NULL,
    fingerprint  bytea NOT NULL,
    answer       bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, key_hash)
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);

CREATE TABLE schedules (
    name        text PRIMARY KEY,
    next_run_at timestamptz NOT NULL DEFAULT now(),
    last_run_at timestamptz
);

CREATE TABLE heartbeats (
    name      text PRIMARY KEY,
    beat_at   timestamptz NOT NULL,
    worker_id uuid NOT NULL
);

CREATE TABLE worker_processes (
    id           uuid PRIMARY KEY,
    host         text NOT NULL,
    pid          integer NOT NULL,
    version      text NOT NULL,
    running_jobs integer NOT NULL DEFAULT 0,
    started_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
);
"""

ENRICHMENT = """
CREATE TABLE enrichment_runs (
    workspace_id    uuid NOT NULL,
    id              uuid NOT NULL,
    lead_id         uuid NOT NULL,
    job_id          uuid NOT NULL,
    adapter         text NOT NULL,
    adapter_version text NOT NULL,
    status          text NOT NULL CHECK (status IN ('completed', 'failed')),
    error           text,
    cost_micros     bigint NOT NULL DEFAULT 0,
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz NOT NULL DEFAULT now(),
    void            boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, id),
    CHECK (NOT void OR status = 'failed'),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX enrichment_runs_lead_idx ON enrichment_runs (workspace_id, lead_id, id);
CREATE UNIQUE INDEX enrichment_runs_job_key ON enrichment_runs (workspace_id, job_id, adapter) WHERE NOT void;

CREATE TABLE enrichment_values (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    run_id       uuid NOT NULL,
    lead_id      uuid NOT NULL,
    field        text NOT NULL,
    value        jsonb NOT NULL,
    confidence   double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    method       text NOT NULL,
    evidence     text NOT NULL,
    source_url   text,
    cost_micros  bigint NOT NULL DEFAULT 0,
    observed_at  timestamptz NOT NULL DEFAULT now(),
    chosen       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES enrichment_runs (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX enrichment_values_lead_idx ON enrichment_values (workspace_id, lead_id, field, id);
CREATE INDEX enrichment_values_run_idx ON enrichment_values (workspace_id, run_id);
CREATE UNIQUE INDEX enrichment_values_chosen_key ON enrichment_values (workspace_id, lead_id, field) WHERE chosen;
"""

TENANT_TABLES = (
    "memberships",
    "sessions",
    "session_tokens",
    "api_keys",
    "audit_events",
    "leads",
    "lead_events",
    "job_executions",
    "outbox_events",
    "idempotency_keys",
    "enrichment_runs",
    "enrichment_values",
)
APPEND_ONLY = ("audit_events", "lead_events")
SHARED_TABLES = ("users", "login_failures", "schedules", "heartbeats", "worker_processes")

SYSTEM_WORKSPACE = """
INSERT INTO workspaces (id, name) VALUES ('00000000-0000-0000-0000-000000000000', 'System')
"""

# One place where a credential becomes a caller, before any workspace is known. It answers for the exact hash of a
# token only, so the application's role can use it without being able to list anything of another workspace.
AUTHENTICATE = """
CREATE FUNCTION authenticate_token(sought bytea)
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
    WHERE t.token_hash = sought AND t.kind = 'access' AND t.expires_at > now()
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

# LIKE is not leakproof, so under row-level security no index would serve it (300 times slower at a million rows).
# This function runs as a role whose policy is `true` and takes the workspace from the setting alone.
#
# PostgreSQL cannot tell how often a part of a text occurs, and its guess costs seconds where it is wrong. So the list
# is walked in its order first, a few milliseconds long, which fills a page when much is found. What lies further is
# found by trigrams (OFFSET 0 keeps the planner from walking on) and sorted, for then it is little.
SEARCH = """
CREATE FUNCTION search_leads(needle text, only_status text, only_source text, only_owner uuid,
                             created_from timestamptz, created_until timestamptz,
                             updated_from timestamptz, updated_until timestamptz,
                             sort_column text, descending boolean,
                             after_time timestamptz, after_text text, after_id uuid, page_size integer)
RETURNS SETOF leads
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = leadflood, pg_temp
AS $$
DECLARE
    workspace uuid := nullif(current_setting('app.workspace_id', true), '')::uuid;
    pattern   text := '%' || replace(replace(replace(needle, '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%';
    direction text := CASE WHEN descending THEN 'DESC' ELSE 'ASC' END;
    beyond    text := CASE WHEN descending THEN '<' ELSE '>' END;
    position  text := CASE WHEN sort_column = 'email_norm' THEN '$11' ELSE '$10' END;
    living    text := ' FROM leads WHERE workspace_id = $1 AND deleted_at IS NULL';
    further   text := format(' AND (%I, id) %s (%s, $12)', sort_column, beyond, position);
    ordered   text := format(' ORDER BY %I %s, id %s', sort_column, direction, direction);
    near      text;
    walked    integer := CASE WHEN sort_column = 'email_norm' THEN 8000 ELSE 20000 END;
    found     integer;
BEGIN
    IF workspace IS NULL THEN
        RETURN;
    END IF;
    IF sort_column NOT IN ('created_at', 'updated_at', 'email_norm') THEN
        RAISE EXCEPTION 'cannot sort leads by %', sort_column;
    END IF;
    IF only_status IS NOT NULL THEN living := living || ' AND status = $3'; END IF;
    IF only_source IS NOT NULL THEN living := living || ' AND source = $4'; END IF;
    IF only_owner IS NOT NULL THEN living := living || ' AND owner_id = $5'; END IF;
    IF created_from IS NOT NULL THEN living := living || ' AND created_at >= $6'; END IF;
    IF created_until IS NOT NULL THEN living := living || ' AND created_at < $7'; END IF;
    IF updated_from IS NOT NULL THEN living := living || ' AND updated_at >= $8'; END IF;
    IF updated_until IS NOT NULL THEN living := living || ' AND updated_at < $9'; END IF;
    near := living || CASE WHEN after_id IS NULL THEN '' ELSE further END || ordered;
    RETURN QUERY EXECUTE 'SELECT * FROM (SELECT *' || near || ' LIMIT $14) near WHERE search_text LIKE $2' || ordered
        || ' LIMIT $13'
        USING workspace, pattern, only_status, only_source, only_owner, created_from, created_until, updated_from,
              updated_until, after_time, after_text, after_id, page_size, walked;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found >= page_size THEN
        RETURN;
    END IF;
    near := format('SELECT %I, id', sort_column) || near || ' OFFSET $14 - 1 LIMIT 1';
    IF sort_column = 'email_norm' THEN
        EXECUTE near INTO after_text, after_id
            USING workspace, pattern, only_status, only_source, only_owner, created_from, created_until, updated_from,
                  updated_until, after_time, after_text, after_id, page_size, walked;
    ELSE
        EXECUTE near INTO after_time, after_id
            USING workspace, pattern, only_status, only_source, only_owner, created_from, created_until, updated_from,
                  updated_until, after_time, after_text, after_id, page_size, walked;
    END IF;
    IF after_id IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE 'SELECT * FROM (SELECT *' || living || further || ' AND search_text LIKE $2 OFFSET 0) far'
        || ordered || ' LIMIT $13'
        USING workspace, pattern, only_status, only_source, only_owner, created_from, created_until, updated_from,
              updated_until, after_time, after_text, after_id, page_size - found;
END
$$
"""

SEARCH_SIGNATURE = (
    "search_leads(text, text, text, uuid, timestamptz, timestamptz, timestamptz, timestamptz, text, boolean,"
    " timestamptz, text, uuid, integer)"
)


def _statements(script: str) -> list[str]:
    return [part.strip() for part in script.split(";\n") if part.strip()]


def _secure(table: str, key: str) -> None:
    tenant = f"{key} = nullif(current_setting('app.workspace_id', true), '')::uuid"
    rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
    for statement in (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({tenant}) WITH CHECK ({tenant})",
        f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)",
        f"GRANT {rights} ON {table} TO leadflood_app, leadflood_system",
    ):
        op.execute(statement)


def _own(signature: str, owner: str) -> None:
    for statement in (
        f"GRANT CREATE ON SCHEMA leadflood TO {owner}",
        f"ALTER FUNCTION {signature} OWNER TO {owner}",
        f"REVOKE CREATE ON SCHEMA leadflood FROM {owner}",
    ):
        op.execute(statement)


def upgrade() -> None:
    """Create everything. Needs the roles leadflood_app, leadflood_system and leadflood_search."""
    for script in (EXTENSIONS, IDENTITY, LEADS, JOBS, ENRICHMENT, SYSTEM_WORKSPACE):
        for statement in _statements(script):
            op.execute(statement)
    op.execute("GRANT USAGE ON SCHEMA leadflood TO leadflood_app, leadflood_system, leadflood_search")
    _secure("workspaces", "id")
    for table in TENANT_TABLES:
        _secure(table, "workspace_id")
    for table in SHARED_TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
    op.execute("GRANT SELECT ON alembic_version TO leadflood_app, leadflood_system")
    op.execute("GRANT SELECT ON leads TO leadflood_search")
    op.execute("CREATE POLICY search ON leads FOR SELECT TO leadflood_search USING (true)")
    op.execute(AUTHENTICATE)
    op.execute("REVOKE ALL ON FUNCTION authenticate_token(bytea) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION authenticate_token(bytea) TO leadflood_app")
    _own("authenticate_token(bytea)", "leadflood_system")
    op.execute(SEARCH)
    op.execute(f"REVOKE ALL ON FUNCTION {SEARCH_SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SEARCH_SIGNATURE} TO leadflood_app")
    _own(SEARCH_SIGNATURE, "leadflood_search")


def downgrade() -> None:
    """There is nothing before the foundation: drop the database instead."""
    raise NotImplementedError("The first revision has no downgrade: drop the database.")
