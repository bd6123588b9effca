"""A workspace with some of everything in every state, for looking at pages; and an address of each page in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from leadflood.api.app import create_app
from leadflood.api.context import ApiContext
from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.companies import service as companies
from leadflood.domains.companies.contracts import CompanyDomain, SplitCompany
from leadflood.domains.companies.service import domains, merges
from leadflood.domains.duplicates import queries as duplicates
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.events import SCAN_DUPLICATES
from leadflood.domains.duplicates.models import CandidateStatus
from leadflood.domains.duplicates.service import merging, scanning
from leadflood.domains.enrichment import jobs as enrichment_jobs
from leadflood.domains.enrichment import service as enrichment
from leadflood.domains.enrichment.contracts.batches import StartEnrichment
from leadflood.domains.enrichment.engine.memory import MemoryFingerprints
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.enrichment.models import Source
from leadflood.domains.enrichment.service import batches
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.domains.fields import service as fields
from leadflood.domains.fields.contracts import CreateField
from leadflood.domains.identity.contracts import CreateApiKey, Login
from leadflood.domains.identity.service import administration, api_keys, signin
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import RunningJob
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead, NewLead, UpdateLead
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.service import bulk, changesets
from leadflood.domains.lists import service as lists
from leadflood.domains.lists.contracts import CreateList, OneList
from leadflood.domains.notes import service as notes
from leadflood.domains.notes.contracts import WriteNote
from leadflood.domains.stages import queries as stages
from leadflood.domains.tags import service as tags
from leadflood.domains.tags.contracts import TagNames
from leadflood.domains.tasks import service as tasks
from leadflood.domains.tasks.contracts import CreateTask
from leadflood.kernel.actor import SCOPES, Actor, Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.field_types import FieldType
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from leadflood.worker.executor import Executor
from tests.integration.spending.till import Till
from tests.support import cast
from tests.support.canned_web import CannedFetcher
from tests.support.cast_imports import add_imports
from tests.support.desk import Desk
from tests.support.identity import CLI, PASSWORD, Identity, Person, make_operator
from tests.support.shown_profiles import add_profiles, add_rule

LEASE = 3600.0
"""Seconds: what runs in a showcase goes on running."""

_DEAD_LETTER = sql("""
UPDATE outbox_events SET status = 'dead_letter', attempts = 5, processed_at = NULL,
    last_error = 'The queue at 203.0.113.9 did not answer within 5 s.', cause = 'The queue at <host> did not answer.'
WHERE job_id = :job_id
""")
_ENRICHED = sql("""
UPDATE enrichment_batches
SET total = 1240, running = 48, completed = 170, partial = 22, failed = 3, skipped = 310,
    created_at = now() - interval '2 minutes'
WHERE workspace_id = :workspace_id AND id = :id
""")
_REASONS = sql("""
INSERT INTO enrichment_batch_reasons (workspace_id, batch_id, outcome, reason, count)
VALUES (:workspace_id, :id, 'skipped', 'It is enriched, and its facts are fresh.', 310),
       (:workspace_id, :id, 'partial', 'The website does not exist.', 19),
       (:workspace_id, :id, 'partial', 'The website does not let programs read its pages (error …).', 3),
       (:workspace_id, :id, 'failed', 'Every source was away.', 3)
""")
_WORKERS = sql("""
INSERT INTO worker_processes (id, host, pid, version, running_jobs, started_at, last_seen_at)
VALUES (:id, :host, :pid, '0.1.0', :running, now() - interval '3 hours', now())
""")
# A month with days, nights and weekends; slots 6 and 7 of the latencies are a third of a second to more than one.
_PAST = sql("""
WITH past AS (
    SELECT at AS quarter, leads, CASE WHEN number % 13 = 0 THEN leads / 2 ELSE 0 END AS failed
    FROM (
        SELECT at, number, greatest(0, 0.2 + 0.9 * sin(hour / 24.0 * 2 * pi() - 1.9) + number * 7 % 4 * 0.3)::integer
            / CASE WHEN extract(isodow FROM at) > 5 THEN 2 ELSE 1 END AS leads
        FROM (
            SELECT at, number, extract(hour FROM at) + extract(minute FROM at) / 60 AS hour
            FROM generate_series(
                date_bin('15 minutes', now() - interval '30 days', timestamptz '2000-01-01 00:00:00+00'),
                now() - interval '1 hour', interval '15 minutes'
            ) WITH ORDINALITY AS series (at, number)
        ) AS times
    ) AS days
), slots AS (
    INSERT INTO workspace_figures (workspace_id, quarter, latency)
    SELECT :workspace_id, quarter,
        array_fill(0, ARRAY[6]) || ARRAY[(leads - failed + 1) / 2, (leads - failed) / 2] || array_fill(0, ARRAY[17])
    FROM past
)
INSERT INTO workspace_metrics (workspace_id, metric, quarter, value)
SELECT :workspace_id, m.metric, quarter, m.value
FROM past CROSS JOIN LATERAL (VALUES ('leads.created', leads), ('enrichment.completed', leads - failed),
                                     ('enrichment.failed', failed)) AS m (metric, value)
