"""Transfers are checked once for each statement that adds entries, not at the commit for each entry.

Revision ID: 0085
Revises: 0084
"""

from alembic import op

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None

# The entries of a transfer are added by one statement. The check ran while the budgets were locked, for each entry.
BALANCED = """
CREATE FUNCTION require_balanced_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
DECLARE
    unbalanced uuid;
BEGIN
    SELECT transfer_id INTO unbalanced FROM added
    GROUP BY workspace_id, transfer_id HAVING sum(amount_micros) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the entries of transfer % do not sum to zero', unbalanced
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_entries_balance_check';
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER require_balance AFTER INSERT ON transfer_entries
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_balanced_entries()
"""
FORMER = """
CREATE CONSTRAINT TRIGGER require_balance AFTER INSERT ON transfer_entries
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced_transfer()
"""
DROP = "DROP TRIGGER require_balance ON transfer_entries"


def upgrade() -> None:
    """The previous release adds the entries of a transfer by one statement, too."""
    for step in (BALANCED, DROP, TRIGGER):
        op.execute(step)


def downgrade() -> None:
    """Check at the commit again."""
    for step in (DROP, FORMER, "DROP FUNCTION require_balanced_entries()"):
        op.execute(step)
