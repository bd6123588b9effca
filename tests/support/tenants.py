"""A workspace with one of everything in it, ways to call the API as somebody in it, and a copy of all that it holds."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates import jobs as duplicates_jobs
from leadflood.domains.duplicates import queries as duplicates
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.events import SCAN_DUPLICATES
from leadflood.domains.duplicates.service import merging, scanning
from leadflood.domains.duplicates.store import merge_runs
from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.exports.contracts import CreateExport
from leadflood.domains.exports.events import WRITE_EXPORT
from leadflood.domains.exports.service import files
from leadflood.domains.fields import service as fields
from leadflood.domains.fields.contracts import CreateField
from leadflood.domains.identity import store
from leadflood.domains.identity.models import ACCESS_PREFIX, API_KEY_PREFIX, REFRESH_PREFIX
from leadflood.domains.identity.service import audit
from leadflood.domains.identity.store import sessions as session_store
from leadflood.domains.identity.store.sessions import SessionKey
from leadflood.domains.imports.contracts import MapColumns
from leadflood.domains.imports.events import STAGE_IMPORT
from leadflood.domains.imports.service import lifecycle, mapping, uploads
from leadflood.domains.invitations import service as invitations
from leadflood.domains.invitations.contracts import CreateInvitation
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.events import HEARTBEAT
from leadflood.domains.jobs.models import NewJob, NoPayload
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead, UpdateLead
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.views import CreateView, SetDefaultView
from leadflood.domains.leads.service import bulk, changesets, views
from leadflood.domains.metrics import service as figures
from leadflood.kernel.actor import SCOPES, Actor, ActorKind, Permission, Role
from leadflood.kernel.crypto import SecretBox, hash_password, new_secret_key, new_token, token_hash
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import Sql, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from tests.conftest import new_workspace
from tests.support.domain_tenants import populate_all
from tests.support.identity import PASSWORD
from tests.support.jobs import Jobs
from tests.support.sandbox import shared_sandbox

LIFE = 3600
_PASSWORD_HASH = hash_password(PASSWORD)

_TENANT_TABLES = sql("""
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind = 'r' AND a.attname = 'workspace_id' ORDER BY 1
""")
_KILL_EVENT = sql("""
UPDATE outbox_events SET status = 'dead_letter', attempts = 5, last_error = 'The queue was away.', processed_at = NULL
WHERE job_id = :job_id RETURNING id
""")
_KEEP_ANSWER = sql(
    "INSERT INTO idempotency_keys (workspace_id, key_hash, fingerprint, answer)"
    " VALUES (:workspace_id, :key, :key, :key)"
)
_USED = frozenset({"last_used_at"})
"""Columns that reading may write: when a credential was used last."""


@dataclass(frozen=True)
class Tenant:
    """A workspace, somebody who owns it, and the ids of what is in it.

    Attributes:
        session: an access token of the owner.
        key: an API key of the owner with all scopes.
        ids: one id of each kind: `leads`, `deleted_lead`, `jobs`, `queued_job`, …
    """

    database: Database
    workspace_id: UUID
    owner_id: UUID
    owner_email: str
    session: str
    key: str
    ids: Mapping[str, UUID]


async def new_user(database: Database) -> tuple[UUID, str]:
    """A user in no workspace, with the password `PASSWORD`. Returns id and address."""
    user_id = new_id()
    email = f"u{user_id.hex}@acme.test"
    async with database.system() as tx:
        await store.insert_user(
            tx, user_id=user_id, email=email, email_norm=email, name="Ada", password_hash=_PASSWORD_HASH
        )
    return user_id, email


async def new_member(database: Database, workspace_id: UUID, role: Role) -> UUID:
    """A user with this role in the workspace."""
    user_id, _ = await new_user(database)
    async with database.transaction(workspace_id) as tx:
        await store.insert_member(tx, workspace_id, user_id, role)
    return user_id


async def new_session(
    database: Database, workspace_id: UUID, user_id: UUID, *, seconds: int = LIFE, refresh: str | None = None
) -> tuple[UUID, str]:
    """A session without the slow password check of login. Returns its id and its access token."""
    key, access = SessionKey(workspace_id, new_id(), user_id), new_token(ACCESS_PREFIX)
    renewal = token_hash(refresh or new_token(REFRESH_PREFIX))
    async with database.transaction(workspace_id) as tx:
        await session_store.insert_session(tx, key, ip="192.0.2.7", user_agent="tests", seconds=LIFE, lifetime=LIFE)
        await session_store.insert_tokens(tx, key, access=(token_hash(access), seconds), refresh=(renewal, LIFE))
    return key.id, access


async def new_key(
    database: Database, workspace_id: UUID, user_id: UUID, scopes: Collection[Permission] = SCOPES
) -> tuple[UUID, str]:
    """An API key. Returns its id and its token."""
    key_id, token = new_id(), new_token(API_KEY_PREFIX)
    async with database.transaction(workspace_id) as tx:
        await store.insert_api_key(
            tx,
            workspace_id,
            key_id=key_id,
            name="tests",
            prefix=token[:12],
            token_hash=token_hash(token),
            scopes=sorted(scopes),
            created_by=user_id,
            expires_at=None,
            parent_id=None,
        )
    return key_id, token


async def new_tenant(database: Database, registry: JobRegistry) -> Tenant:
    """A workspace with at least one row in every table of tenants."""
    workspace_id = await new_workspace(database)
    owner_id, email = await new_user(database)
    async with database.transaction(workspace_id) as tx:
        await store.insert_member(tx, workspace_id, owner_id, Role.OWNER)
    session_id, session = await new_session(database, workspace_id, owner_id)
    _, key = await new_key(database, workspace_id, owner_id)
    ids = {
        "workspace": workspace_id,
        "owner": owner_id,
        "own_session": session_id,
        "sessions": (await new_session(database, workspace_id, owner_id))[0],
        "members": await new_member(database, workspace_id, Role.MEMBER),
        "api-keys": (await new_key(database, workspace_id, owner_id))[0],
    }
    actor = Actor.cli(workspace_id)
    ids |= await _leads(database, actor, registry, owner_id)
    ids["exports"] = await new_export(database, actor, registry)
    ids["imports"] = await new_import(database, actor, registry)
    ids["changesets"] = await new_changeset(database, actor, ids["leads"])
    ids["deleted-leads"] = await new_deleted_lead(database, actor)
    ids["custom-fields"] = await new_custom_field(database, actor)
    ids["views"] = await new_view(database, workspace_id, owner_id)
    ids |= await new_duplicates(database, actor)
    async with database.transaction(workspace_id) as tx:
        ids |= await _jobs(tx, actor, registry)
        ids["invitations"] = await _invitation(tx, actor)
        ids["audit-events"] = await audit_event(tx, actor, ids["leads"])
        await tx.execute(_KEEP_ANSWER, {"workspace_id": workspace_id, "key": new_id().bytes})
    await figures.aggregate(database, lookback=timedelta(minutes=5))
    ids = await populate_all(database, actor, ids)
    return Tenant(database, workspace_id, owner_id, email, session, key, ids)


async def new_import(database: Database, actor: Actor, registry: JobRegistry) -> UUID:
    """An import of one row, mapped and previewed. Returns its id."""

    async def body() -> AsyncIterator[bytes]:
        yield b"email,name\nhopper@acme.com,Grace Hopper\n"

    import_id = await uploads.upload(
        database,
        shared_sandbox(),
        actor,
        filename="leads.csv",
        stream=body(),
        declared=None,
        limit=1_000_000,
        quota=10**10,
    )
    command = MapColumns.model_validate({"targets": ["email", "fullName"]})
    async with database.transaction(actor.workspace_id) as tx:
        await mapping.map_columns(tx, actor, import_id=import_id, command=command)
        staged = await lifecycle.preview_import(tx, actor, import_id=import_id, trace={})
    assert staged.job_id
    await Jobs(database, actor.workspace_id, STAGE_IMPORT).attempt(registry, staged.job_id)
    return import_id


async def new_export(database: Database, actor: Actor, registry: JobRegistry) -> UUID:
    """A file of the workspace's leads, ready. Returns its id."""
    async with database.transaction(actor.workspace_id) as tx:
        view = await files.request_export(tx, actor, command=CreateExport(), trace={})
    jobs_of = Jobs(database, actor.workspace_id, WRITE_EXPORT)
    (job,) = await jobs_of.rows("SELECT job_id FROM exports WHERE id = :id", id=view.id)
    await jobs_of.attempt(registry, job.job_id)
    return view.id


