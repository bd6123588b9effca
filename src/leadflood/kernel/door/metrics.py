"""Metrics of the door, in the process's own registry of the Prometheus client."""

from prometheus_client import Counter, Histogram

_CALLS = Counter("leadflood_outgoing_calls_total", "Outgoing calls, by how they ended.", ["feature", "outcome"])
_SECONDS = Histogram("leadflood_outgoing_call_seconds", "Duration of an outgoing call, in seconds.", ["feature"])
_BYTES = Counter("leadflood_outgoing_received_bytes_total", "Bytes of received bodies, decompressed.", ["feature"])


def call_ended(feature: str, outcome: str, seconds: float, received: int) -> None:
    """Count one call. Args: outcome: a class of status such as `2xx`, or the code of an error."""
    _CALLS.labels(feature, outcome).inc()
    _SECONDS.labels(feature).observe(seconds)
    _BYTES.labels(feature).inc(received)
