"""Legal entities of the Global LEI System."""

from leadflood.domains.enrichment.sources.gleif.source import Gleif

__all__ = ["Gleif"]
