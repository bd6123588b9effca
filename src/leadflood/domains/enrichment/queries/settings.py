"""SQL that reads the settings of enrichment."""

from leadflood.domains.enrichment.contracts.settings import EnrichmentSettingsView
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The settings of a workspace.
_SETTINGS = sql("SELECT paid_for_tier FROM enrichment_settings WHERE workspace_id = :workspace_id")


async def enrichment_settings(tx: Transaction, actor: Actor) -> EnrichmentSettingsView:
    """The settings of the workspace, those that it has not changed included."""
    row = await tx.first(_SETTINGS, {"workspace_id": actor.workspace_id})
    return EnrichmentSettingsView(paid_sources_only_for_tier=row is not None and row.paid_for_tier)
