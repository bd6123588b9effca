"""Expand: lookups, found and chosen values of leads and companies, and the gates of sources.

`enrichment_runs` and `enrichment_values` stay: processes of the release before this one read and write them until they
are replaced. What they write is copied by triggers, under the same IDs, so that no receipt and no undo of a merge is
lost. The tables and triggers go with the release after the one whose workers write lookups.

Revision ID: 0050
Revises: 0049
"""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"

# A question that is being asked has no answer yet, and there is one such row per source and question: single flight.
# Answers of sources that answer without waiting are not looked up again, so they have no hash.
LOOKUPS = """
CREATE TABLE lookups (
    workspace_id   uuid NOT NULL,
    id             uuid NOT NULL,
    lead_id        uuid,
    company_id     uuid,
    source         text NOT NULL,
    source_version text NOT NULL,
    question_hash  bytea,
    state          text NOT NULL
        CHECK (state IN ('asked', 'in_doubt', 'waiting', 'found', 'missed', 'refused', 'away')),
    job_id         uuid,
    claim          uuid,
    claimed_until  timestamptz,
    ticket         text,
    ticket_at      timestamptz,
    sentence       text NOT NULL DEFAULT '',
    failures       integer NOT NULL DEFAULT 0,
    units          integer NOT NULL DEFAULT 0,
    cost_micros    bigint NOT NULL DEFAULT 0,
    provider_ref   text,
    asked_at       timestamptz NOT NULL DEFAULT now(),
    answered_at    timestamptz,
    expires_at     timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
    CONSTRAINT lookups_subject_check CHECK (num_nonnulls(lead_id, company_id) = 1),
    CONSTRAINT lookups_answer_check CHECK ((state IN ('asked', 'in_doubt')) = (answered_at IS NULL)),
    CONSTRAINT lookups_question_check CHECK (question_hash IS NOT NULL OR state NOT IN ('asked', 'in_doubt', 'waiting'))
)
"""
LOOKUP_INDEXES = (
    "CREATE INDEX lookups_lead_idx ON lookups (workspace_id, lead_id, id) WHERE lead_id IS NOT NULL",
    "CREATE INDEX lookups_company_idx ON lookups (workspace_id, company_id, id) WHERE company_id IS NOT NULL",
    """
    CREATE INDEX lookups_question_idx ON lookups (workspace_id, question_hash, source, id)
    WHERE question_hash IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX lookups_asked_key ON lookups (workspace_id, question_hash, source)
    WHERE state IN ('asked', 'in_doubt', 'waiting')
    """,
)
FOUND_VALUES = """
CREATE TABLE found_values (
    workspace_id  uuid NOT NULL,
    lookup_id     uuid NOT NULL,
    id            uuid NOT NULL,
    field         text NOT NULL,
    value         jsonb NOT NULL,
    confidence    double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    method        text NOT NULL,
    evidence      text NOT NULL,
    source_url    text,
    quote         text,
    cost_micros   bigint NOT NULL DEFAULT 0,
    observed_at   timestamptz NOT NULL DEFAULT now(),
    retraction_id uuid,
    PRIMARY KEY (workspace_id, lookup_id, id),
    FOREIGN KEY (workspace_id, lookup_id) REFERENCES lookups (workspace_id, id) ON DELETE CASCADE
)
"""
# `item`: empty, or the key of one of several values of a field.
CHOSEN_VALUES = """
CREATE TABLE chosen_values (
    workspace_id uuid NOT NULL,
    subject_kind text NOT NULL CHECK (subject_kind IN ('lead', 'company')),
    subject_id   uuid NOT NULL,
    field        text NOT NULL,
    item         text NOT NULL DEFAULT '',
    lookup_id    uuid NOT NULL,
    value_id     uuid NOT NULL,
    confidence   double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    because      text NOT NULL CHECK (because IN ('pinned', 'agreed', 'surest', 'only')),
    chosen_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, subject_id, field, item),
    FOREIGN KEY (workspace_id, lookup_id, value_id) REFERENCES found_values (workspace_id, lookup_id, id)
        ON DELETE CASCADE
)
"""
CHOSEN_INDEX = "CREATE INDEX chosen_values_value_idx ON chosen_values (workspace_id, lookup_id, value_id)"
# Of the whole installation: rates and failures of a source concern all workspaces that ask it.
GATES = """
CREATE TABLE source_gates (
    source     text PRIMARY KEY,
    next_at    timestamptz,
    failures   integer NOT NULL DEFAULT 0,
    openings   integer NOT NULL DEFAULT 0,
    open_until timestamptz,
    reason     text NOT NULL DEFAULT '',
    keyed      boolean NOT NULL DEFAULT false
)
"""

