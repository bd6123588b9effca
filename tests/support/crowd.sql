-- After people.sql: as many leads as the variable `leads` says in one workspace and 20 small ones beside it, captured
-- within two years; with `history`, each with its job, event and first entry; with `found`, half of them with found
-- values instead of written ones. As superuser.
SET search_path = leadflood, public;
SET maintenance_work_mem = '256MB';

-- Built afterwards: ten times quicker than row by row.
CREATE TEMPORARY TABLE postponed AS
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'leads' AND indexname <> 'leads_pkey';
SELECT format('DROP INDEX %I', indexname) FROM postponed \gexec

CREATE FUNCTION pg_temp.numbered(kind integer, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT ('01900000-0000-7000-8' || lpad(to_hex(kind), 3, '0') || '-' || lpad(to_hex(n), 12, '0'))::uuid $$;

INSERT INTO workspaces (id, name) SELECT pg_temp.numbered(1, n), 'Crowd' FROM generate_series(1, 21) n;
INSERT INTO users (id, email, email_norm, name, password_hash)
SELECT pg_temp.numbered(2, n), 'crowd' || n || '@acme.test', 'crowd' || n || '@acme.test', 'Crowd', '!'
FROM generate_series(1, 10) n;
INSERT INTO memberships (workspace_id, user_id, role)
SELECT w.id, u.id, 'member' FROM workspaces w, users u WHERE w.name = 'Crowd';

INSERT INTO leads (workspace_id, id, email, email_norm, first_name, last_name, company, job_title, phone, website, country,
                   found_first_name, found_last_name, found_company, found_job_title, found_phone, found_website,
                   found_country, source, custom_fields, owner_id, status, search_text, created_at, updated_at)
SELECT pg_temp.numbered(1, CASE WHEN n <= :leads THEN 1 ELSE 2 + n % 20 END), pg_temp.numbered(3, n),
       email, email, own.*, found.*, source, custom_fields,
       CASE WHEN pg_temp.draw(n, 1) < 0.33
            THEN pg_temp.numbered(2, 1 + floor(power(pg_temp.draw(n, 2), 1.5) * 10)::bigint) END,
       CASE WHEN n % 1000 = 7 THEN 'failed' WHEN n % 50000 = 8 THEN 'processing'
            WHEN n % 50 = 9 THEN 'new' ELSE 'enriched' END,
       search_text, now() - age, now() - age * pg_temp.draw(n, 0)
FROM pg_temp.people(1, :leads + 4000, :seed)
CROSS JOIN LATERAL (SELECT n / (:leads + 4000.0)::float8 * interval '730 days' AS age) lived
CROSS JOIN LATERAL (SELECT first_name, last_name, company, job_title, phone, website, country) given
LEFT JOIN LATERAL (SELECT given.*) own ON :found = 0 OR n % 2 = 0
LEFT JOIN LATERAL (SELECT given.*) found ON :found = 1 AND n % 2 = 1;

\if :history
INSERT INTO lead_events (workspace_id, id, lead_id, kind, actor_kind, at)
SELECT workspace_id, id, id, 'lead.created', 'system', created_at FROM leads ORDER BY created_at;

INSERT INTO job_executions (workspace_id, id, kind, subject_id, status, attempts, max_attempts, finished_at,
                            lease_expires_at, next_attempt_at)
SELECT workspace_id, id, 'leads.enrich.v1', id,
       CASE status WHEN 'processing' THEN 'running' WHEN 'new' THEN 'queued' WHEN 'failed' THEN 'failed'
                   ELSE 'completed' END,
       CASE status WHEN 'new' THEN 0 ELSE 1 END, 5, CASE WHEN status IN ('failed', 'enriched') THEN now() END,
       CASE status WHEN 'processing' THEN now() - interval '1 second' END, now() - interval '1 second'
FROM leads;

INSERT INTO outbox_events (workspace_id, id, kind, job_id, payload, status, processed_at)
SELECT workspace_id, id, 'job.queued', id, '{"jobKind": "leads.enrich.v1", "attempt": 1, "trace": {}}',
       CASE status WHEN 'running' THEN 'pending' ELSE 'sent' END, CASE WHEN status <> 'running' THEN now() END
FROM job_executions;

\endif

SELECT indexdef FROM postponed \gexec
VACUUM ANALYZE;
