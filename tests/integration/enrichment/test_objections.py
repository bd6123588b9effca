"""A person who asked a provider not to be looked up: nothing that leaves this machine asks about them again."""

import asyncpg
import pytest

from leadflood.domains.enrichment.models import Objected
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.jobs.models import JobStatus
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
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