async def new_changeset(database: Database, actor: Actor, lead_id: UUID) -> UUID:
    """A change of a lead that was undone, but for a field that was edited since. Returns its id."""
    command = BulkChange.model_validate(
        {"action": "set", "changes": {"jobTitle": "Head", "country": "DE"}, "leadIds": [str(lead_id)]}
    )
    async with database.transaction(actor.workspace_id) as tx:
        made = await bulk.change_leads(tx, actor, command=command, trace={})
        edit = UpdateLead.model_validate({"jobTitle": "Chief"})
        await leads.update_lead(tx, actor, lead_id=lead_id, command=edit, expected_version=None)
        await changesets.undo_changeset(tx, actor, LEAD_PARTICIPANTS, changeset_id=made.id, trace={})
    return made.id


async def new_deleted_lead(database: Database, actor: Actor) -> UUID:
    """A lead that was deleted. Returns its id."""
    command = CreateLead.model_validate({"email": "deleted@acme.test"})
    async with database.transaction(actor.workspace_id) as tx:
        made = await leads.create_lead(tx, actor, command=command, trace={})
        await leads.delete_lead(tx, actor, lead_id=made.lead_id)
    return made.lead_id


async def new_duplicates(database: Database, actor: Actor) -> dict[str, UUID]:
    """A pair that waits for a decision, a merge, and a merge of all certain pairs. Returns the id of each."""
    scanned = JobRegistry(duplicates_jobs.definitions(database, LEAD_PARTICIPANTS))
    async with database.transaction(actor.workspace_id) as tx:
        one, two, three = [
            (
                await leads.create_lead(
                    tx, actor, command=CreateLead.model_validate({"email": f"kay{tag}@acme.test"}), trace={}
                )
            ).lead_id
            for tag in ("", "+1", "+2")
        ]
        scan = await scanning.request_scan(tx, actor, trace={})
    assert scan.job_id
    await Jobs(database, actor.workspace_id, SCAN_DUPLICATES).attempt(scanned, scan.job_id)
    async with database.transaction(actor.workspace_id) as tx:
        command = MergeLeads.model_validate({"survivorId": str(one), "otherId": str(three)})
        merge = await merging.merge(tx, actor, LEAD_PARTICIPANTS, command=command)
        run_id = new_id()
        await merge_runs.insert(tx, actor, run_id=run_id, job_id=new_id(), total=1)
        waiting = await duplicates.list_duplicates(tx, actor, limit=10)
    (pair,) = [item for item in waiting.items if {lead.id for lead in item.leads} == {one, two}]
    return {"duplicates": pair.id, "merges": merge.id, "merge-runs": run_id}


