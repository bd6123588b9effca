"""Facts before a time: nothing that was found or changed since is among them."""

from datetime import timedelta
from random import Random

import pytest

from leadflood.domains.enrichment.models.filling import FillPolicies
from leadflood.domains.icps.models.catalog import STANDARD
from leadflood.domains.icps.queries.as_of import FactsWanted, facts_before
from leadflood.domains.icps.queries.scores import read_facts
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from tests.conftest import Workspace
from tests.integration.icps.history import Past

REFRESH = sql("SELECT refresh_icp_facts(:workspace_id::uuid, :ids::uuid[])")
SOURCES = (("one", 0.5), ("two", 0.7), ("three", 0.9))
CODES = ("DE", "FR", "GB", "US")
EMPLOYEES, COUNTRY = "company.employees", "lead.country"


async def test_a_changed_field_has_its_value_of_then(database: Database, workspace: Workspace) -> None:
    async with database.transaction(workspace.id) as tx:
        past = await Past.of(tx, workspace.id, country="DE")
        await past.changed(6, None, "FR")
        await past.changed(2, "FR", "DE")

        assert await past.before(11) is None
        assert await past.before(7) == {}
        assert await past.before(4) == {COUNTRY: "FR"}
        assert await past.before(1) == {COUNTRY: "DE"}
        assert await past.before(2) == {COUNTRY: "FR"}, "a change at the very time is not known before it"


async def test_a_found_value_is_known_from_its_answer_on(database: Database, workspace: Workspace) -> None:
    async with database.transaction(workspace.id) as tx:
        past = await Past.of(tx, workspace.id)
        await past.found(8, 10)
        await past.found(5, 70, source="other", confidence=0.5, chosen=False)
        await past.found(2, 120)
        await past.found(2, "DE", field="country", confidence=0.95)

        assert await past.before(9) == {}
        assert await past.before(6) == {EMPLOYEES: 10}
        assert await past.before(3) == {EMPLOYEES: 10}
        assert await past.before(1) == {EMPLOYEES: 120, COUNTRY: "DE"}, "the company fills the empty country"


async def test_a_later_retraction_or_rejection_changes_nothing_before(database: Database, workspace: Workspace) -> None:
    async with database.transaction(workspace.id) as tx:
        retracted, rejected = await Past.of(tx, workspace.id), await Past.of(tx, workspace.id)
        await retracted.retracted(4, await retracted.found(8, 10))
        await rejected.found(8, 20)
        await rejected.rejected(4, 20)
        await rejected.found(2, 30, source="other")

        assert [await retracted.before(days) for days in (6, 3)] == [{EMPLOYEES: 10}, {}]
        assert [await rejected.before(days) for days in (6, 3, 1)] == [{EMPLOYEES: 20}, {}, {EMPLOYEES: 30}]


async def test_a_younger_link_and_a_later_merge_give_no_facts_of_a_company(
    database: Database, workspace: Workspace
) -> None:
    async with database.transaction(workspace.id) as tx:
        linked, merged = await Past.of(tx, workspace.id, linked=5), await Past.of(tx, workspace.id)
        for past in (linked, merged):
            await past.found(9, 10)
        await merged.merged(5)

        for past in (linked, merged):
            assert [await past.before(days) for days in (7, 4)] == [{}, {EMPLOYEES: 10}]


@pytest.mark.parametrize("seed", [20261201, 20261202, 20261203])
async def test_facts_before_any_time_are_those_of_a_replay(database: Database, workspace: Workspace, seed: int) -> None:
    """Random pasts: own changes, and answers of three sources, of which the surest of the latest ones wins."""
    draw = Random(seed)  # noqa: S311  examples
    for _ in range(12):
        changes = sorted(((draw.uniform(0.1, 9), draw.choice(CODES)) for _ in range(draw.randrange(4))), reverse=True)
        answers = sorted(
            ((draw.uniform(0.1, 9), *draw.choice(SOURCES), draw.randrange(1, 900)) for _ in range(draw.randrange(6))),
            reverse=True,
        )
        async with database.transaction(workspace.id) as tx:
            past = await Past.of(tx, workspace.id, country=changes[-1][1] if changes else None)
            before: str | None = None
            for days, country in changes:
                await past.changed(days, before, country)
                before = country
            surest = 0.0
            for days, source, confidence, number in answers:
                surest = max(surest, confidence)
                is_best = confidence == surest
                await past.found(days, number, source=source, confidence=confidence, chosen=is_best)
            for days in (9.5, 7.25, 5.75, 3.1, 1.9, 0.5):
                assert await past.before(days) == _replay(changes, answers, days), (days, changes, answers)


def _replay(
    changes: list[tuple[float, str]], answers: list[tuple[float, str, float, int]], days: float
) -> dict[str, object]:
    facts: dict[str, object] = dict([(COUNTRY, country) for at, country in changes if at > days][-1:])
    latest = {source: (confidence, number) for at, source, confidence, number in answers if at > days}
    return facts | ({EMPLOYEES: max(latest.values())[1]} if latest else {})


async def test_facts_before_now_are_those_of_today(database: Database, workspace: Workspace) -> None:
    async with database.transaction(workspace.id) as tx:
        leads = [await Past.of(tx, workspace.id, country=country) for country in ("DE", None)]
        for past in leads:
            await past.found(3, 120)
        fields = [STANDARD[key] for key in (COUNTRY, EMPLOYEES, "lead.createdAt", "lead.source")]
        refresh = [past.company_id for past in leads]
        await tx.execute(REFRESH, {"workspace_id": workspace.id, "ids": refresh})
        today = await read_facts(tx, workspace.actor, lead_ids=[past.lead_id for past in leads], fields=fields)

        wanted = [FactsWanted(past.lead_id, utc_now() + timedelta(seconds=1)) for past in leads]
        keys = [field.key for field in fields]
        before = await facts_before(
            tx, workspace.id, wanted=wanted, catalog=STANDARD, keys=keys, policies=FillPolicies(), companies={}
        )

    assert [facts.values for facts in before if facts] == [today[past.lead_id].values for past in leads]
