"""SQL that writes keys of providers and the settings of sources."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.sealed_columns import SealedColumn

_CONTEXT: Final = "provider key"

PROVIDER_KEYS: Final = SealedColumn(
    name="provider keys",
    table=sql("provider_keys"),
    column=sql("sealed"),
    key=sql("t.workspace_id::text || ' ' || t.provider"),
    context=sql("convert_to('provider key ' || t.workspace_id::text || ' ' || t.provider || ' ' || t.origin, 'UTF8')"),
)

# Store the key of a provider.
SET_KEY = sql("""
INSERT INTO provider_keys AS k (workspace_id, provider, origin, sealed, last4, credential)
VALUES (:workspace_id, :provider, :origin, :sealed, :last4, :credential)
ON CONFLICT (workspace_id, provider) DO UPDATE
SET origin = excluded.origin, sealed = excluded.sealed, last4 = excluded.last4, credential = excluded.credential,
    set_at = now()
""")

# Delete the key of a provider, and disable its sources.
CLEAR_KEY = sql("""
WITH disabled AS (
    UPDATE source_settings SET enabled = false, updated_at = now()
    WHERE workspace_id = :workspace_id AND provider = :provider AND enabled
)
DELETE FROM provider_keys WHERE workspace_id = :workspace_id AND provider = :provider
""")

# Enable or disable a source.
SET_ENABLED = sql("""
INSERT INTO source_settings AS s (workspace_id, source, provider, enabled)
VALUES (:workspace_id, :source, :provider, :enabled)
ON CONFLICT (workspace_id, source) DO UPDATE SET enabled = excluded.enabled, updated_at = now()
""")


# Define a source. A key for another origin is deleted, and the source disabled.
DEFINE = sql("""
WITH cleared AS (
    DELETE FROM provider_keys WHERE workspace_id = :workspace_id AND provider = :source AND origin <> :origin
    RETURNING provider
)
INSERT INTO source_settings AS s (workspace_id, source, provider, definition)
VALUES (:workspace_id, :source, :source, :definition::jsonb)
ON CONFLICT (workspace_id, source) DO UPDATE
SET definition = excluded.definition, updated_at = now(), enabled = s.enabled AND NOT EXISTS (SELECT FROM cleared)
RETURNING enabled, EXISTS (SELECT FROM cleared) AS key_cleared
""")

# Delete a source that the workspace has defined, with its key.
DELETE = sql("""
WITH cleared AS (DELETE FROM provider_keys WHERE workspace_id = :workspace_id AND provider = :source)
DELETE FROM source_settings WHERE workspace_id = :workspace_id AND source = :source AND definition IS NOT NULL
""")


def key_context(workspace_id: UUID, provider: str, origin: str) -> bytes:
    """Context of an encrypted key: a key that is copied to another workspace, provider or origin is not readable."""
    return f"{_CONTEXT} {workspace_id} {provider} {origin}".encode()


async def set_key(
    tx: Transaction, workspace_id: UUID, provider: str, *, origin: str, sealed: bytes, last4: str, credential: str
) -> None:
    """Store the key of a provider in place of the former one."""
    values = {"origin": origin, "sealed": sealed, "last4": last4, "credential": credential}
    await tx.execute(SET_KEY, {"workspace_id": workspace_id, "provider": provider, **values})


async def clear_key(tx: Transaction, workspace_id: UUID, provider: str) -> bool:
    """Delete the key of a provider, and disable its sources. False if it has none."""
    return await tx.changed(CLEAR_KEY, {"workspace_id": workspace_id, "provider": provider}) > 0


async def define(
    tx: Transaction, workspace_id: UUID, source: str, *, origin: str, definition: Mapping[str, Any]
) -> Row:
    """Define a source. Returns `enabled`, and `key_cleared`: whether its key was for another origin."""
    values = {"source": source, "origin": origin, "definition": json.dumps(definition)}
    (row,) = await tx.all(DEFINE, {"workspace_id": workspace_id, **values})
    return row


async def delete(tx: Transaction, workspace_id: UUID, source: str) -> bool:
    """Delete a defined source with its key. False if there is none."""
    return await tx.changed(DELETE, {"workspace_id": workspace_id, "source": source}) > 0


async def set_enabled(tx: Transaction, workspace_id: UUID, source: str, *, provider: str, enabled: bool) -> None:
    """Enable or disable a source."""
    values = {"provider": provider, "enabled": enabled}
    await tx.execute(SET_ENABLED, {"workspace_id": workspace_id, "source": source, **values})
