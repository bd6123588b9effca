"""Verbs on sources with keys: set and clear a key, enable and disable a source."""

import re
from typing import Final

from leadflood.domains.enrichment.contracts.http_sources import NAME, DefinedSourceView, DefineSource
from leadflood.domains.enrichment.contracts.language_models import ModelEndpointView, SetModelEndpoint
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey, SourceKeyView
from leadflood.domains.enrichment.errors import (
    KeyMissing,
    ModelMissing,
    PriceMissing,
    SourceNameInvalid,
    SourceNotFound,
    SourceWithoutKey,
)
from leadflood.domains.enrichment.events import SOURCE, EnrichmentAuditAction
from leadflood.domains.enrichment.models.model_endpoints import LANGUAGE_MODEL
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.models.sources import Charge, Source
from leadflood.domains.enrichment.permissions import SOURCES_WRITE
from leadflood.domains.enrichment.queries.source_settings import provider_keys, source_settings
from leadflood.domains.enrichment.registry import free_names, provider_of
from leadflood.domains.enrichment.service.workspace_sources import defined_providers
from leadflood.domains.enrichment.store import source_settings as store
from leadflood.domains.enrichment.store.source_settings import key_context
from leadflood.domains.identity.service import audit
from leadflood.domains.spending.queries import price_of
from leadflood.kernel.actor import Actor
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.door.errors import TargetRefused
from leadflood.kernel.door.features import LIMITS, Feature
from leadflood.kernel.door.targets import InternalHosts, parse_target
from leadflood.kernel.errors import FieldError, InvalidInput

_BY_OPERATOR: Final = (
    "Only servers that the operator allows can be asked without encryption, without a key or in a private network:"
    " LEADFLOOD_INTERNAL_HOSTS=model=HOST:PORT."
)
_LAST: Final = 4
_CREDENTIAL: Final = 16
"""Hexadecimal digits that name the rate and breaker of a key."""


async def set_key(
    tx: Transaction, actor: Actor, secret_box: SecretBox, *, source: str, command: SetSourceKey
) -> SourceKeyView:
    """Store the key of a source's provider, in place of the former one. It serves all sources of the provider.

    Raises: SourceNotFound, SourceWithoutKey, ModelMissing.
    """
    actor.require(SOURCES_WRITE)
    provider, _ = await find_source(tx, actor, source)
    key = command.key
    workspace_id = actor.workspace_id
    await store.set_key(
        tx,
        workspace_id,
        provider.name,
        origin=provider.origin,
        sealed=secret_box.encrypt(key.encode(), key_context(workspace_id, provider.name, provider.origin)),
        last4=key[-_LAST:],
        credential=secret_box.fingerprint(b"credential", workspace_id.bytes, key.encode()).hex()[:_CREDENTIAL],
    )
    await _record(tx, actor, EnrichmentAuditAction.SOURCE_KEY_SET, source)
    stored = (await provider_keys(tx, workspace_id))[provider.name]
    names = [each.spec.name for each in provider.sources("")]
    return SourceKeyView(provider=provider.name, sources=names, last4=stored.last4, set_at=stored.set_at)


async def clear_key(tx: Transaction, actor: Actor, *, source: str) -> None:
    """Delete the key of a source's provider, and disable its sources.

    Raises: SourceNotFound, SourceWithoutKey, KeyMissing.
    """
    actor.require(SOURCES_WRITE)
    provider, _ = await find_source(tx, actor, source)
    if not await store.clear_key(tx, actor.workspace_id, provider.name):
        raise KeyMissing
    await _record(tx, actor, EnrichmentAuditAction.SOURCE_KEY_CLEARED, source)


async def change(tx: Transaction, actor: Actor, *, source: str, command: ChangeSource) -> None:
    """Enable or disable a source. Enabling needs the key of its provider, and a price if it charges.

    Raises: SourceNotFound, SourceWithoutKey, ModelMissing, KeyMissing, PriceMissing.
    """
    actor.require(SOURCES_WRITE)
    provider, found = await find_source(tx, actor, source)
    if command.enabled:
        if provider.needs_key and provider.name not in await provider_keys(tx, actor.workspace_id):
            raise KeyMissing
        if found.spec.charges is not Charge.NEVER and await price_of(tx, actor, source=source) is None:
            raise PriceMissing(found.spec.label)
    await store.set_enabled(tx, actor.workspace_id, source, provider=provider.name, enabled=command.enabled)
    action = EnrichmentAuditAction.SOURCE_ENABLED if command.enabled else EnrichmentAuditAction.SOURCE_DISABLED
    await _record(tx, actor, action, source)


