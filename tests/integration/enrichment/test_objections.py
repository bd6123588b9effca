"""A person who asked a provider not to be looked up: nothing that leaves this machine asks about them again."""

from collections.abc import Awaitable
from dataclasses import replace

import asyncpg
import pytest

from leadflood.domains.enrichment.engine.memory import MemoryRates
from leadflood.domains.enrichment.engine.objections import SENTENCE, GuardedSource, PersonGuard
from leadflood.domains.enrichment.models import Objected, Rate
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.spending.queries import list_purchases
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.integration.enrichment.buyer import HIT, Buyer, Provider
from tests.integration.enrichment.office import domain, person

ROWS = sql("SELECT person, source FROM lookup_objections WHERE workspace_id = :workspace_id")
FORBIDDEN = (
    sql("DELETE FROM lookup_objections WHERE workspace_id = :workspace_id"),
    sql("UPDATE lookup_objections SET source = 'x' WHERE workspace_id = :workspace_id"),
)


def objecting() -> Scripted:
    return Scripted(f"asked_{new_id().hex}", [Objected("The person asked Asked not to be looked up.")])


def other() -> Scripted:
    return Scripted(f"other_{new_id().hex}", [[value(fields.JOB_TITLE, "Reader", 0.9)]])


async def test_the_run_ends_and_later_ones_ask_nobody_about_the_person(bench: Bench) -> None:
    first, second, local, company = objecting(), other(), person(), domain()
    made = await bench.create(f"ada.lovelace@{company}")

    job = await bench.attempts(made.job_id, local, first, second)
    assert job.status == JobStatus.COMPLETED, "what is known without asking is kept"
    asked = len(first.asked) + len(second.asked)
    assert len(first.asked) == 1
    await bench.attempts(await bench.again(made.lead_id), local, first, second)
    await bench.delete(made.lead_id)
    again = await bench.create(f"Ada.Lovelace+news@{company}")
    await bench.attempts(again.job_id, local, first, second)

    assert len(first.asked) + len(second.asked) == asked


async def test_another_address_of_the_same_name_at_the_company_is_the_same_person(bench: Bench) -> None:
    first, company = objecting(), domain()
    names = Scripted(
        f"names_{new_id().hex}",
        [[value(fields.FIRST_NAME, "Ada"), value(fields.LAST_NAME, "King"), value(fields.COMPANY_DOMAIN, company)]],
        is_local=True,
    )
    made = await bench.create(f"ada@{company}")
    await bench.attempts(made.job_id, names, first)
    other_address = await bench.create(f"a.king@{company}")
    await bench.attempts(other_address.job_id, names, first)

    assert len(first.asked) == 1


async def test_others_are_asked_about_and_other_workspaces_know_nothing(bench: Bench, other_bench: Bench) -> None:
    company = domain()
    await bench.attempts((await bench.create(f"ada@{company}")).job_id, person(), objecting())
    asked, elsewhere = other(), other()

    await bench.attempts((await bench.create(f"grace@{company}")).job_id, person(), asked)
    await other_bench.attempts((await other_bench.create(f"ada@{company}")).job_id, person(), elsewhere)

    assert (len(asked.asked), len(elsewhere.asked)) == (1, 1)


async def test_an_objection_names_nobody_and_nothing_clears_it(bench: Bench) -> None:
    company = domain()
    made = await bench.create(f"ada@{company}")
    await bench.attempts(made.job_id, person(), objecting())
    workspace = {"workspace_id": bench.actor.workspace_id}
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        rows = await tx.all(ROWS, workspace)
        assert rows
        assert all(len(row.person) == 32 for row in rows)
        assert company.encode() not in b"".join(row.person for row in rows)

    for statement in FORBIDDEN:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with bench.database.transaction(bench.actor.workspace_id) as tx:
                await tx.execute(statement, workspace)


class Objecting(MemoryRates):
    """The person objects at another source while this one waits for its turn."""

    def __init__(self, guard: PersonGuard) -> None:
        super().__init__()
        self.guard = guard

    async def reserve(self, *given: object, **named: object) -> float:
        self.guard.objected = True
        wait: Awaitable[float] = super().reserve(*given, **named)  # type: ignore[arg-type]
        return await wait


@pytest.mark.parametrize("meanwhile", [False, True])
async def test_after_an_objection_a_source_is_skipped_before_anything_is_purchased(
    buyer: Buyer, *, meanwhile: bool
) -> None:
    await buyer.till.budget(1000)
    guard = PersonGuard(buyer.till.database, buyer.asker.workspace_id, [b"p" * 32])
    if not meanwhile:
        await buyer.ask(GuardedSource(Provider([Objected("The person does not want it.")]), guard))
    provider = Provider([HIT])
    provider.spec = replace(provider.spec, name="later", family="later", rate=Rate(1, 1))
    await buyer.till.price(source="later")

    step = await replace(buyer, rates=Objecting(guard)).ask(GuardedSource(provider, guard))

    assert (step.state, step.sentence) == (StepState.SKIPPED, SENTENCE)
    assert provider.calls == []
    async with buyer.till.database.transaction(buyer.asker.workspace_id) as tx:
        purchased = (await list_purchases(tx, buyer.till.actor, limit=10)).items
    assert [each.source for each in purchased if each.source == "later"] == []
