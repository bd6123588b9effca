"""Random sequences of changes leave the found values of all leads as they are when worked out again."""

import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.companies import service as companies
from leadflood.domains.companies.contracts import ChooseCompany, MergeCompany
from leadflood.domains.companies.service.lead_links import choose_company, reset_company
from leadflood.domains.companies.service.merges import merge_companies, undo_merge
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.service import merging
from leadflood.domains.enrichment.models import Fact, company_fields, lead_fields
from leadflood.domains.leads import service
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError
from tests.integration.enrichment.bench import Bench, value
from tests.integration.enrichment.office import domain
from tests.integration.enrichment.shelf import Shelf
from tests.support.asked_sources import fact

FIRST, LAST = ("Ada", "José", "李", "🦊", ""), ("Lovelace", "Müller", "O'Neil")
NAMES, COUNTRIES = ("Acme", "Straße & Söhne", "株式会社", "C:\\Temp"), ("GB", "DE", "NZ")
SURE = (0.3, 0.79, 0.8, 0.95)
STEPS = 30

# The first names that count, and what a search looks through, of active leads.
_SEARCHED = sql("""
SELECT search_key(coalesce(first_name, found_first_name)) AS name, search_text FROM leads
WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND coalesce(first_name, found_first_name) IS NOT NULL
""")


