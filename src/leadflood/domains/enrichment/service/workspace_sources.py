"""The sources of a workspace: the free ones of this process, and those whose provider it has a key of."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import structlog
from pydantic import ValidationError

from leadflood.domains.enrichment.contracts.http_sources import DefineSource
from leadflood.domains.enrichment.contracts.language_models import SetModelEndpoint
from leadflood.domains.enrichment.models.model_endpoints import LANGUAGE_MODEL
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.models.source_sets import SourceSet
from leadflood.domains.enrichment.models.sources import Source
from leadflood.domains.enrichment.queries.source_settings import (
    StoredKey,
    StoredSettings,
    credential_gate,
    provider_key,
    source_settings,
)
from leadflood.domains.enrichment.registry import PROVIDERS, keyed_sources, provider_of
from leadflood.domains.enrichment.sources import language_model
from leadflood.domains.enrichment.sources.http_api import http_provider
from leadflood.domains.enrichment.store.source_settings import key_context
from leadflood.kernel.actor import Actor
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction

_KEPT: Final = 1000
"""Workspaces whose sources a process keeps ready."""

_log = structlog.get_logger()


class SourceSets(Protocol):
    """The sources of each workspace."""

    @property
    def least(self) -> SourceSet:
        """Those that every workspace has."""
        ...

    async def of(self, tx: Transaction, workspace_id: UUID) -> SourceSet:
        """The sources that a workspace asks now."""
        ...

    async def one(self, tx: Transaction, workspace_id: UUID, name: str) -> SourceSet | None:
        """One source of a provider, enabled or not; None if it is not set up."""
        ...


class FixedSources:
    """The same sources for all workspaces."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.least = SourceSet(sources)

    async def of(self, tx: Transaction, workspace_id: UUID) -> SourceSet:  # noqa: ARG002  as the protocol
        """See `SourceSets.of`."""
        return self.least

    async def one(self, tx: Transaction, workspace_id: UUID, name: str) -> SourceSet | None:  # noqa: ARG002  as above
        """See `SourceSets.one`."""
        found = [source for source in self.least.sources if source.spec.name == name]
        return SourceSet(found) if found else None


class WorkspaceSources:
    """See `SourceSets`. One statement finds out what is enabled; keys are decrypted only when that has changed."""

    def __init__(self, free: Sequence[Source], secret_box: SecretBox) -> None:
        """Args: free: of this process, for all workspaces."""
        self._free = free
        self._secret_box = secret_box
        self.least = SourceSet(free)
        self._made: OrderedDict[UUID, tuple[_Signature, SourceSet]] = OrderedDict()

    async def of(self, tx: Transaction, workspace_id: UUID) -> SourceSet:
        """See `SourceSets.of`. Exact: a source that was disabled or whose key was cleared is not among them."""
        settings = await source_settings(tx, workspace_id, enabled_only=True)
        if not settings:
            self._made.pop(workspace_id, None)
            return self.least
        signature = tuple(
            (each.source, each.updated_at, None if each.key is None else each.key.set_at) for each in settings
        )
        known = self._made.get(workspace_id)
        if known is not None and known[0] == signature:
            self._made.move_to_end(workspace_id)
            return known[1]
        made = self._build(workspace_id, settings)
        self._made[workspace_id] = signature, made
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made

    async def one(self, tx: Transaction, workspace_id: UUID, name: str) -> SourceSet | None:
        """See `SourceSets.one`."""
        defined = defined_providers(await source_settings(tx, workspace_id))
        provider = provider_of(name) or next((each for each in defined if each.name == name), None)
        if provider is None:
            return None
        key = await provider_key(tx, workspace_id, provider.name)
        plain = self._key_of(workspace_id, provider, key)
        if plain is None:
            return None
        (source,) = [each for each in provider.sources(plain) if each.spec.name == name]
        return SourceSet([source], {name: credential_gate(workspace_id, name, key)})

    def _build(self, workspace_id: UUID, settings: Sequence[StoredSettings]) -> SourceSet:
        enabled = {each.source for each in settings}
        keys = {each.provider: each.key for each in settings if each.key is not None}
        keyed, gates = [], {}
        for provider in (*PROVIDERS, *defined_providers(settings)):
            found = [source for source in provider.sources("") if source.spec.name in enabled]
            key = keys.get(provider.name)
            plain = self._key_of(workspace_id, provider, key)
            if not found or plain is None:
                continue
            for source in provider.sources(plain):
                if source.spec.name in enabled:
                    keyed.append(source)
                    gates[source.spec.name] = credential_gate(workspace_id, source.spec.name, key)
        return SourceSet([*self._free, *keyed], gates)

    def _key_of(self, workspace_id: UUID, provider: Provider, key: StoredKey | None) -> str | None:
        """The key, empty where none is needed; None if it is missing, for another origin, or cannot be decrypted."""
        if key is None and not provider.needs_key:
            return ""
        if key is None or key.origin != provider.origin:
            return None
        context = key_context(workspace_id, provider.name, key.origin)
        plain = self._secret_box.decrypt(key.sealed, context)
        if plain is None:
            _log.warning("enrichment.key_unreadable", provider=provider.name, workspace_id=str(workspace_id))
        return None if plain is None else plain.decode()


_Signature = tuple[tuple[str, datetime, datetime | None], ...]


async def asked_sources(
    tx: Transaction, actor: Actor, *, free: Sequence[Source], secret_box: SecretBox
) -> Sequence[Source]:
    """The sources that the actor's workspace asks now. Args: free: of the installation."""
    return (await WorkspaceSources(free, secret_box).of(tx, actor.workspace_id)).sources


def defined_providers(settings: Iterable[StoredSettings]) -> list[Provider]:
    """The providers of the sources that a workspace has defined. One that this release cannot read is left out."""
    found = []
    for each in settings:
        if each.definition is not None:
            try:
                found.append(_defined_provider(each))
            except ValidationError:
                _log.warning("enrichment.definition_unreadable", source=each.source)
    return found


def _defined_provider(settings: StoredSettings) -> Provider:
    """Raises: ValidationError."""
    if settings.source == LANGUAGE_MODEL:
        endpoint = SetModelEndpoint.model_validate(settings.definition).endpoint()
        return language_model.language_model_provider(endpoint)
    return http_provider(DefineSource.model_validate(settings.definition).definition(settings.source))


@dataclass(frozen=True, slots=True)
class ShownSources:
    """Sources that lists show. `providers`: of those that have one, by source."""

    sources: Sequence[Source]
    providers: Mapping[str, Provider]


async def shown_sources(database: Database, actor: Actor, *, free: Sequence[Source]) -> ShownSources:
    """The free sources of the installation, those of all providers, and those that the workspace has defined.

    The language model is among them, whether the workspace has set up one or not.
    """
    async with database.transaction(actor.workspace_id, read_only=True) as tx:
        defined = defined_providers(await source_settings(tx, actor.workspace_id))
    every = (*PROVIDERS, language_model.UNSET, *defined)
    providers = {source.spec.name: each for each in every for source in each.sources("")}
    own = {source.spec.name: source for each in defined for source in each.sources("")}
    keyed = [own.pop(source.spec.name, source) for source in keyed_sources()]
    return ShownSources([*free, *keyed, *own.values()], providers)