WHERE m.value > 0
""")
_AGE = sql("""
UPDATE leads SET created_at = leads.created_at - age, updated_at = leads.updated_at - age
FROM (
    SELECT id, (row_number() OVER (ORDER BY created_at DESC) - 1) * interval '23 minutes' AS age
    FROM leads WHERE workspace_id = :workspace_id
) AS ages
WHERE workspace_id = :workspace_id AND leads.id = ages.id
""")


@dataclass
class Showcase:
    """Content of the workspace. `links`: paths without a link to them.

    `leads` and `jobs`: ids by the lead's address; `imports`: by their state.
    """

    parts: ApiContext
    workspace_id: UUID
    owner: Person
    viewer: Person
    leads: dict[str, UUID] = field(default_factory=dict)
    jobs: dict[str, UUID] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)
    imports: dict[str, UUID] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Somebody who may do everything in it."""
        return Actor.cli(self.workspace_id)

    async def session(self, person: Person) -> str:
        """The token of a browser in which this person has signed in."""
        identity = Identity(self.parts.database, self.parts.settings, self.parts.secret_box)
        credentials = {"email": person.email, "password": person.password, "workspaceId": str(self.workspace_id)}
        entered = await signin.login_browser(
            self.parts.database,
            self.parts.settings,
            self.parts.secret_box,
            login=Login.model_validate(credentials),
            client=identity.client,
            replaces=None,
        )
        return entered.token

    async def add(self, leads: Sequence[Mapping[str, Any]], token: str) -> None:
        """Leads come in over the API."""
        transport = httpx.ASGITransport(app=create_app(self.parts))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://showcase", headers=headers) as client:
            for lead in leads:
                answer = await client.post("/v1/leads", json=dict(lead))
                assert answer.status_code == httpx.codes.CREATED, answer.text
                self.leads[lead["email"]] = UUID(answer.json()["leadId"])
                self.jobs[lead["email"]] = UUID(answer.json()["jobId"])

    async def plant(self, emails: Sequence[str], *, source: str) -> None:
        """Leads that are there, without having come in over the API."""
        wanted = [
            NewLead(self.actor, CreateLead.model_validate({"email": email, "source": source}), {}) for email in emails
        ]
        async with self.parts.database.transaction(self.workspace_id) as tx:
            await leads.create_leads(tx, workspace_id=self.workspace_id, leads=wanted)

    async def work(self, emails: Sequence[str], sources: Sequence[Source]) -> None:
        """Run one attempt of each of these leads' jobs to its end."""
        engines = SubjectEngines(self.parts.database, lambda _: CannedFetcher(), MemoryFingerprints().hash)
        registry = JobRegistry(enrichment_jobs.definitions(sources, engines))
        for email in emails:
            await Executor(self.parts.database, registry, new_id()).run(await self.claim(email))

    async def claim(self, email: str) -> RunningJob:
        """Begin the first attempt of a lead's job, as a worker does."""
        ticket = QueueMessage(ENRICH_LEAD.name, self.workspace_id, self.jobs[email], 1)
        (job,) = await execution.claim(self.parts.database, [ticket], new_id(), LEASE)
        return job

    async def begin(self, email: str) -> None:
        """A lead is being looked up, and stays so."""
        job = await self.claim(email)
        async with self.parts.database.transaction(self.workspace_id) as tx:
            begun = enrichment.AttemptStart(self.leads[email])
            await enrichment.start(tx, Actor.system(self.workspace_id), [(job, begun)])


