"""Two workspaces with a row in every tenant table, made through the verbs that make them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.schema import SchemaItem

from leadflood.domains.enrichment.models import Field
from leadflood.domains.exports import jobs as exports_jobs
from leadflood.domains.figures import service as figures
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.service import api_keys
from leadflood.domains.imports import jobs as imports_jobs
from leadflood.domains.invitations import service as invitations
from leadflood.domains.invitations.contracts import CreateInvitation
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.schema import metadata
from leadflood.kernel.idempotency import IdempotencyKey, KeptAnswer
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.support.identity import Identity
from tests.support.sandbox import shared_sandbox
from tests.support.tenants import new_changeset, new_duplicates, new_export, new_import, new_view

# Its module writes plain SQL.
_KEYS: tuple[SchemaItem, ...] = (
    Column("workspace_id", Uuid, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("fingerprint", LargeBinary),
    Column("answer", LargeBinary),
)
IDEMPOTENCY_KEYS = Table("idempotency_keys", MetaData(), *_KEYS)

TENANT_TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (*metadata.tables.values(), IDEMPOTENCY_KEYS)
    if "workspace_id" in table.c or table.name == "workspaces"
}
APPEND_ONLY = ("audit_events", "lead_events")


def tenant_column(table: Table) -> Column[Any]:
    """The column that tells whose a row is."""
    return table.c["id" if table.name == "workspaces" else "workspace_id"]


def copied(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """A row like this one, with a key and with unique values of its own."""
    fresh = dict(row)
    for column in table.primary_key.columns:
        if column.name == "quarter":
            fresh["quarter"] += timedelta(days=1)
        elif isinstance(column.type, Integer):
            fresh[column.name] += 1
        elif isinstance(column.type, Text):
            fresh[column.name] = new_id().hex
        elif column.name != "workspace_id":
            fresh[column.name] = new_id().bytes if isinstance(column.type, LargeBinary) else new_id()
    if "email_norm" in fresh and isinstance(table.c["email_norm"].type, Text):
        fresh["email_norm"] = f"{new_id().hex}@acme.test"
    if table.name == "enrichment_runs":
        fresh["job_id"] = new_id()
    if table.name == "enrichment_values":
        fresh["chosen"] = False
    return fresh


@dataclass(frozen=True)
class Tenant:
    """A workspace in which something of everything has happened."""

    id: UUID
    access_token: str
    api_key: str


async def new_tenant(identity: Identity) -> Tenant:
    """Somebody signs in, makes a key, and has a lead enriched."""
    database = identity.database
    owner = await identity.new_person()
    workspace_id = await identity.new_workspace(owner)
    actor = await identity.actor(owner, workspace_id)
    access_token = (await identity.login(owner, workspace_id)).access_token
    bench = Bench(database, Actor.cli(workspace_id))
    made = await bench.create()
    await bench.attempt(made.job_id, Scripted("one", [[value(Field.COMPANY_NAME, "Acme")]]))
    key = CreateApiKey.model_validate({"name": "ci", "scopes": ["leads:read"]})
    imports_registry = JobRegistry(imports_jobs.definitions(database, shared_sandbox(), retention_days=30))
    await new_import(database, Actor.cli(workspace_id), imports_registry)
    exports_registry = JobRegistry(exports_jobs.definitions(database))
    await new_export(database, Actor.cli(workspace_id), exports_registry)
    await new_changeset(database, Actor.cli(workspace_id), made.lead_id)
    await new_view(database, workspace_id, owner.id)
    await new_duplicates(database, Actor.cli(workspace_id))
    async with database.transaction(workspace_id) as tx:
        created = await api_keys.create_api_key(tx, actor, key=key)
        wanted = CreateInvitation.model_validate({"email": f"{new_id().hex}@acme.test", "role": "member"})
        await invitations.invite(tx, actor, identity.sealer, command=wanted)
        kept = IdempotencyKey(identity.sealer, workspace_id, new_id().hex, (b"POST",))
        assert await kept.claim(tx) is None
        await kept.keep(tx, KeptAnswer(201, {}, b"{}"))
    await figures.count(database, again=timedelta(minutes=5))
    return Tenant(workspace_id, access_token, created.token)