async def new_custom_field(database: Database, actor: Actor) -> UUID:
    """A custom field, and a lead with values of two. Returns the id of the field."""
    command = CreateLead.model_validate({"email": "fields@acme.test", "customFields": {"plan": "pro", "seats": 3}})
    async with database.transaction(actor.workspace_id) as tx:
        field = CreateField.model_validate({"label": "Plan", "key": "plan"})
        made = await fields.create_field(tx, actor, command=field)
        await leads.create_lead(tx, actor, command=command, trace={})
    return made.id


async def new_view(database: Database, workspace_id: UUID, user_id: UUID) -> UUID:
    """A saved view of a person, with which they open the list of leads. Returns its id."""
    actor = Actor(ActorKind.USER, workspace_id, frozenset(Permission), user_id=user_id)
    async with database.transaction(workspace_id) as tx:
        view = await views.create_view(tx, actor, command=CreateView.model_validate({"name": "All"}))
        await views.set_default_view(tx, actor, command=SetDefaultView.model_validate({"viewId": view.id}))
    return view.id


async def _invitation(tx: Transaction, actor: Actor) -> UUID:
    wanted = CreateInvitation.model_validate({"email": f"{new_id().hex}@acme.test", "role": "member"})
    return (await invitations.invite(tx, actor, SecretBox(new_secret_key()), command=wanted)).id