async def define(tx: Transaction, actor: Actor, *, source: str, command: DefineSource) -> DefinedSourceView:
    """Define a source, or replace its definition. Its key is deleted if it was for another scheme, host or port.

    Raises: SourceNameInvalid.
    """
    actor.require(SOURCES_WRITE)
    if not re.fullmatch(NAME, source):
        raise SourceNameInvalid
    definition = command.model_dump(mode="json", by_alias=True)
    origin = command.definition(source).origin
    row = await store.define(tx, actor.workspace_id, source, origin=origin, definition=definition)
    await _record(tx, actor, EnrichmentAuditAction.SOURCE_DEFINED, source)
    return DefinedSourceView(
        name=source, origin=origin, enabled=row.enabled, key_cleared=row.key_cleared, definition=definition
    )


async def set_model(
    tx: Transaction, actor: Actor, *, command: SetModelEndpoint, internal: InternalHosts
) -> ModelEndpointView:
    """Set up the language model of the workspace, or change it. Its key is deleted if it was for another origin.

    Args: internal: servers of the operator's own network that may be asked.

    Raises: InvalidInput: the address may not be contacted, or needs a key.
    """
    actor.require(SOURCES_WRITE)
    _require_permitted(command, internal)
    definition = command.model_dump(mode="json", by_alias=True)
    endpoint = command.endpoint()
    name = LANGUAGE_MODEL
    row = await store.define(tx, actor.workspace_id, name, origin=endpoint.origin, definition=definition)
    await _record(tx, actor, EnrichmentAuditAction.SOURCE_DEFINED, name)
    return ModelEndpointView.of(command, enabled=row.enabled, key_cleared=row.key_cleared)


def _require_permitted(command: SetModelEndpoint, internal: InternalHosts) -> None:
    """Raises: InvalidInput."""
    limits = LIMITS[Feature.MODEL]
    try:
        target = parse_target(command.url, Feature.MODEL, limits, internal)
    except TargetRefused as error:
        refused = FieldError("/url", "not_permitted", f"{error.sentence} {_BY_OPERATOR}")
    else:
        if target.internal or (target.scheme == "https" and command.auth != "none"):
            return
        if target.scheme != "https":
            refused = FieldError("/url", "not_permitted", f"Must begin with https://. {_BY_OPERATOR}")
        else:
            refused = FieldError("/auth", "not_permitted", f"This server needs a key. {_BY_OPERATOR}")
    raise InvalidInput("Fix the errors below.", errors=[refused])


async def delete(tx: Transaction, actor: Actor, *, source: str) -> None:
    """Delete a source that the workspace has defined, with its key. What it found is kept. Raises: SourceNotFound."""
    actor.require(SOURCES_WRITE)
    if not await store.delete(tx, actor.workspace_id, source):
        raise SourceNotFound
    await _record(tx, actor, EnrichmentAuditAction.SOURCE_DELETED, source)


async def find_source(tx: Transaction, actor: Actor, name: str) -> tuple[Provider, Source]:
    """The provider of a source, and the source without a key.

    Raises: SourceNotFound, SourceWithoutKey, ModelMissing.
    """
    found = provider_of(name)
    if found is None:
        defined = defined_providers(await source_settings(tx, actor.workspace_id))
        found = next((provider for provider in defined if provider.name == name), None)
    if found is None and name == LANGUAGE_MODEL:
        raise ModelMissing
    if found is None:
        raise SourceWithoutKey if name in free_names() else SourceNotFound
    return found, next(source for source in found.sources("") if source.spec.name == name)


async def _record(tx: Transaction, actor: Actor, action: EnrichmentAuditAction, source: str) -> None:
    await audit.record(tx, actor, action=action, subject_type=SOURCE, data={"count": 1, "source": source})
