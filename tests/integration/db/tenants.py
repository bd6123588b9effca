"""Two workspaces with a row in every tenant table, made through the verbs that make them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.schema import SchemaItem

from leadflood.domains.enrichment.models import Field
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.service import api_keys
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.schema import metadata
from leadflood.kernel.idempotency import IdempotencyKey, KeptAnswer
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.support.identity import Identity

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
        if column.name != "workspace_id":
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
    async with database.transaction(workspace_id) as tx:
        created = await api_keys.create_api_key(tx, actor, key=key)
        kept = IdempotencyKey(identity.sealer, workspace_id, new_id().hex, (b"POST",))
        assert await kept.claim(tx) is None
        await kept.keep(tx, KeptAnswer(201, {}, b"{}"))
    return Tenant(workspace_id, access_token, created.token)
