"""Companies in Wikidata, by their website."""

from leadflood.domains.enrichment.sources.wikidata.source import Wikidata

__all__ = ["Wikidata"]
