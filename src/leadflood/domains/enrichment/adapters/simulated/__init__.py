"""A stand-in for a paid provider: waits, sometimes fails, and returns made-up values that are marked as such."""

from leadflood.domains.enrichment.adapters.simulated.adapter import FailureKind, Simulated

__all__ = ["FailureKind", "Simulated"]
