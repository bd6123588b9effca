"""SQL and Python say the same of every lead, whatever the profile and the facts are.

`LEADFLOOD_ICP_SEEDS` sets the number of profiles; each is compared for 40 leads in one statement.
"""

import json
import os
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.icps.columns.compile import THESE, scores
from leadflood.domains.icps.models.catalog import FactPlace
from leadflood.domains.icps.models.evaluate import Evaluation, Facts, evaluate
from leadflood.domains.icps.models.profiles import FitProfile
from leadflood.domains.icps.queries import scores as queries
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from tests.conftest import Workspace
from tests.support.profiles import CATALOG, NOW, Deal

SEEDS = int(os.environ.get("LEADFLOOD_ICP_SEEDS", "150"))
LEADS = 40
STORED = {"lead.country": "country", "lead.jobTitle": "job_title"}

ADD_LEAD = sql("""
INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text, status, country, found_country, job_title,
                   found_job_title, custom_fields)
VALUES (:workspace_id, :id, :email, :email, 'test', '', 'new', :country, :found_country, :job_title, :found_job_title,
        :custom_fields)
""")
ADD_COMPANY = sql("""
WITH made AS (
    INSERT INTO companies (workspace_id, id, domain, sort_key, source)
    VALUES (:workspace_id, :company_id, :domain, :domain, 'lead')
)
INSERT INTO company_leads (workspace_id, lead_id, company_id, domain, how)
VALUES (:workspace_id, :id, :company_id, :domain, 'email')
""")
ADD_FACTS = sql("""
INSERT INTO icp_facts (workspace_id, subject_id, facts, observed) VALUES (:workspace_id, :id, :facts, :observed)
""")


async def stored(tx: Transaction, workspace_id: UUID, facts: Facts, *, found: bool) -> UUID:
    """A lead with these facts, in the places where the program has them. `found`: core fields are found ones."""
    lead_id, company_id = new_id(), new_id()
    custom: dict[str, Any] = {}
    documents: dict[FactPlace, dict[str, Any]] = {FactPlace.LEAD: {}, FactPlace.COMPANY: {}}
    observed: dict[FactPlace, dict[str, float]] = {FactPlace.LEAD: {}, FactPlace.COMPANY: {}}
    columns: dict[str, object] = dict.fromkeys(("country", "job_title", "found_country", "found_job_title"))
    for key, value in facts.values.items():
        field = CATALOG[key]
        given = sorted(value) if isinstance(value, frozenset) else value
        if field.place is FactPlace.COLUMN:
            columns[f"found_{STORED[key]}" if found else STORED[key]] = given
        elif field.place is FactPlace.CUSTOM:
            custom[field.name] = given
        else:
            documents[field.place][field.name] = given
            observed[field.place][field.name] = facts.observed[key].timestamp()
    same = {"workspace_id": workspace_id, "id": lead_id, "company_id": company_id}
    email = f"{lead_id.hex}@acme.test"
    await tx.execute(ADD_LEAD, {**same, **columns, "email": email, "custom_fields": json.dumps(custom)})
    await tx.execute(ADD_COMPANY, {**same, "domain": f"{lead_id.hex}.test"})
    for place, subject_id in ((FactPlace.LEAD, lead_id), (FactPlace.COMPANY, company_id)):
        values = {"facts": json.dumps(documents[place]), "observed": json.dumps(observed[place])}
        await tx.execute(ADD_FACTS, {**same, **values, "id": subject_id})
    return lead_id


def expected(found: Evaluation) -> dict[str, object]:
    names = ("score", "lo", "hi", "tier", "worst", "best", "excluded_by", "known")
    return {name: getattr(found, name) for name in names}


async def compared(tx: Transaction, workspace: Workspace, leads: dict[UUID, Facts], profile: FitProfile) -> None:
    compiled = scores(profile, CATALOG, NOW, THESE)
    values = {**compiled.values, "workspace_id": workspace.id, "lead_ids": list(leads)}
    rows = {row.id: row for row in await tx.all(compiled.statement, values)}
    read = await queries.facts_of(tx, workspace.actor, lead_ids=list(leads), profile=profile, catalog=CATALOG)
    assert len(rows) == len(leads)
    for lead_id, facts in leads.items():
        found = evaluate(profile, facts, CATALOG, NOW)
        assert expected(found) == {name: rows[lead_id][name] for name in expected(found)}, (profile, facts)
        assert found == evaluate(profile, read[lead_id], CATALOG, NOW)


async def test_both_evaluators_agree(database: Database, workspace: Workspace) -> None:
    deal = Deal(20261130)
    async with database.transaction(workspace.id) as tx:
        leads: dict[UUID, Facts] = {}
        for number in range(LEADS):
            facts = deal.facts()
            leads[await stored(tx, workspace.id, facts, found=number % 2 == 0)] = facts
        for _ in range(SEEDS):
            await compared(tx, workspace, leads, deal.profile())


@pytest.mark.parametrize("seed", [7])
async def test_a_custom_value_of_another_type_is_unknown(database: Database, workspace: Workspace, seed: int) -> None:
    """A custom field can have values of a former type until they are converted."""
    deal = Deal(seed)
    wrong: dict[str, Any] = {"budget": "many", "region": 7, "segments": "one", "signed": "soon", "partner": "yes"}
    async with database.transaction(workspace.id) as tx:
        lead_id = await stored(tx, workspace.id, Facts({}), found=False)
        change = sql("UPDATE leads SET custom_fields = :custom WHERE workspace_id = :workspace_id AND id = :id")
        await tx.execute(change, {"custom": json.dumps(wrong), "workspace_id": workspace.id, "id": lead_id})
        for _ in range(20):
            await compared(tx, workspace, {lead_id: Facts({})}, deal.profile())


def test_the_facts_of_the_tests_have_unknown_and_outdated_ones() -> None:
    deal = Deal(20261130)
    all_facts = [deal.facts() for _ in range(LEADS)]

    def is_old(key: str, at: datetime) -> bool:
        lifetime = CATALOG[key].time_to_live
        return lifetime is not None and NOW - at > lifetime

    assert any(is_old(key, at) for facts in all_facts for key, at in facts.observed.items())
    assert any(len(facts.values) < 8 for facts in all_facts)