async def audit_event(tx: Transaction, actor: Actor, subject_id: UUID) -> UUID:
    """An audit event about something. Returns its id."""
    await audit.record(tx, actor, action="lead.exported", subject_type="lead", subject_id=subject_id)
    found: UUID = await tx.scalar(sql("SELECT id FROM audit_events ORDER BY id DESC LIMIT 1"))
    return found


async def _leads(database: Database, actor: Actor, registry: JobRegistry, owner_id: UUID) -> dict[str, UUID]:
    """A lead that was enriched, and a deleted one."""
    wanted = {
        "email": "ada.lovelace@gmail.com",
        "ownerId": str(owner_id),
        "source": "form",
        "company": "Acme",
        "customFields": {"plan": "pro", "seats": 3},
    }
    async with database.transaction(actor.workspace_id) as tx:
        lead = await leads.create_lead(tx, actor, command=CreateLead.model_validate(wanted), trace={})
        gone = await leads.create_lead(
            tx, actor, command=CreateLead.model_validate({"email": "grace@acme.com"}), trace={}
        )
        await leads.delete_lead(tx, actor, lead_id=gone.lead_id)
    await Jobs(database, actor.workspace_id, ENRICH_LEAD).attempt(registry, lead.job_id)
    return {"leads": lead.lead_id, "deleted_lead": gone.lead_id, "done_job": lead.job_id}


async def _jobs(tx: Transaction, actor: Actor, registry: JobRegistry) -> dict[str, UUID]:
    """A failed job, a queued one, and an outbox event that is dead."""
    failed, queued = await jobs.enqueue(tx, actor, jobs=[NewJob(HEARTBEAT, NoPayload())] * 2)
    await jobs.cancel_job(tx, actor, registry, job_id=failed)
    event_id: UUID = await tx.scalar(_KILL_EVENT, {"job_id": queued})
    return {"jobs": failed, "queued_job": queued, "outbox-events": event_id}


async def holdings(database: Database, workspace_id: UUID, *, without: Collection[str] = ()) -> dict[str, list[str]]:
    """Every row of every table of a workspace, its users included, as text. `without`: columns to leave out."""
    async with database.system(read_only=True) as tx:
        names = tuple(row[0] for row in await tx.all(_TENANT_TABLES))
        found: dict[str, list[str]] = {name: [] for name in (*names, "workspaces", "users")}
        for row in await tx.all(_everything(names), {"id": workspace_id, "without": list(without)}):
            found[row.name].append(row.content)
        found["tickets"] = [str(await tx.scalar(sql("SELECT count(*) FROM leadflood_queue.tickets")))]
    return found


@cache
def _everything(names: tuple[str, ...]) -> Sql:
    """One statement for all tables: one each would take most of the time of the tests that compare all there is."""
    members = "id IN (SELECT user_id FROM memberships WHERE workspace_id = :id)"
    places = [*((name, "workspace_id = :id") for name in names), ("workspaces", "id = :id"), ("users", members)]
    parts = [
        f"SELECT '{name}' AS name, (to_jsonb(t) - :without::text[])::text AS content FROM {name} t WHERE {place}"  # noqa: S608  names of our own tables
        for name, place in places
    ]
    return Sql(" UNION ALL ".join(parts) + " ORDER BY 1, 2")


async def unread(database: Database, workspace_id: UUID) -> dict[str, list[str]]:
    """As `holdings`, but for what reading may write: when a credential was used last."""
    return await holdings(database, workspace_id, without=_USED)


def bearer(token: str) -> dict[str, str]:
    """The header of a credential."""
    return {"Authorization": f"Bearer {token}"}
