"""Undo and merge of the same leads, in any order: nothing that a person made is lost, nothing undone returns by itself.

The rules are in docs/concepts.md, under "Undo and merges".
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from leadflood.domains.duplicates.models import MergeStatus
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.domains.leads.contracts.changesets import KeptReason
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from tests.conftest import new_workspace
from tests.integration.duplicates.desk import Desk
from tests.integration.leads.workbench import Workbench


@pytest.fixture
def bench(desk: Desk) -> Workbench:
    return Workbench(desk.leads)


async def active(bench: Workbench) -> set[UUID]:
    return {lead_id for lead_id, row in (await bench.rows()).items() if row["deleted_at"] is None}


async def reasons(bench: Workbench, changeset_id: UUID) -> dict[UUID, tuple[str, list[str]]]:
    return {item.lead_id: (item.reason.value, item.fields) for item in await bench.kept(changeset_id)}


async def test_an_imported_lead_that_another_was_merged_into_survives_the_undo_of_the_import(
    desk: Desk, bench: Workbench
) -> None:
    older, plain = await desk.lead("older@acme.com", jobTitle="Head"), await desk.lead("plain@acme.com")
    imported, other = await desk.lead("new@acme.com", company="Acme"), await desk.lead("unmerged@acme.com")
    changeset_id = await bench.created([imported, other])
    made = await desk.merge(imported, older)
    await desk.unmerge((await desk.merge(other, plain)).id)

    undone = await bench.undo(changeset_id)

    assert (undone.reverted, undone.kept_leads) == (1, 1)
    assert await reasons(bench, changeset_id) == {imported: (KeptReason.MERGED, [])}
    assert await active(bench) == {imported, plain}
    await desk.unmerge(made.id)
    assert await active(bench) == {imported, plain, older}


async def test_unmerging_does_not_bring_back_a_lead_whose_import_was_undone(desk: Desk, bench: Workbench) -> None:
    older = await desk.lead("older@acme.com")
    imported, edited = await desk.lead("new@acme.com", company="Acme"), await desk.lead("edited@acme.com")
    changeset_id = await bench.created([imported, edited])
    await desk.edit(edited, company="Mills")
    made = [await desk.merge(older, lead_id) for lead_id in (imported, edited)]

    undone = await bench.undo(changeset_id)

    assert (undone.reverted, undone.kept_leads) == (0, 2)
    assert await reasons(bench, changeset_id) == {
        imported: (KeptReason.MERGED_INTO, []),
        edited: (KeptReason.EDITED, ["company"]),
    }
    for merge in made:
        await desk.unmerge(merge.id)
    assert await active(bench) == {older, edited}
    assert (await desk.leads.get(older)).company is None
    deleted = (await desk.leads.timeline_of_deleted(imported))[0]
    assert (deleted.kind, deleted.data["changesetId"], deleted.data["undo"]) == (
        "lead.deleted",
        str(changeset_id),
        True,
    )
    after = await bench.view(changeset_id)
    assert (after.reverted, after.kept_leads) == (1, 1)
    await desk.leads.restore(imported)
    again = await desk.unmerge((await desk.merge(older, imported)).id)
    assert again.other_deleted is False
    assert await active(bench) == {older, edited, imported}


async def test_an_undone_lead_stays_deleted_even_where_its_address_is_taken(desk: Desk, bench: Workbench) -> None:
    older, imported = await desk.lead("older@acme.com"), await desk.lead("new@acme.com")
    changeset_id = await bench.created([imported])
    made = await desk.merge(older, imported)
    await bench.undo(changeset_id)
    newcomer = await desk.lead("new@acme.com")

    undone = await desk.unmerge(made.id)

    assert (undone.status, undone.other_deleted) == (MergeStatus.UNDONE, True)
    assert await active(bench) == {older, newcomer}


@dataclass
class Model:
    """Active leads according to the rules."""

    imported: set[UUID]
    active: set[UUID]
    edited: set[UUID] = field(default_factory=set)
    merges: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)
    restores: dict[UUID, UUID] = field(default_factory=dict)
    deferred: set[UUID] = field(default_factory=set)
    unwanted: set[UUID] = field(default_factory=set)
    """Deleted because a person asked for it, by deleting them or by undoing their restore."""

    def absorbed(self, lead_id: UUID) -> bool:
        return any(survivor == lead_id for survivor, _ in self.merges.values())

    def part(self, lead_id: UUID) -> bool:
        return any(other == lead_id for _, other in self.merges.values())

    def withdraw(self, lead_id: UUID) -> None:
        """Undo what created or restored the lead."""
        if self.part(lead_id):
            self.deferred.add(lead_id)
        self.active.discard(lead_id)

    def root(self, lead_id: UUID) -> UUID:
        into = {other: survivor for survivor, other in self.merges.values()}
        while lead_id in into:
            lead_id = into[lead_id]
        return lead_id


@dataclass
class Run:
    """One example: the real workspace beside the model."""

    desk: Desk
    bench: Workbench
    model: Model
    changeset_id: UUID
    undone: bool = False

    def choices(self) -> dict[str, list[UUID]]:
        model = self.model
        everybody = model.imported | model.active | model.unwanted | model.edited
        gone = sorted(person for person in everybody - model.active if not model.part(person))
        alive = sorted(model.active)
        return {
            "edit": alive,
            "delete": alive,
            "merge": alive if len(alive) > 1 else [],
            "unmerge": sorted(model.merges),
            "restore": gone,
            "restore_in_bulk": gone,
            "undo_restore": sorted(model.restores),
            "undo_import": [self.changeset_id],
        }

    async def edit(self, lead_id: UUID) -> None:
        await self.desk.edit(lead_id, jobTitle=new_id().hex)
        self.model.edited.add(lead_id)

    async def delete(self, lead_id: UUID) -> None:
        await self.desk.leads.delete(lead_id)
        self.model.active.remove(lead_id)
        self.model.unwanted.add(lead_id)

    async def merge(self, survivor_id: UUID, pick: Callable[[list[UUID]], UUID]) -> None:
        other_id = pick(sorted(self.model.active - {survivor_id}))
        made = await self.desk.merge(survivor_id, other_id)
        self.model.merges[made.id] = (survivor_id, other_id)
        self.model.active.remove(other_id)

    async def unmerge(self, merge_id: UUID) -> None:
        undone = await self.desk.unmerge(merge_id)
        _, other_id = self.model.merges.pop(merge_id)
        assert undone.other_deleted is (other_id in self.model.deferred)
        if other_id not in self.model.deferred:
            self.model.active.add(other_id)
        self.model.deferred.discard(other_id)

    async def restore(self, lead_id: UUID) -> None:
        await self.desk.leads.restore(lead_id)
        self._restored(lead_id)

    async def restore_in_bulk(self, lead_id: UUID) -> None:
        made = await self.bench.change(action="restore", leadIds=[str(lead_id)])
        self.model.restores[made.id] = lead_id
        self._restored(lead_id)

    def _restored(self, lead_id: UUID) -> None:
        self.model.active.add(lead_id)
        self.model.unwanted.discard(lead_id)

    async def undo_restore(self, changeset_id: UUID) -> None:
        await self.bench.undo(changeset_id)
        lead_id = self.model.restores.pop(changeset_id)
        if not self.model.absorbed(lead_id) and (lead_id in self.model.active or self.model.part(lead_id)):
            self.model.withdraw(lead_id)
            self.model.unwanted.add(lead_id)

    async def undo_import(self, changeset_id: UUID) -> None:
        before = await self.bench.rows()
        await self.bench.undo(changeset_id)
        if self.undone:
            assert await self.bench.rows() == before
            return
        self.undone = True
        for lead_id in self.model.imported - self.model.edited:
            if not self.model.absorbed(lead_id) and (lead_id in self.model.active or self.model.part(lead_id)):
                self.model.withdraw(lead_id)


@pytest.fixture(scope="module")
async def shared(database: Database, settings: Settings, secret_box: SecretBox) -> Desk:
    """One workspace for all examples."""
    return Desk(database, Actor.cli(await new_workspace(database)), EmailInsight())


@settings(max_examples=20, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
async def test_undo_and_merge_in_any_order_lose_nothing_and_revive_nothing(shared: Desk, data: st.DataObject) -> None:
    run = await _begin(shared)
    ours = set(run.model.active)
    created_by_person = ours - run.model.imported
    for _ in range(data.draw(st.integers(4, 12))):
        choices = {name: ids for name, ids in run.choices().items() if ids}
        name = data.draw(st.sampled_from(sorted(choices)))
        lead_id = data.draw(st.sampled_from(choices[name]))
        if name == "merge":
            await run.merge(lead_id, lambda others: data.draw(st.sampled_from(others)))
        else:
            await getattr(run, name)(lead_id)
        assert await active(run.bench) & ours == run.model.active, name

    for lead_id in created_by_person | run.model.edited:
        root = run.model.root(lead_id)
        assert root in run.model.active or root in run.model.unwanted


async def _begin(desk: Desk) -> Run:
    names = [new_id().hex for _ in range(4)]
    created = [await desk.lead(f"{name}@acme.com", company=name) for name in names[:2]]
    imported = [await desk.lead(f"{name}@acme.com", company=name, phone="+442079460958") for name in names[2:]]
    bench = Workbench(desk.leads)
    changeset_id = await bench.created(imported)
    return Run(desk, bench, Model(set(imported), {*created, *imported}), changeset_id)
