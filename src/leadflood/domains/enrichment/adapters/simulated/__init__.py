"""A stand-in for a paid provider: waits, sometimes fails, and answers with made-up values that say so."""

from leadflood.domains.enrichment.adapters.simulated.adapter import FailureKind, Simulated

__all__ = ["FailureKind", "Simulated"]
