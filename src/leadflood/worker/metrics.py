"""Metrics of a worker, in the registry of the process's Prometheus client."""

from prometheus_client import Counter, Histogram

_ENDED = Counter("leadflood_job_attempts_total", "Attempts of jobs, by how they ended.", ["kind", "outcome"])
_SECONDS = Histogram("leadflood_job_attempt_seconds", "Duration of an attempt, in seconds.", ["kind"])


def job_ended(kind: str, outcome: str, seconds: float) -> None:
    """Count one attempt."""
    _ENDED.labels(kind, outcome).inc()
    _SECONDS.labels(kind).observe(seconds)
