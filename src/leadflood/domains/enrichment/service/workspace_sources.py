"""The sources of a workspace: the free ones of this process, and those whose provider it has a key of."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import structlog

from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.models.source_sets import SourceSet
from leadflood.domains.enrichment.models.sources import Source
from leadflood.domains.enrichment.queries.source_settings import StoredSettings, gate_name, source_settings
from leadflood.domains.enrichment.registry import PROVIDERS, keyed_sources
from leadflood.domains.enrichment.store.source_settings import key_context
from leadflood.kernel.actor import Actor
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.transaction import Transaction

_KEPT: Final = 1000
"""Workspaces whose sources a process keeps ready."""
_BY_NAME: Final = {provider.name: provider for provider in PROVIDERS}

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


class FixedSources:
    """The same sources for all workspaces."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.least = SourceSet(sources)

    async def of(self, tx: Transaction, workspace_id: UUID) -> SourceSet:  # noqa: ARG002  as the protocol
        """See `SourceSets.of`."""
        return self.least


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

    def _build(self, workspace_id: UUID, settings: Sequence[StoredSettings]) -> SourceSet:
        by_name = {each.source: each for each in settings}
        keyed, gates = [], {}
        for name, provider in _BY_NAME.items():
            key = next((each.key for each in settings if each.provider == name and each.key is not None), None)
            if key is None or key.origin != provider.origin:
                continue
            plain = self._secret_box.decrypt(key.sealed, key_context(workspace_id, name, key.origin))
            if plain is None:
                _log.warning("enrichment.key_unreadable", provider=name, workspace_id=str(workspace_id))
                continue
            for source in provider.sources(plain.decode()):
                if source.spec.name in by_name:
                    keyed.append(source)
                    gates[source.spec.name] = gate_name(source.spec.name, key.credential)
        return SourceSet([*self._free, *keyed], gates)


_Signature = tuple[tuple[str, datetime, datetime | None], ...]


async def asked_sources(
    tx: Transaction, actor: Actor, *, free: Sequence[Source], secret_box: SecretBox
) -> Sequence[Source]:
    """The sources that the actor's workspace asks now. Args: free: of the installation."""
    return (await WorkspaceSources(free, secret_box).of(tx, actor.workspace_id)).sources


def shown_sources(free: Sequence[Source]) -> Sequence[Source]:
    """The sources that lists show: the free ones of the installation, and those that need a key."""
    return [*free, *keyed_sources()]


def providers_by_source() -> dict[str, Provider]:
    """Providers by the sources that need their key."""
    return {source.spec.name: provider for provider in PROVIDERS for source in provider.sources("")}
