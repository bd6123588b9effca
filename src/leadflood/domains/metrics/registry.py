"""The metrics that domains declare."""

from typing import Final

from leadflood.kernel.metrics import MetricRegistry

METRICS: Final = MetricRegistry()
"""Filled by `bootstrap`."""