class Changes:
    """Changes of a workspace, drawn from a generator. What is not possible at the moment is left out."""

    def __init__(self, shelf: Shelf, seed: int) -> None:
        self.shelf, self.draw = shelf, random.Random(seed)  # noqa: S311  the same sequence each time
        self.domains = [domain() for _ in range(3)]
        self.companies: list[UUID] = []
        self.merges: list[UUID] = []
        self.company_merges: list[UUID] = []
        self.all: list[Callable[[list[UUID], list[UUID]], Awaitable[None]]] = [
            self.enrich,
            self.read,
            self.edit,
            self.name,
            self.choose,
            self.reset,
            self.delete,
            self.restore,
            self.delete_company,
            self.restore_company,
            self.merge,
            self.unmerge,
            self.merge_companies,
            self.unmerge_companies,
        ]

    @property
    def actor(self) -> Actor:
        return self.shelf.bench.actor

    async def begin(self) -> None:
        for number in range(6):
            await self.shelf.lead(f"p{number}@{self.domains[number % 3]}", *self.person())
        self.companies = [await self.shelf.office.company_id(each) for each in self.domains]

    async def step(self) -> str:
        """Make a change. Returns what it was, and why it was refused."""
        change = self.draw.choice(self.all)
        lead_ids, company_ids = self.draw.sample(self.shelf.leads, 2), self.draw.sample(self.companies, 2)
        try:
            await change(lead_ids, company_ids)
        except AppError as error:
            return f"{change.__name__}: {error}"
        return change.__name__

    def person(self) -> list[Fact]:
        found = {
            lead_fields.FIRST_NAME: self.draw.choice(FIRST),
            lead_fields.LAST_NAME: self.draw.choice(LAST),
            lead_fields.COMPANY_NAME: self.draw.choice(NAMES),
            lead_fields.COUNTRY: self.draw.choice(COUNTRIES),
        }
        return [
            value(of, text, self.draw.choice(SURE)) for of, text in found.items() if text and self.draw.random() < 0.6
        ]

    def company(self) -> list[Fact]:
        found = {company_fields.NAME: self.draw.choice(NAMES), company_fields.COUNTRY: self.draw.choice(COUNTRIES)}
        facts = [fact(text, self.draw.choice(SURE), of=of) for of, text in found.items() if self.draw.random() < 0.7]
        return facts or [fact("https://acme.com", of=company_fields.WEBSITE)]

    async def enrich(self, leads: list[UUID], _: list[UUID]) -> None:
        await self.shelf.enrich(leads[0], *self.person())

    async def read(self, _: list[UUID], company_ids: list[UUID]) -> None:
        await self.shelf.read(company_ids[0], *self.company())

    async def edit(self, leads: list[UUID], _: list[UUID]) -> None:
        fields: dict[str, Any] = {
            "firstName": self.draw.choice(FIRST) or None,
            "company": self.draw.choice((*NAMES, None)),
            "website": self.draw.choice((*(f"https://{each}" for each in self.domains), None)),
        }
        await self.shelf.edit(leads[0], **dict(self.draw.sample(list(fields.items()), 2)))

    async def name(self, _: list[UUID], company_ids: list[UUID]) -> None:
        await self.shelf.name_company(company_ids[0], self.draw.choice((*NAMES, None, None)))

    async def choose(self, leads: list[UUID], company_ids: list[UUID]) -> None:
        command = ChooseCompany.model_validate({"companyId": self.draw.choice((str(company_ids[0]), None))})
        await self.write(lambda tx: choose_company(tx, self.actor, lead_id=leads[0], command=command))

    async def reset(self, leads: list[UUID], _: list[UUID]) -> None:
        await self.write(lambda tx: reset_company(tx, self.actor, lead_id=leads[0]))

    async def delete(self, leads: list[UUID], _: list[UUID]) -> None:
        await self.shelf.bench.delete(leads[0])

    async def restore(self, leads: list[UUID], _: list[UUID]) -> None:
        await self.write(lambda tx: service.restore_lead(tx, self.actor, lead_id=leads[0]))

    async def delete_company(self, _: list[UUID], company_ids: list[UUID]) -> None:
        await self.write(lambda tx: companies.delete_company(tx, self.actor, company_id=company_ids[0]))

    async def restore_company(self, _: list[UUID], company_ids: list[UUID]) -> None:
        await self.write(lambda tx: companies.restore_company(tx, self.actor, company_id=company_ids[0]))

    async def merge(self, leads: list[UUID], _: list[UUID]) -> None:
        command = MergeLeads.model_validate({"survivorId": str(leads[0]), "otherId": str(leads[1])})
        made = await self.write(lambda tx: merging.merge(tx, self.actor, LEAD_PARTICIPANTS, command=command))
        self.merges.append(made.id)

    async def unmerge(self, _: list[UUID], __: list[UUID]) -> None:
        if self.merges:
            merge_id, participants = self.merges.pop(), LEAD_PARTICIPANTS
            await self.write(lambda tx: merging.undo_merge(tx, self.actor, participants, merge_id=merge_id, trace={}))

    async def merge_companies(self, _: list[UUID], company_ids: list[UUID]) -> None:
        command = MergeCompany.model_validate({"otherId": str(company_ids[1])})
        made = await self.write(lambda tx: merge_companies(tx, self.actor, company_id=company_ids[0], command=command))
        self.company_merges.append(made.id)

    async def unmerge_companies(self, _: list[UUID], __: list[UUID]) -> None:
        if self.company_merges:
            merge_id = self.company_merges.pop()
            await self.write(lambda tx: undo_merge(tx, self.actor, merge_id=merge_id))

    async def write(self, verb: Callable[[Transaction], Awaitable[Any]]) -> Any:  # noqa: ANN401  what a verb returns
        async with self.shelf.bench.database.transaction(self.actor.workspace_id) as tx:
            return await verb(tx)


@pytest.mark.parametrize("seed", range(6))
async def test_found_values_are_always_those_that_the_choices_say(bench: Bench, seed: int) -> None:
    changes = Changes(Shelf(bench), seed)
    await changes.begin()
    done = []

    for _ in range(STEPS):
        done.append(await changes.step())
        assert await changes.shelf.refreshes() == [], done
        assert await changes.shelf.stored() == await changes.shelf.meant(), done

    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        rows = await tx.all(_SEARCHED, {"workspace_id": bench.actor.workspace_id})
    assert all(row.name in row.search_text for row in rows)
    assert sum(":" not in item for item in done) > STEPS // 3