async def new_showcase(parts: ApiContext, name: str = "Northwind Traders") -> Showcase:
    """Make one. Addresses of its people are of its own, so that there can be several."""
    identity = Identity(parts.database, parts.settings, parts.secret_box)
    people = {role: await _person(identity, name) for name, role in cast.PEOPLE.items()}
    owner = people[Role.OWNER]
    workspace_id = await identity.new_workspace(owner, name)
    await identity.new_workspace(owner, "Side project 🌱")
    for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER):
        await identity.add(workspace_id, people[role], role)
    await make_operator(parts.database, owner.id)
    await make_operator(parts.database, owner.id)
    showcase = Showcase(parts, workspace_id, owner, people[Role.VIEWER])
    token = await _keys(showcase)
    await _leads(showcase, token)
    await _twins(showcase, token)
    showcase.imports |= await add_imports(Desk(parts.database, parts.registry, showcase.actor))
    await _fields(showcase)
    await _groups(showcase)
    await _companies(showcase)
    await _enrichments(showcase)
    await _spending(showcase)
    await _history(showcase, token)
    showcase.ids["icp"] = await add_profiles(showcase.parts.database, showcase.actor)
    showcase.ids["rule"] = await add_rule(showcase.parts.database, showcase.actor, showcase.ids["icp"])
    await _troubles(showcase)
    return showcase


async def _person(identity: Identity, name: str) -> Person:
    email = f"{name.split(maxsplit=1)[0].lower()}.{new_id().hex[-6:]}@northwind.example"
    user = await administration.create_user(identity.database, CLI, email=email, name=name, password=PASSWORD)
    return Person(user.id, email)


async def _keys(showcase: Showcase) -> str:
    owner = await Identity(showcase.parts.database, showcase.parts.settings, showcase.parts.secret_box).actor(
        showcase.owner, showcase.workspace_id
    )
    names = ("Old landing page", "Zapier", "CRM sync (nightly, do not revoke before the migration is done)", "Web form")
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        made = [await api_keys.create_api_key(tx, owner, key=_key(name)) for name in names]
        await api_keys.revoke_api_key(tx, owner, key_id=made[0].api_key.id)
    return made[-1].token


def _key(name: str) -> CreateApiKey:
    return CreateApiKey.model_validate({"name": name, "scopes": [scope.value for scope in SCOPES]})


async def _leads(showcase: Showcase, token: str) -> None:
    registry = cast.CompanyRegistry()
    await showcase.add(cast.LEADS, token)
    await showcase.work([lead["email"] for lead in cast.LEADS], [EmailInsight(), registry])
    others = [cast.lead(email) for email in (*cast.REFUSED, *cast.WAITING, *cast.RUNNING, *cast.NEW)]
    await showcase.add(others, token)
    await showcase.work([*cast.REFUSED, *cast.WAITING], [registry])
    for email in cast.RUNNING:
        await showcase.begin(email)


async def _twins(showcase: Showcase, token: str) -> None:
    await showcase.add(cast.TWINS, token)
    database, workspace_id = showcase.parts.database, showcase.workspace_id
    async with database.transaction(workspace_id) as tx:
        asked = await scanning.request_scan(tx, showcase.actor, trace={})
    assert asked.job_id
    (job,) = await execution.claim(
        database, [QueueMessage(SCAN_DUPLICATES.name, workspace_id, asked.job_id, 1)], new_id(), LEASE
    )
    await Executor(database, showcase.parts.registry, new_id()).run(job)
    async with database.transaction(workspace_id, read_only=True) as tx:
        found = await duplicates.list_duplicates(tx, showcase.actor, status=CandidateStatus.OPEN, limit=1)
    showcase.ids["duplicate"] = found.items[0].id


async def _fields(showcase: Showcase) -> None:
    """A custom field of each type."""
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        for kind in FieldType:
            given: dict[str, Any] = {"label": f"A {kind.value.replace('_', ' ')}", "type": kind.value}
            given |= {"options": ["Free", "Pro"]} if kind.has_options else {}
            field = await fields.create_field(tx, showcase.actor, command=CreateField.model_validate(given))
            showcase.ids["field"] = field.id


async def _groups(showcase: Showcase) -> None:
    """A lead with tags, on one of two lists."""
    lead_id = showcase.leads[cast.FOUND]
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        names = TagNames.model_validate({"names": ["VIP", "Met at the trade fair in Berlin last May"]})
        found = await tags.add_tags(tx, showcase.actor, lead_id=lead_id, command=names)
        text = "Met at the trade fair.\nWants a demo: https://acme.test/demo 🚀"
        note = WriteNote.model_validate({"text": text})
        showcase.ids["note"] = (await notes.add_note(tx, showcase.actor, lead_id=lead_id, command=note)).id
        for title, due_on in (("Call about the offer", "2020-02-03"), ("Send the contract", None)):
            task = CreateTask.model_validate({"title": title, "dueOn": due_on})
            made = await tasks.create_task(tx, showcase.actor, lead_id=lead_id, command=task, zone=ZoneInfo("UTC"))
            showcase.ids["task"] = made.id
        showcase.ids["stage"] = (await stages.list_stages(tx, showcase.actor))[0].id
        showcase.ids["tag"] = found.items[0].id
        for name in ("Berlin dinner", "Newsletter"):
            command = CreateList.model_validate({"name": name, "description": "Everyone who was invited"})
            showcase.ids["list"] = (await lists.create_list(tx, showcase.actor, command=command)).id
        one = OneList.model_validate({"listId": showcase.ids["list"]}, strict=False)
        await lists.add_lead(tx, showcase.actor, lead_id=lead_id, command=one)


