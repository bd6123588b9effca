"""A backtest of a draft next to a live version of twelve criteria each, on outcomes of a day ago."""

import json
import subprocess
import sys
from typing import Final

from rich.table import Table

from tests.bench.contestant import Contestant
from tests.bench.labels import OURS
from tests.bench.machine import Snapshot
from tests.bench.measure import Failed, Figures, Measured, Sizes, postmaster
from tests.bench.rounds import Results

LABEL: Final = f"backtest: {OURS}"
AIM_SECONDS: Final = 15
AIM_MIB: Final = 300
AIMED_LEADS: Final = 100_000
"""Outcomes for which these are the aims."""
_SHARE: Final = 10
"""Leads for each outcome: a hundred thousand outcomes where there are a million leads."""
_SETUP = """
INSERT INTO leadflood.leads (workspace_id, id, email, email_norm, source, search_text, status, country, job_title,
                             created_at)
SELECT '{workspace}', gen_random_uuid(), n || '@backtest.test', n || '@backtest.test', 'bench', '', 'new',
       (ARRAY['DE', 'AT', 'CH', 'FR', 'US', 'GB'])[1 + n % 6], (ARRAY['Owner', 'CEO', 'Clerk', NULL])[1 + n % 4],
       now() - interval '90 days'
FROM generate_series(1, {leads}) n;
INSERT INTO leadflood.companies (workspace_id, id, domain, sort_key, source)
SELECT '{workspace}', gen_random_uuid(), n || '.test', n || '.test', 'lead'
FROM generate_series(1, {companies}) n;
ANALYZE leadflood.leads, leadflood.companies;
INSERT INTO leadflood.company_leads (workspace_id, lead_id, company_id, domain, how, linked_at)
SELECT l.workspace_id, l.id, c.id, c.domain, 'email', now() - interval '90 days'
FROM leadflood.leads l
JOIN leadflood.companies c ON c.workspace_id = l.workspace_id
    AND c.domain = 1 + split_part(l.email, '@', 1)::integer % {companies} || '.test'
WHERE l.email LIKE '%@backtest.test';
INSERT INTO leadflood.lookups (workspace_id, id, company_id, source, source_version, state, answered_at)
SELECT workspace_id, id, id, 'test', '1', 'found', now() - interval '60 days' FROM leadflood.companies;
INSERT INTO leadflood.found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence,
                                    observed_at)
SELECT c.workspace_id, c.id, gen_random_uuid(), f.field, f.value, 0.9, 'test', 'test', now() - interval '60 days'
FROM (SELECT *, split_part(domain, '.', 1)::integer AS n FROM leadflood.companies) c
CROSS JOIN LATERAL (VALUES ('employees', to_jsonb(1 + c.n % 900)), ('founded', to_jsonb(1950 + c.n % 70)),
    ('industry', to_jsonb((ARRAY['software', 'finance', 'retail'])[1 + c.n % 3])),
    ('technology', to_jsonb((ARRAY['HubSpot', 'SAP'])[1 + c.n % 2])), ('accepts_mail', to_jsonb(c.n % 5 > 0))
) f (field, value);
INSERT INTO leadflood.chosen_values (workspace_id, subject_kind, subject_id, field, item, lookup_id, value_id,
                                     confidence, because, chosen_at)
SELECT workspace_id, 'company', lookup_id, field, CASE field WHEN 'technology' THEN 'x' ELSE '' END, lookup_id, id, 0.9,
       'only', now() - interval '60 days'
FROM leadflood.found_values;
INSERT INTO leadflood.icp_outcomes (workspace_id, id, lead_id, outcome, at, source, actor_kind)
SELECT workspace_id, gen_random_uuid(), id, CASE WHEN hashtext(id::text) % 7 = 0 THEN 'won' ELSE 'lost' END,
       now() - interval '1 day', 'import', 'system'
FROM leadflood.leads WHERE email LIKE '%@backtest.test';
ANALYZE leadflood.leads, leadflood.companies, leadflood.company_leads, leadflood.lookups, leadflood.found_values,
        leadflood.chosen_values, leadflood.icp_outcomes
"""
_CLEAN = "TRUNCATE leadflood.companies, leadflood.icps, leadflood.icp_versions, leadflood.icp_outcomes CASCADE"


def measure(ours: Contestant, sizes: Sizes) -> Measured:
    """Seconds and peak memory of a backtest. Raises: Failed: the process failed, or some outcomes are missing."""
    ours.clean()
    ours.sql(_CLEAN)
    workspace = ours.sql("SELECT id FROM leadflood.workspaces ORDER BY id LIMIT 1").strip()
    leads = sizes.leads // _SHARE
    ours.sql(_SETUP.format(workspace=workspace, leads=leads, companies=max(1, leads // 10)))
    argv = [sys.executable, "-m", "tests.bench.backtester", ours.environment["LEADFLOOD_DATABASE_URL"], workspace]
    processes = {"postgres": postmaster(ours.cluster)}
    before = Snapshot.take(processes)
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode != 0:
        raise Failed(f"A backtest failed: {done.stderr.decode()[-2000:]}")
    cores = Snapshot.take(processes).cores_since(before)
    found = json.loads(done.stdout)
    if found["leads"] != leads:
        raise Failed(f"A backtest counted {found['leads']:,} of {leads:,} outcomes.")
    figures: Figures = {
        "seconds": round(found["seconds"], 2),
        "peak_mib": round(found["peak_mib"]),
        "leads": leads,
    }
    return figures, cores


def table(results: Results) -> list[Table]:
    """The figures, if there are any."""
    if not results.has(LABEL):
        return []
    leads = results.median(LABEL, "leads")
    found = Table(title=f"Backtest on {leads:,.0f} outcomes, two versions of 12 criteria", title_justify="left")
    for name in ("seconds", "peak MiB"):
        found.add_column(name, justify="right")
    found.add_row(*(f"{results.median(LABEL, name):g}" for name in ("seconds", "peak_mib")))
    return [found]
