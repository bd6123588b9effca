"""Personal data: erasing from the audit log and timelines, responses without personal data, references of any kind.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# Every text of a JSON value, with what the pattern finds replaced.
REDACTED = """
CREATE FUNCTION redacted(value jsonb, pattern text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(key, redacted(each.value, pattern)), '{}')
                            FROM jsonb_each(value) AS each)
        WHEN 'array' THEN (SELECT coalesce(jsonb_agg(redacted(each.value, pattern) ORDER BY place), '[]')
                           FROM jsonb_array_elements(value) WITH ORDINALITY AS each (value, place))
        WHEN 'string' THEN to_jsonb(regexp_replace(value #>> '{}', pattern, '[erased]', 'gi'))
        ELSE value END;
END
$$
"""

# The services may still insert and read only. Both functions run as the owner of the tables, whom forced row-level
# security lets change the rows of the workspace of the setting, and write nothing but `[erased]`.
AUDIT = """
CREATE FUNCTION erase_from_audit_log(pattern text, fragments text[]) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = leadflood, pg_temp
AS $$
    WITH erased AS (
        UPDATE audit_events SET data = redacted(data, pattern)
        WHERE workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
          AND subject_type NOT IN ('user', 'member', 'invitation', 'session')
          AND lower(data::text) LIKE ANY (fragments) AND redacted(data, pattern) <> data
        RETURNING 1)
    SELECT count(*) FROM erased
$$
"""
TIMELINES = """
CREATE FUNCTION erase_from_timelines(leads uuid[], merges text[], changesets text[]) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = leadflood, pg_temp
AS $$
    WITH erased AS (
        UPDATE lead_events
        SET data = (data - 'changes')
                || CASE WHEN data ? 'otherEmail' THEN '{"otherEmail": "[erased]"}' ELSE '{}' END::jsonb
                || CASE WHEN data ? 'survivorEmail' THEN '{"survivorEmail": "[erased]"}' ELSE '{}' END::jsonb
        WHERE workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid AND lead_id = ANY (leads)
          AND (data ->> 'mergeId' = ANY (merges) OR data ->> 'changesetId' = ANY (changesets))
        RETURNING 1)
    SELECT count(*) FROM erased
$$
"""
SIGNATURES = ("erase_from_audit_log(text, text[])", "erase_from_timelines(uuid[], text[], text[])")


def upgrade() -> None:
    """The previous release keeps working.

    It stores responses without saying what they contain, and old kinds of references.
    """
    op.execute("ALTER TABLE idempotency_keys ADD COLUMN IF NOT EXISTS ids_only boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE merge_references DROP CONSTRAINT IF EXISTS merge_references_kind_check")
    for function in (REDACTED, AUDIT, TIMELINES):
        op.execute(function)
    for signature in SIGNATURES:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO leadflood_app")


def downgrade() -> None:
    """Nothing can be erased any more; what was erased stays so."""
    for signature in SIGNATURES:
        op.execute(f"DROP FUNCTION {signature}")
    op.execute("DROP FUNCTION redacted(jsonb, text)")
    op.execute("""
        ALTER TABLE merge_references ADD CONSTRAINT merge_references_kind_check
            CHECK (kind IN ('run', 'value', 'job', 'candidate')) NOT VALID
    """)
    op.execute("ALTER TABLE idempotency_keys DROP COLUMN ids_only")
