"""Errors of metrics."""

from leadflood.kernel.errors import NotFound


class MetricNotFound(NotFound):
    """No metric with this name, or you may not read it."""

    code = "metric_not_found"
    title = "Metric not found"
    remedy = "Use one of the names that GET /v1/metrics lists."

    def __init__(self) -> None:
        super().__init__("No metric with this name.")
