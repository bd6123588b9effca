"""Verbs on the settings of enrichment."""

from leadflood.domains.enrichment.contracts.settings import ChangeEnrichmentSettings, EnrichmentSettingsView
from leadflood.domains.enrichment.events import ENRICHMENT_SETTINGS, EnrichmentAuditAction
from leadflood.domains.enrichment.permissions import ENRICHMENT_WRITE
from leadflood.domains.enrichment.queries.settings import enrichment_settings
from leadflood.domains.enrichment.store import settings as store
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def change_settings(
    tx: Transaction, actor: Actor, *, command: ChangeEnrichmentSettings
) -> EnrichmentSettingsView:
    """Change the settings. Runs that begin afterwards follow them."""
    actor.require(ENRICHMENT_WRITE)
    before = await enrichment_settings(tx, actor)
    wanted = EnrichmentSettingsView(paid_sources_only_for_tier=command.paid_sources_only_for_tier)
    if wanted != before:
        await store.set_settings(tx, actor, paid_for_tier=wanted.paid_sources_only_for_tier)
        await audit.record(
            tx,
            actor,
            action=EnrichmentAuditAction.SETTINGS_CHANGED,
            subject_type=ENRICHMENT_SETTINGS,
            data={"paidSourcesOnlyForTier": wanted.paid_sources_only_for_tier},
        )
    return wanted
