"""SQL that reads keys of providers and the settings of sources."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.contracts.http_sources import DefinedSourceView, DefineSource
from leadflood.domains.enrichment.contracts.language_models import ModelEndpointView, SetModelEndpoint
from leadflood.domains.enrichment.errors import ModelMissing, SourceNotFound
from leadflood.domains.enrichment.models.model_endpoints import LANGUAGE_MODEL
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Sources with their settings and the keys of their providers, in the order in which they were first set up.
SETTINGS = sql("""
SELECT s.source, s.provider, s.enabled, s.definition, s.updated_at, k.origin, k.sealed, k.last4, k.credential, k.set_at
FROM source_settings s
LEFT JOIN provider_keys k ON k.workspace_id = s.workspace_id AND k.provider = s.provider
WHERE s.workspace_id = :workspace_id AND (s.enabled OR NOT :enabled)
ORDER BY s.source
""")

# The keys of providers, without the keys.
KEYS = sql("SELECT provider, origin, last4, credential, set_at FROM provider_keys WHERE workspace_id = :workspace_id")

# The key of a provider.
KEY = sql("""
SELECT provider, origin, last4, credential, set_at, sealed FROM provider_keys
WHERE workspace_id = :workspace_id AND provider = :provider
""")

# Those of the sources that were enabled once, and are disabled now.
DISABLED = sql("""
SELECT source FROM source_settings
WHERE workspace_id = :workspace_id AND source = ANY (:sources::text[]) AND NOT enabled
""")


@dataclass(frozen=True, slots=True)
class StoredKey:
    """The key of a provider, still encrypted.

    Attributes:
        origin: scheme, host and port that it is for.
        last4: its last four characters.
        credential: name of its rate and breaker.
        sealed: empty where it was not asked for.
    """

    provider: str
    origin: str
    last4: str
    credential: str
    set_at: datetime
    sealed: bytes = b""


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """Settings of a source. `definition`: of one that the workspace has defined. `key`: of its provider."""

    source: str
    provider: str
    enabled: bool
    definition: Any
    updated_at: datetime
    key: StoredKey | None


def credential_gate(workspace_id: UUID, source: str, key: StoredKey | None) -> str:
    """Name of the rate and breaker of a source under one key; without one, of the workspace."""
    return f"{source}:{workspace_id if key is None else key.credential}"


async def source_settings(
    tx: Transaction, workspace_id: UUID, *, enabled_only: bool = False
) -> Sequence[StoredSettings]:
    """The settings of the workspace's sources."""
    rows = await tx.all(SETTINGS, {"workspace_id": workspace_id, "enabled": enabled_only})
    return [
        StoredSettings(
            row.source,
            row.provider,
            row.enabled,
            row.definition,
            row.updated_at,
            None
            if row.sealed is None
            else StoredKey(row.provider, row.origin, row.last4, row.credential, row.set_at, row.sealed),
        )
        for row in rows
    ]


async def defined_source(tx: Transaction, actor: Actor, *, source: str) -> DefinedSourceView:
    """The definition of a source of the workspace's own. Raises: SourceNotFound."""
    settings = await source_settings(tx, actor.workspace_id)
    found = next((each for each in settings if each.source == source and each.definition is not None), None)
    if found is None or source == LANGUAGE_MODEL:
        raise SourceNotFound
    origin = DefineSource.model_validate(found.definition).definition(source).origin
    return DefinedSourceView(
        name=source, origin=origin, enabled=found.enabled, key_cleared=False, definition=found.definition
    )


async def language_model(tx: Transaction, actor: Actor) -> ModelEndpointView:
    """The language model of the workspace. Raises: ModelMissing."""
    actor.require(LEADS_READ)
    settings = await source_settings(tx, actor.workspace_id)
    found = next((each for each in settings if each.source == LANGUAGE_MODEL), None)
    if found is None:
        raise ModelMissing
    command = SetModelEndpoint.model_validate(found.definition)
    return ModelEndpointView.of(command, enabled=found.enabled, key_cleared=False)


async def provider_key(tx: Transaction, workspace_id: UUID, provider: str) -> StoredKey | None:
    """The key of a provider, still encrypted."""
    row = await tx.first(KEY, {"workspace_id": workspace_id, "provider": provider})
    return None if row is None else StoredKey(**dict(row))


async def provider_keys(tx: Transaction, workspace_id: UUID) -> dict[str, StoredKey]:
    """The keys that the workspace has, by provider; none of them can be read."""
    rows = await tx.all(KEYS, {"workspace_id": workspace_id})
    return {row.provider: StoredKey(row.provider, row.origin, row.last4, row.credential, row.set_at) for row in rows}


async def disabled_sources(tx: Transaction, workspace_id: UUID, sources: Iterable[str]) -> set[str]:
    """Those of the sources that the workspace has disabled, or whose key it has deleted."""
    rows = await tx.all(DISABLED, {"workspace_id": workspace_id, "sources": sorted(set(sources))})
    return {row.source for row in rows}
