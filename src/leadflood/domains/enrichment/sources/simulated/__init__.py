"""The simulated provider."""

from leadflood.domains.enrichment.sources.simulated.source import FailureKind, Simulated

__all__ = ["FailureKind", "Simulated"]
