"""Any web API, as a workspace has defined it."""

from leadflood.domains.enrichment.sources.http_api.source import HttpSource, http_provider

__all__ = ["HttpSource", "http_provider"]
