"""Tables of enrichment for the tests of tenants, whose rows the enrichment of their lead has written."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from leadflood.domains.enrichment.contracts.batches import StartEnrichment
from leadflood.domains.enrichment.models.retractions import RetractionScope
from leadflood.domains.enrichment.service import batches, company_runs
from leadflood.domains.enrichment.store import retractions
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id

BODY_REFUSALS = {
    ("startEnrichment", "leadIds"): (409, "nothing_to_enrich"),
    ("startEnrichment", "importId"): (409, "nothing_to_enrich"),
    ("startEnrichment", "matching.ownerId"): (409, "nothing_to_enrich"),
    ("retractValues", "leadId"): (409, "nothing_to_retract"),
    ("retractValues", "companyId"): (409, "nothing_to_retract"),
}
APPEND_ONLY = ("lookup_objections",)
SHARED = {"source_gates": "rates and failures of sources, which all workspaces of an installation share"}
WITHOUT_PERSONAL_DATA = {
    "usage_readings": "counters by the name of a source",
    "usage_failures": "sentences about sources, without persons",
    "source_gates": "times and numbers of sources",
    "company_runs": "answers about organizations; deleted with a company that only one person's leads had",
    "enrichment_batches": "a name, counts, and which leads or companies were chosen, by ID or filter",
    "enrichment_batch_reasons": "counts of sentences about sources, without names",
    "fill_policies": "numbers by the name of a field",
    "enrichment_settings": "a switch",
    "provider_keys": "encrypted keys of providers",
    "source_settings": "names of sources, and definitions of how they are asked",
    "lookup_objections": "keyed hashes of persons who must not be looked up, which have to outlive their data",
    "lookup_pages": "texts of organizations' websites, deleted after about a month and with their company",
    "company_merge_lookups": "IDs of merges and lookups of organizations, deleted with them",
}


# A run as the previous release stores it. Triggers copy it.
RUN = sql("""
INSERT INTO enrichment_runs (workspace_id, id, lead_id, job_id, adapter, adapter_version, status, started_at)
VALUES (:workspace_id, :id, :lead_id, :id, 'former', '1', 'completed', now())
""")
VALUE = sql("""
INSERT INTO enrichment_values (workspace_id, id, run_id, lead_id, field, value, confidence, method, evidence, chosen)
VALUES (:workspace_id, :id, :id, :lead_id, 'seniority', '"head"', 0.9, 'a_method', 'Seen.', true)
""")
# The run of a lead.
LEAD_RUN = sql("""
INSERT INTO lead_runs (workspace_id, lead_id, job_id, newer_than, state, sentence, steps)
VALUES (:workspace_id, :lead_id, :id, now(), 'nothing', 'Nothing was found.', '[]') ON CONFLICT DO NOTHING
""")

# The test of a source about a lead.
SOURCE_TEST = sql("""
INSERT INTO source_tests (workspace_id, source, lead_id, job_id, ended_at, result)
VALUES (:workspace_id, 'hunter_email_verifier', :lead_id, :id, now(),
        '{"step": {"source": "hunter_email_verifier", "state": "missed", "sentence": "Nothing.", "facts": 0,
                   "seconds": 0.1, "stored": false, "until": null, "expiresAt": null}, "calls": [], "values": []}')
