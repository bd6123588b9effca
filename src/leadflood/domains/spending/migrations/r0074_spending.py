"""Spending: prices, budgets, purchases, and their transfers in double entry.

Revision ID: 0074
Revises: 0073
"""

from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
SETTINGS = """
CREATE TABLE spending_settings (
    workspace_id uuid PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    currency     text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$'),
    time_zone    text NOT NULL DEFAULT 'UTC'
)
"""
PRICES = """
CREATE TABLE source_prices (
    workspace_id        uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    source              text NOT NULL,
    price_micros        bigint NOT NULL CHECK (price_micros > 0),
    most_per_hit_micros bigint CHECK (most_per_hit_micros > 0),
    pause_reason        text NOT NULL DEFAULT '',
    updated_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, source)
)
"""
BUDGETS = """
CREATE TABLE budgets (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           uuid NOT NULL,
    scope        text NOT NULL CHECK (scope IN ('workspace', 'source', 'batch', 'lead')),
    subject      text NOT NULL DEFAULT '',
    period       text NOT NULL CHECK (period IN ('total', 'month', 'day')),
    limit_micros bigint NOT NULL CHECK (limit_micros >= 0),
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paused', 'closed')),
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT budgets_subject_check CHECK ((subject <> '') = (scope IN ('source', 'batch')))
)
"""
# `state` and `limit_micros` are those of the budget: a reservation locks windows only, and sees both as they are.
WINDOWS = """
CREATE TABLE budget_windows (
    workspace_id    uuid NOT NULL,
    id              uuid NOT NULL,
    budget_id       uuid NOT NULL,
    key             text NOT NULL,
    limit_micros    bigint NOT NULL CHECK (limit_micros >= 0),
    state           text NOT NULL CHECK (state IN ('open', 'paused', 'closed')),
    reserved_micros bigint NOT NULL DEFAULT 0 CHECK (reserved_micros >= 0),
    in_doubt_micros bigint NOT NULL DEFAULT 0 CHECK (in_doubt_micros >= 0),
    spent_micros    bigint NOT NULL DEFAULT 0 CHECK (spent_micros >= 0),
    overrun_micros  bigint NOT NULL DEFAULT 0 CHECK (overrun_micros >= 0),
    starts_at       timestamptz,
    ends_at         timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, budget_id) REFERENCES budgets (workspace_id, id) ON DELETE CASCADE,
    CONSTRAINT budget_windows_limit_check
        CHECK (reserved_micros + in_doubt_micros + spent_micros <= limit_micros + overrun_micros)
)
"""
PURCHASES = """
CREATE TABLE purchases (
    workspace_id   uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id             uuid NOT NULL,
    reference      uuid NOT NULL,
    source         text NOT NULL,
    state          text NOT NULL CHECK (state IN ('reserved', 'in_doubt', 'settled', 'released', 'written_off')),
    price_micros   bigint NOT NULL CHECK (price_micros > 0),
    most_units     integer NOT NULL CHECK (most_units > 0),
    units          integer NOT NULL DEFAULT 0 CHECK (units >= 0),
    charged_micros bigint NOT NULL DEFAULT 0 CHECK (charged_micros >= 0),
    windows        uuid[] NOT NULL CHECK (cardinality(windows) > 0),
    subject_id     uuid,
    batch_id       uuid,
    actor_id       uuid,
    hit            boolean,
    day            date NOT NULL,
    sentence       text NOT NULL DEFAULT '',
    reserved_at    timestamptz NOT NULL DEFAULT now(),
    doubted_at     timestamptz,
    ended_at       timestamptz,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT purchases_end_check CHECK ((state IN ('reserved', 'in_doubt')) = (ended_at IS NULL))
)
"""
TRANSFERS = """
CREATE TABLE transfers (
    workspace_id  uuid NOT NULL,
    id            uuid NOT NULL,
    purchase_id   uuid NOT NULL,
    kind          text NOT NULL
        CHECK (kind IN ('reserve', 'settle', 'release', 'hold', 'overrun', 'write_off', 'refund')),
    amount_micros bigint NOT NULL CHECK (amount_micros > 0),
    sentence      text NOT NULL DEFAULT '',
    actor_kind    text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id      uuid,
    at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, purchase_id) REFERENCES purchases (workspace_id, id) ON DELETE CASCADE
)
"""
ENTRIES = """
CREATE TABLE transfer_entries (
    workspace_id  uuid NOT NULL,
    transfer_id   uuid NOT NULL,
    window_id     uuid NOT NULL,
    account       text NOT NULL CHECK (account IN ('available', 'reserved', 'in_doubt', 'spent', 'written_off')),
    amount_micros bigint NOT NULL CHECK (amount_micros <> 0),
    PRIMARY KEY (workspace_id, transfer_id, window_id, account),
    FOREIGN KEY (workspace_id, transfer_id) REFERENCES transfers (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, window_id) REFERENCES budget_windows (workspace_id, id) ON DELETE CASCADE
)
"""
INDEXES = (
    "CREATE UNIQUE INDEX budgets_key ON budgets (workspace_id, scope, subject, period) WHERE state <> 'closed'",
    "CREATE UNIQUE INDEX budget_windows_key ON budget_windows (workspace_id, budget_id, key)",
    "CREATE INDEX purchases_reference_idx ON purchases (workspace_id, reference)",
    "CREATE INDEX purchases_day_idx ON purchases (workspace_id, day, source)",
    "CREATE INDEX purchases_batch_idx ON purchases (workspace_id, batch_id) WHERE batch_id IS NOT NULL",
    "CREATE INDEX purchases_source_idx ON purchases (workspace_id, source, ended_at) WHERE ended_at IS NOT NULL",
    "CREATE INDEX purchases_doubt_idx ON purchases (workspace_id, id) WHERE state = 'in_doubt'",
    "CREATE INDEX transfers_purchase_idx ON transfers (workspace_id, purchase_id)",
    "CREATE INDEX transfer_entries_window_idx ON transfer_entries (workspace_id, window_id)",
)
# Checked when the transaction commits, because the entries of a transfer are several rows.
BALANCED = """
CREATE FUNCTION require_balanced_transfer() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
BEGIN
    IF (SELECT sum(amount_micros) FROM transfer_entries
        WHERE workspace_id = NEW.workspace_id AND transfer_id = NEW.transfer_id) <> 0 THEN
        RAISE EXCEPTION 'the entries of transfer % do not sum to zero', NEW.transfer_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_entries_balance_check';
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER require_balance AFTER INSERT ON transfer_entries
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced_transfer()
"""
APPENDED = ("transfers", "transfer_entries")
CHANGED = ("spending_settings", "source_prices", "budgets", "budget_windows", "purchases")


def upgrade() -> None:
    """The previous release knows nothing of spending, and asks no source that charges."""
    for statement in (SETTINGS, PRICES, BUDGETS, WINDOWS, PURCHASES, TRANSFERS, ENTRIES, *INDEXES, BALANCED, TRIGGER):
        op.execute(statement)
    for table in (*CHANGED, *APPENDED):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
    for table in CHANGED:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
    for table in APPENDED:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Drop the books."""
    op.execute("DROP TABLE transfer_entries, transfers, purchases, budget_windows, budgets")
    op.execute("DROP TABLE source_prices, spending_settings")
    op.execute("DROP FUNCTION require_balanced_transfer()")
