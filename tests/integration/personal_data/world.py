"""Plants a person into every feature, and looks for what is left."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.enrichment import invariants as enrichment_invariants
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.exports.contracts import CreateExport
from leadflood.domains.exports.models import Selection
from leadflood.domains.exports.service import files, streaming
from leadflood.domains.jobs import invariants as jobs_invariants
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.contracts.personal_data import ErasureView, PersonalDataView
from leadflood.domains.leads.contracts.views import CreateView
from leadflood.domains.leads.service import bulk, personal_data, views
from leadflood.domains.leads.service.personal_data import Who
from leadflood.kernel.actor import Actor, ActorKind, Permission, Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.email_address import parse_email
from tests.integration.duplicates.desk import Desk
from tests.integration.enrichment.bench import Scripted, value
from tests.integration.leads.workbench import Workbench
from tests.support.desk import Desk as ImportDesk
from tests.support.desk import csv_of
from tests.support.tenants import holdings, new_member

CANARIES: Final = ("quokka", "2079460958")
"""Parts that all values of the person contain. Nothing else in the workspace has them."""
EMAIL: Final = "ada.quokka@acme.com"
FIELDS: Final[Mapping[str, Any]] = {
    "firstName": "Quokkafirst",
    "lastName": "Quokkalast",
    "company": "Quokkacorp",
    "jobTitle": "Quokkatitle",
    "phone": "+442079460958",
    "website": "quokkasite.com",
    "customFields": {"note": "Quokkanote\nmore"},
}
COLUMNS: Final = ["email", "firstName", "lastName", "company", "jobTitle", "phone"]
_ROW: Final = ["Quokkafirst", "Quokkalast", "Quokkacorp", "Quokkatitle", "+442079460958"]


@dataclass(frozen=True)
class World:
    """One workspace."""

    desk: Desk
    imports: ImportDesk

    @property
    def database(self) -> Database:
        return self.desk.database

    @property
    def actor(self) -> Actor:
        return self.desk.actor

    @property
    def bench(self) -> Workbench:
        return Workbench(self.desk.leads)

    async def person(self, email: str = EMAIL) -> UUID:
        """A lead of the person, with every field, enriched, and with a failed job whose error names the person."""
        made = await self.desk.leads.create(email, **FIELDS)
        found = Scripted("found", [[value(fields.COMPANY_NAME, "Quokkafound", url="https://quokka.example")]])
        await self.desk.bench.attempt(made.job_id, found)
        refuses = Scripted("refuses", [Terminal("Nothing is known of Quokkafirst Quokkalast.")])
        await self.desk.bench.attempts(await self.desk.bench.again(made.lead_id), refuses)
        await self.desk.bench.again(made.lead_id)
        return made.lead_id

    async def file(self, rows: Sequence[Sequence[str]], *, name: str = "leads.csv") -> UUID:
        """An import with these rows, previewed."""
        import_id = await self.imports.upload(csv_of([COLUMNS, *rows]), name)
        await self.imports.map(import_id, COLUMNS)
        assert (await self.imports.preview(import_id)).status == "previewed"
        return import_id

    @staticmethod
    def row(email: str = EMAIL) -> list[str]:
        """A row of a file about the person."""
        return [email, *_ROW]

    async def export(self) -> UUID:
        """A file of all leads, ready."""
        command = CreateExport.model_validate({"filter": {}})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            view = await files.request_export(tx, self.actor, command=command, trace={})
        (job,) = await self.desk.jobs.rows("SELECT job_id FROM exports WHERE id = :id", id=view.id)
        await self.imports.attempt(job.job_id)
        return view.id

    async def everywhere(self) -> UUID:
        """The person in every feature. Returns the lead."""
        await self._imports()
        lead_id = await self.person("old.quokka@acme.com")
        await self.desk.edit(lead_id, email="ada.quokka@acme.com", customFields={"other": "Quokkaother"})
        other_id = await self.person("ada.quokka+news@acme.com")
        await self.desk.scan()
        await self.desk.merge(lead_id, other_id)
        for survivor, other in (
            (await self.desk.lead("bob@acme.com"), lead_id),
            (lead_id, await self.desk.lead("eve@acme.com")),
        ):
            await self.desk.unmerge((await self.desk.merge(survivor, other)).id)
        async with self.database.transaction(self.actor.workspace_id) as tx:
            change = {"action": "set", "changes": {"company": "Quokkachanged"}, "leadIds": [str(lead_id)]}
            await bulk.change_leads(tx, self.actor, command=BulkChange.model_validate(change), trace={})
            wanted = {"action": "set", "changes": {"country": "GB"}, "matching": {"q": EMAIL}, "expectedCount": 1}
            await bulk.change_leads(tx, self.actor, command=BulkChange.model_validate(wanted), trace={})
        await self._exports()
        await self._view()
        return lead_id

    async def _imports(self) -> None:
        rows = [self.row("ada.quokka@acme.com"), ["carl@acme.com", "Carl", "", "", "", ""]]
        await self.imports.commit(await self.file(rows, name="Quokkafirst Quokkalast.csv"))
        (lead,) = [item for item in await self.imports.leads() if item["email"] == EMAIL]
        await self.desk.leads.delete(lead["id"])
        again = [self.row(), self.row(), ["not an address", *_ROW], ["dora@acme.com", "Dora", "", "", "", ""]]
        await self.file(again)
        await self.imports.upload(csv_of([COLUMNS, self.row()]))

    async def _exports(self) -> None:
        await self.export()
        filters = LeadFilter(q="quokkafirst quokkalast")
        async with self.database.transaction(self.actor.workspace_id) as tx:
            command = CreateExport.model_validate({"filter": {"q": EMAIL}})
            await files.request_export(tx, self.actor, command=command, trace={})
        layout, selection = CreateExport().layout, Selection(filters)
        stream = await streaming.open_stream(
            self.database, self.actor, selection=selection, layout=layout, max_count=None
        )
        assert [piece async for piece in stream.pieces()]

    async def _view(self) -> None:
        user_id = await new_member(self.database, self.actor.workspace_id, Role.MEMBER)
        member = Actor(ActorKind.USER, self.actor.workspace_id, frozenset(Permission), user_id=user_id)
        command = CreateView.model_validate({"name": "Quokkafirst Quokkalast", "filter": {"q": EMAIL}})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await views.create_view(tx, member, command=command)

    async def erase(self, who: UUID | str, *, dry_run: bool = False, killed: bool = False) -> ErasureView:
        """`killed`: the process ends before the commit."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            erased = await personal_data.erase_person(tx, self.actor, LEAD_PARTICIPANTS, who=_who(who), dry_run=dry_run)
            if killed:
                raise RuntimeError
            return erased

    def elsewhere(self, workspace_id: UUID) -> "World":
        """The same in another workspace."""
        actor = Actor.cli(workspace_id)
        return World(
            Desk(self.database, actor, self.desk.adapter), ImportDesk(self.database, self.imports.registry, actor)
        )

    async def copy(self, who: UUID | str) -> PersonalDataView:
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await personal_data.export_personal_data(tx, self.actor, LEAD_PARTICIPANTS, who=_who(who))

    async def violations(self) -> list[str]:
        """Violations of the invariants of jobs, enrichment and merges in this workspace."""
        async with self.database.system(read_only=True) as tx:
            found = [line for item in (jobs_invariants, enrichment_invariants) for line in await item.violations(tx)]
        ids = [row["id"] for table in ("leads", "job_executions", "outbox_events") for row in await self.stored(table)]
        return [line for line in found if any(item in line for item in ids)] + await self.desk.violations()

    async def holdings(self) -> dict[str, list[str]]:
        """Every row of the workspace."""
        return await holdings(self.database, self.actor.workspace_id)

    async def stored(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table."""
        return [json.loads(row) for row in (await self.holdings())[table]]

    async def traces(self) -> dict[str, list[str]]:
        """Every row of the workspace that names the person, files included."""
        stored = await self.holdings()
        wanted = [form for canary in CANARIES for form in (canary, canary.encode().hex())]
        found = {
            table: [row for row in rows if any(form in row.lower() for form in wanted)]
            for table, rows in stored.items()
        }
        return {table: rows for table, rows in found.items() if rows}


def _who(who: UUID | str) -> Who:
    return who if isinstance(who, UUID) else parse_email(who)
