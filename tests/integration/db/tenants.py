"""Two workspaces with a row in every tenant table, made through the verbs that make them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.exports import jobs as exports_jobs
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.service import api_keys
from leadflood.domains.imports import jobs as imports_jobs
from leadflood.domains.invitations import service as invitations
from leadflood.domains.invitations.contracts import CreateInvitation
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.metrics import service as figures
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import Sql, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.idempotency import IdempotencyKey, StoredResponse
from leadflood.kernel.ids import new_id
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.support.domain_tenants import domain_tenants, populate_all
from tests.support.identity import Identity
from tests.support.sandbox import shared_sandbox
from tests.support.tenants import new_changeset, new_custom_field, new_duplicates, new_export, new_import, new_view

APPEND_ONLY = frozenset({"audit_events", "lead_events", "lead_field_history"}).union(
    *(tenant.append_only for tenant in domain_tenants())
)

# The tables of tenants with their columns in order, each with its type and whether it is part of the key.
_TABLES = sql("""
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns,
       array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
       array_agg(coalesce(a.attnum = ANY (i.indkey), false) ORDER BY a.attnum) AS keyed
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = ''
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = 'leadflood'::regnamespace AND c.relkind IN ('r', 'p')
GROUP BY c.relname HAVING c.relname = 'workspaces' OR 'workspace_id' = ANY (array_agg(a.attname::text))
ORDER BY c.relname
""")


CHECKED = {("enrichment_batch_reasons", "outcome"), ("transfer_entries", "account")}
"""Columns of keys that can have few values."""


@dataclass(frozen=True)
class Table:
    """A table as it is in the database."""

    name: str
    types: Mapping[str, str]
    key: Sequence[str]

    @property
    def owner(self) -> str:
        """The column that tells whose a row is."""
        return "id" if self.name == "workspaces" else "workspace_id"

    def copied(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row like this one, with a key and with unique values of its own."""
        fresh = dict(row)
        for column in self.key:
            same = column == "workspace_id" or (self.name, column) in CHECKED
            fresh[column] = row[column] if same else self._other(column, row[column])
        if self.types.get("email_norm") == "text":
            fresh["email_norm"] = f"{new_id().hex}@acme.test"
        if self.types.get("name_key") == "text":
            fresh["name_key"] = new_id().hex
        if self.name == "enrichment_runs":
            fresh["job_id"] = new_id()
        if self.name == "enrichment_values":
            fresh["chosen"] = False
        return fresh

    def _other(self, column: str, value: Any) -> Any:  # noqa: ANN401  of any type
        of_type: Mapping[str, Any] = {"text": new_id().hex, "bytea": new_id().bytes, "uuid": new_id()}
        kind = self.types[column]
        if kind in of_type:
            return of_type[kind]
        return value + (timedelta(days=1) if kind.startswith("timestamp") else 1)

    async def one(self, tx: Transaction) -> dict[str, Any]:
        """One of its rows."""
        row = await tx.first(Sql(f"SELECT * FROM {self.name} LIMIT 1"))  # noqa: S608  the name of our own table
        assert row is not None, f"no row in {self.name}"
        return dict(row)

    async def insert(self, tx: Transaction, row: Mapping[str, Any]) -> int:
        """Insert a row. Returns how many were inserted."""
        values = {
            name: json.dumps(row[name]) if kind == "jsonb" and row[name] is not None else row[name]
            for name, kind in self.types.items()
        }
        names = ", ".join(f":{name}" for name in self.types)
        statement = f"INSERT INTO {self.name} ({', '.join(self.types)}) VALUES ({names})"  # noqa: S608  as above
        return await tx.changed(Sql(statement), values)

    async def delete(self, tx: Transaction, row: Mapping[str, Any]) -> None:
        """Delete a row."""
        conditions = " AND ".join(f"{name} = :{name}" for name in self.key)
        await tx.execute(Sql(f"DELETE FROM {self.name} WHERE {conditions}"), row)  # noqa: S608  as above


async def tenant_tables(database: Database) -> dict[str, Table]:
    """All tables whose rows belong to a workspace, by name."""
    async with database.statement() as connection:
        rows = await connection.all(_TABLES)
    return {
        row.name: Table(
            row.name,
            dict(zip(row.columns, row.types, strict=True)),
            [column for column, keyed in zip(row.columns, row.keyed, strict=True) if keyed],
        )
        for row in rows
    }


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
    await bench.attempt(made.job_id, Scripted("one", [[value(fields.COMPANY_NAME, "Acme")]]))
    key = CreateApiKey.model_validate({"name": "ci", "scopes": ["leads:read"]})
    imports_registry = JobRegistry(imports_jobs.definitions(database, shared_sandbox(), retention_days=30))
    await new_import(database, Actor.cli(workspace_id), imports_registry)
    exports_registry = JobRegistry(exports_jobs.definitions(database))
    await new_export(database, Actor.cli(workspace_id), exports_registry)
    await new_changeset(database, Actor.cli(workspace_id), made.lead_id)
    await new_custom_field(database, Actor.cli(workspace_id))
    await new_view(database, workspace_id, owner.id)
    await new_duplicates(database, Actor.cli(workspace_id))
    async with database.transaction(workspace_id) as tx:
        created = await api_keys.create_api_key(tx, actor, key=key)
        wanted = CreateInvitation.model_validate({"email": f"{new_id().hex}@acme.test", "role": "member"})
        await invitations.invite(tx, actor, identity.secret_box, command=wanted)
        kept = IdempotencyKey(identity.secret_box, workspace_id, new_id().hex, (b"POST",))
        assert await kept.claim(tx) is None
        await kept.store(tx, StoredResponse(201, {}, b"{}"))
    await figures.aggregate(database, lookback=timedelta(minutes=5))
    await populate_all(database, Actor.cli(workspace_id), {"leads": made.lead_id, "owner": owner.id})
    return Tenant(workspace_id, access_token, created.token)