async def _companies(showcase: Showcase) -> None:
    """The company of a lead, with a second domain, and one that was split off."""
    lead_id, actor = showcase.leads[cast.FOUND], showcase.actor
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        linked = await companies.relink(tx, actor, lead_ids=[lead_id])
        company_id = linked[lead_id].company_id
        for domain in ("a-company-with-a-very-long-name-of-many-words.co.uk", "acme-split.com"):
            command = CompanyDomain.model_validate({"domain": domain})
            await domains.add_domain(tx, actor, company_id=company_id, command=command)
        split = SplitCompany.model_validate({"domains": ["acme-split.com"]})
        await merges.split_company(tx, actor, company_id=company_id, command=split)
        showcase.ids["company"] = company_id


async def _enrichments(showcase: Showcase) -> None:
    """An enrichment of all leads that is under way, and a paused one of companies."""
    actor, workspace = showcase.actor, {"workspace_id": showcase.workspace_id}
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        everything = StartEnrichment.model_validate({"matching": {}, "name": "All leads"})
        fair = StartEnrichment.model_validate({"domains": ["acme.com", "globex.de"], "name": "Fair in Cologne"})
        for name, command in (("enrichment", everything), ("enrichment-paused", fair)):
            started = await batches.start(tx, actor, command=command, trace={})
            showcase.ids[name] = started.id
        await batches.pause(tx, actor, batch_id=showcase.ids["enrichment-paused"])
        await tx.execute(_ENRICHED, {**workspace, "id": showcase.ids["enrichment"]})
        await tx.execute(_REASONS, {**workspace, "id": showcase.ids["enrichment"]})


async def _spending(showcase: Showcase) -> None:
    """A budget, and a purchase that was charged."""
    till = Till(showcase.parts.database, showcase.actor)
    await till.price(25_000)
    await till.budget(5_000_000)
    showcase.ids["purchase"] = await till.bought()
    await till.settle(showcase.ids["purchase"], 1)


async def _history(showcase: Showcase, token: str) -> None:
    """Deleted leads of each kind, and changes: one that can be undone, one that is undone and kept something."""
    await showcase.add([cast.lead(email) for email in cast.PAST], token)
    deleted, edited, alone, merged = (showcase.leads[email] for email in cast.PAST)
    identity = Identity(showcase.parts.database, showcase.parts.settings, showcase.parts.secret_box)
    owner = await identity.actor(showcase.owner, showcase.workspace_id)
    survivor = showcase.leads[cast.FOUND]
    async with showcase.parts.database.transaction(showcase.workspace_id) as tx:
        changes = {"action": "set", "changes": {"company": "Acme"}, "leadIds": [str(edited), str(alone)]}
        change = await bulk.change_leads(tx, owner, command=BulkChange.model_validate(changes), trace={})
        edit = UpdateLead.model_validate({"company": "Byron & Co"})
        await leads.update_lead(tx, owner, lead_id=edited, command=edit, expected_version=None)
        await changesets.undo_changeset(tx, owner, LEAD_PARTICIPANTS, changeset_id=change.id, trace={})
        removal = {"action": "delete", "leadIds": [str(deleted), str(edited)]}
        gone = await bulk.change_leads(tx, owner, command=BulkChange.model_validate(removal), trace={})
        await leads.delete_lead(tx, owner, lead_id=alone)
        merge = MergeLeads.model_validate({"survivorId": str(survivor), "otherId": str(merged)})
        await merging.merge(tx, owner, LEAD_PARTICIPANTS, command=merge)
    showcase.ids |= {"change": change.id, "deletion": gone.id, "deleted": deleted, "merged": merged}


async def _troubles(showcase: Showcase) -> None:
    database = showcase.parts.database
    async with database.system() as tx:
        for email in cast.NEW[:2]:
            await tx.execute(_DEAD_LETTER, {"job_id": showcase.jobs[email]})
        for statement in (_PAST, _AGE):
            await tx.execute(statement, {"workspace_id": showcase.workspace_id})
        for pid, running in ((4711, len(cast.RUNNING)), (4712, 0)):
            await tx.execute(_WORKERS, {"id": new_id(), "host": "app-1", "pid": pid, "running": running})
