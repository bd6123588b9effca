-- The queue's table, in the database that carries it. `leadflood migrate` runs this once, in one transaction.
CREATE SCHEMA IF NOT EXISTS leadflood_queue;

-- `ready` tickets may be delivered. The others become ready at `visible_at`: when their delay has passed, or when they
-- were delivered and not acknowledged in time. `due_at` is when a ticket could first be delivered.
CREATE TABLE leadflood_queue.tickets (
    job_id       uuid NOT NULL,
    workspace_id uuid NOT NULL,
    due_at       timestamptz NOT NULL,
    visible_at   timestamptz NOT NULL,
    attempt      integer NOT NULL,
    priority     smallint NOT NULL,
    ready        boolean NOT NULL,
    kind         text NOT NULL,
    PRIMARY KEY (job_id, attempt)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX tickets_ready_idx ON leadflood_queue.tickets (priority, workspace_id, due_at, job_id)
    WHERE ready;
CREATE INDEX tickets_visible_idx ON leadflood_queue.tickets (visible_at) WHERE NOT ready;

GRANT USAGE ON SCHEMA leadflood_queue TO leadflood_app, leadflood_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON leadflood_queue.tickets TO leadflood_app, leadflood_system;

-- The previous release keeps its tickets in leadflood_queue.pgqueuer. All that is there and all that its processes still
-- publish during a deploy is copied. A job with a ticket in both tables runs once: only one claim of an attempt succeeds.
DO $migration$
BEGIN
    IF to_regclass('leadflood_queue.pgqueuer') IS NULL THEN
        RETURN;
    END IF;

    CREATE VIEW leadflood_queue.pgqueuer_tickets AS
    SELECT id, split_part(dedupe_key, ':', 1)::uuid AS job_id, split_part(dedupe_key, ':', 2)::integer AS attempt,
           substring(encode(payload, 'escape') FROM '"workspace_id": ?"([0-9a-f-]{36})"')::uuid AS workspace_id,
           entrypoint AS kind, execute_after AS due_at
    FROM leadflood_queue.pgqueuer
    WHERE dedupe_key ~ '^[0-9a-f-]{36}:[0-9]+$'
      AND encode(payload, 'escape') ~ '"workspace_id": ?"[0-9a-f-]{36}"';
    GRANT SELECT ON leadflood_queue.pgqueuer_tickets TO leadflood_app, leadflood_system;

    CREATE FUNCTION leadflood_queue.copy_to_tickets() RETURNS trigger LANGUAGE plpgsql AS $copy$
    BEGIN
        INSERT INTO leadflood_queue.tickets (kind, workspace_id, job_id, attempt, priority, due_at, visible_at, ready)
        SELECT kind, workspace_id, job_id, attempt, 0, due_at, due_at, due_at <= now()
        FROM leadflood_queue.pgqueuer_tickets WHERE id IN (SELECT id FROM published)
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
    $copy$;
    CREATE TRIGGER copy_to_tickets AFTER INSERT ON leadflood_queue.pgqueuer REFERENCING NEW TABLE AS published
    FOR EACH STATEMENT EXECUTE FUNCTION leadflood_queue.copy_to_tickets();

    INSERT INTO leadflood_queue.tickets (kind, workspace_id, job_id, attempt, priority, due_at, visible_at, ready)
    SELECT kind, workspace_id, job_id, attempt, 0, due_at, due_at, due_at <= now()
    FROM leadflood_queue.pgqueuer_tickets
    ON CONFLICT DO NOTHING;
END
$migration$;
