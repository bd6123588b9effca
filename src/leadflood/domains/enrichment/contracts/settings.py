"""Settings of enrichment in the API."""

from pydantic import ConfigDict, Field

from leadflood.kernel.schema import Schema, View

_MEANING = (
    "Whether a source that charges is left out where no answer of it could change the tier of the lead by the live "
    "version of the main profile; of a company, the tier of any of its leads. Sources that are free are always asked."
)


class ChangeEnrichmentSettings(Schema):
    """New settings."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"paidSourcesOnlyForTier": True}]})

    paid_sources_only_for_tier: bool = Field(description=_MEANING)


class EnrichmentSettingsView(View):
    """The settings of enrichment."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"paidSourcesOnlyForTier": False}]})

    paid_sources_only_for_tier: bool = Field(description=_MEANING)