# Copies runs of the former tables with their values. A choice of a person stays.
COPY = """
CREATE FUNCTION copy_enrichment_runs(workspace uuid, runs uuid[]) RETURNS void
LANGUAGE sql SET search_path = leadflood, pg_temp
BEGIN ATOMIC
    INSERT INTO lookups (workspace_id, id, lead_id, source, source_version, state, job_id, sentence, cost_micros,
                         asked_at, answered_at, expires_at)
    SELECT r.workspace_id, r.id, r.lead_id, r.adapter, r.adapter_version,
           CASE WHEN r.status = 'failed' THEN 'refused'
                WHEN EXISTS (SELECT FROM enrichment_values v
                             WHERE v.workspace_id = r.workspace_id AND v.run_id = r.id) THEN 'found'
                ELSE 'missed' END,
           r.job_id, coalesce(r.error, ''), r.cost_micros, r.started_at, r.finished_at, r.finished_at
    FROM enrichment_runs r
    WHERE r.workspace_id = workspace AND r.id = ANY (runs)
    ON CONFLICT DO NOTHING;

    INSERT INTO found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence, source_url,
                              cost_micros, observed_at)
    SELECT workspace_id, run_id, id, field, value, confidence, method, evidence, source_url, cost_micros, observed_at
    FROM enrichment_values
    WHERE workspace_id = workspace AND run_id = ANY (runs)
    ON CONFLICT DO NOTHING;

    INSERT INTO chosen_values AS c (workspace_id, subject_kind, subject_id, field, lookup_id, value_id, confidence,
                                    because, chosen_at)
    SELECT v.workspace_id, 'lead', v.lead_id, v.field, v.run_id, v.id, v.confidence,
           CASE WHEN EXISTS (SELECT FROM enrichment_values o
                             WHERE o.workspace_id = v.workspace_id AND o.lead_id = v.lead_id AND o.field = v.field
                               AND o.id <> v.id) THEN 'surest' ELSE 'only' END,
           v.observed_at
    FROM enrichment_values v
    WHERE v.workspace_id = workspace AND v.run_id = ANY (runs) AND v.chosen
    ON CONFLICT (workspace_id, subject_id, field, item) DO UPDATE
    SET lookup_id = excluded.lookup_id, value_id = excluded.value_id, confidence = excluded.confidence,
        because = excluded.because, chosen_at = excluded.chosen_at
    WHERE c.because <> 'pinned';
END
"""
ADDED = """
CREATE FUNCTION copy_added_enrichment_runs() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'enrichment_runs' THEN
        PERFORM copy_enrichment_runs(workspace_id, array_agg(id)) FROM added GROUP BY workspace_id;
    ELSE
        PERFORM copy_enrichment_runs(workspace_id, array_agg(DISTINCT run_id)) FROM added GROUP BY workspace_id;
    END IF;
    RETURN NULL;
END
$$
"""
RUNS_CHANGED = """
CREATE FUNCTION copy_changed_enrichment_runs() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
BEGIN
    UPDATE lookups l SET lead_id = n.lead_id
    FROM changed n
    WHERE l.workspace_id = n.workspace_id AND l.id = n.id AND l.lead_id <> n.lead_id;
    RETURN NULL;
END
$$
"""
VALUES_CHANGED = """
CREATE FUNCTION copy_changed_enrichment_values() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
BEGIN
    DELETE FROM chosen_values c
    USING changed n
    WHERE c.workspace_id = n.workspace_id AND c.lookup_id = n.run_id AND c.value_id = n.id
      AND c.because <> 'pinned' AND NOT (n.chosen AND n.lead_id = c.subject_id);
    PERFORM copy_enrichment_runs(workspace_id, array_agg(DISTINCT run_id)) FROM changed WHERE chosen
    GROUP BY workspace_id;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER copy_{verb} AFTER {event} ON {table} REFERENCING NEW TABLE AS {verb}
FOR EACH STATEMENT EXECUTE FUNCTION copy_{verb}_{called}()
"""
TRIGGERS = (
    TRIGGER.format(verb="added", event="INSERT", table="enrichment_runs", called="enrichment_runs"),
    TRIGGER.format(verb="added", event="INSERT", table="enrichment_values", called="enrichment_runs"),
    TRIGGER.format(verb="changed", event="UPDATE", table="enrichment_runs", called="enrichment_runs"),
    TRIGGER.format(verb="changed", event="UPDATE", table="enrichment_values", called="enrichment_values"),
)


def upgrade() -> None:
    """The release before this one goes on writing its own tables, which are copied."""
    for statement in (LOOKUPS, *LOOKUP_INDEXES, FOUND_VALUES, CHOSEN_VALUES, CHOSEN_INDEX, GATES):
        op.execute(statement)
    for table in ("lookups", "found_values", "chosen_values"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON source_gates TO leadflood_system")
    for statement in (COPY, ADDED, RUNS_CHANGED, VALUES_CHANGED, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Drop what only this release knows. Runs of the former tables are still there."""
    for table in ("enrichment_runs", "enrichment_values"):
        op.execute(f"DROP TRIGGER copy_added ON {table}")
        op.execute(f"DROP TRIGGER copy_changed ON {table}")
    for function in ("copy_added_enrichment_runs", "copy_changed_enrichment_runs", "copy_changed_enrichment_values"):
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP FUNCTION copy_enrichment_runs(uuid, uuid[])")
    op.execute("DROP TABLE chosen_values, found_values, lookups, source_gates")