ON CONFLICT DO NOTHING
""")

# An answer about a company, which a merge moved.
LOOKUP = sql("""
INSERT INTO lookups (workspace_id, id, company_id, source, source_version, state, answered_at)
VALUES (:workspace_id, :id, :company_id, 'register', '1', 'missed', now())
""")
PAGES = sql("INSERT INTO lookup_pages VALUES (:workspace_id, :id, 'x', now())")
# A lead of a batch that waits, and a reason.
ITEM = sql("INSERT INTO enrichment_batch_items VALUES (:workspace_id, :id, :lead_id, NULL)")
REASON = sql("INSERT INTO enrichment_batch_reasons VALUES (:workspace_id, :id, 'partial', 'A source was away.', 1)")
SETTINGS = sql("INSERT INTO enrichment_settings VALUES (:workspace_id, true)")
POLICY = sql("INSERT INTO fill_policies VALUES (:workspace_id, 'lead', 'country', 0.8, true)")
KEY = sql("INSERT INTO provider_keys VALUES (:workspace_id, 'hunter', 'https://api.hunter.io', 'x', 'last', 'c')")
ENABLED = sql("INSERT INTO source_settings VALUES (:workspace_id, 'hunter_email_finder', 'hunter', true)")
OWN = sql("""
INSERT INTO source_settings
VALUES (:workspace_id, 'custom_acme_data', 'custom_acme_data', false,
        '{"label": "Acme", "subject": "company", "url": "https://acme.test/{domain}", "needs": [["domain"]],
          "fields": {"name": "title"}}'::jsonb)
""")
MODEL = sql("""
INSERT INTO source_settings
VALUES (:workspace_id, 'language_model', 'language_model', false,
        '{"url": "https://api.acme-ai.test/v1", "model": "acme-small"}'::jsonb)
""")
OBJECTION = sql("INSERT INTO lookup_objections VALUES (:workspace_id, 'person', 'hunter_email_finder')")
REJECTED = sql("""
INSERT INTO rejected_values (workspace_id, id, lead_id, field, source, value_key, value, actor_kind)
VALUES (:workspace_id, :id, :lead_id, 'seniority', 'former', 'head', '"head"', 'system')
""")
FAILURE = sql("INSERT INTO usage_failures VALUES (:workspace_id, 'register', 'It is down.')")
READING = sql("INSERT INTO usage_readings VALUES (:workspace_id, 'register', 1, 1, 0)")
MOVED = sql("INSERT INTO company_merge_lookups VALUES (:workspace_id, :merge_id, :id)")


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Store a run of the previous release, a run of a company, an answer that a merge moved, and a paused batch."""
    workspace_id, company_id = actor.workspace_id, ids["companies"]
    values = {"workspace_id": actor.workspace_id, "id": new_id(), "lead_id": ids["leads"]}
    async with database.transaction(actor.workspace_id) as tx:
        await tx.execute(RUN, values)
        await tx.execute(VALUE, values)
        await tx.execute(LEAD_RUN, values)
        await tx.execute(SOURCE_TEST, values)
        await company_runs.enrich_company(tx, actor, company_id=company_id, trace={})
        moved = {"workspace_id": workspace_id, "id": new_id()}
        await tx.execute(LOOKUP, {**moved, "company_id": company_id})
        await tx.execute(PAGES, moved)
        await tx.execute(MOVED, {**moved, "merge_id": ids["company-merges"]})
        command = StartEnrichment.model_validate({"leadIds": [str(ids["leads"])]})
        batch = await batches.start(tx, actor, command=command, trace={})
        await batches.pause(tx, actor, batch_id=batch.id)
        await tx.execute(ITEM, {"workspace_id": workspace_id, "id": batch.id, "lead_id": ids["leads"]})
        await tx.execute(REASON, {"workspace_id": workspace_id, "id": batch.id})
    async with database.transaction(actor.workspace_id) as tx:
        scope = RetractionScope("former", utc_now() - timedelta(days=1), utc_now(), lead_id=ids["leads"])
        retraction_id = new_id()
        await retractions.insert(tx, actor, retraction_id, scope)
        for statement in (SETTINGS, POLICY, KEY, ENABLED, OWN, MODEL, OBJECTION, READING, FAILURE):
            await tx.execute(statement, {"workspace_id": workspace_id})
        await tx.execute(REJECTED, {"workspace_id": workspace_id, "id": new_id(), "lead_id": ids["leads"]})
    return {"enrichments": batch.id, "retractions": retraction_id}
