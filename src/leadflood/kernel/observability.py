"""Observability of a process: structured logs, trace context, metrics."""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from structlog.typing import Processor

from leadflood.kernel.crypto import trace_hex
from leadflood.kernel.error_redaction import traceback_of, write_traceback
from leadflood.kernel.queue.ports import QueueDepth

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED = 1
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def configure_logging(level: str, log_format: str) -> None:
    """Send all logs of this process, the standard library's included, to standard error.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        log_format: `console`, `json` (one object a line), or `auto`: console on a terminal, else JSON.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    readable = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = (
        # Our own formatter: others print local variables or exception messages, and with them customer data.
        [structlog.dev.ConsoleRenderer(exception_formatter=write_traceback)]
        if readable
        else [
            structlog.processors.ExceptionRenderer(lambda info: traceback_of(info[1])),
            structlog.processors.JSONRenderer(default=str),
        ]
    )
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(threshold, logging.INFO))  # debug output of libraries is about their internals


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Position in a trace (W3C Trace Context, level 1): the trace, and the current span."""

    trace_id: str
    span_id: str
    sampled: bool

    @classmethod
    def continued(cls, headers: Sequence[str]) -> Self:
        """Our span in the caller's trace, or in a new one if `traceparent` is missing, repeated or invalid."""
        caller = _TRACEPARENT.fullmatch(headers[0]) if len(headers) == 1 else None
        if caller is None:
            return cls(trace_hex(16), trace_hex(8), sampled=False)
        version, trace_id, parent_id, flags, more = caller.groups()
        longer_than_known = version == "00" and more is not None
        if version == "ff" or longer_than_known or not trace_id.strip("0") or not parent_id.strip("0"):
            return cls(trace_hex(16), trace_hex(8), sampled=False)
        return cls(trace_id, trace_hex(8), sampled=bool(int(flags, 16) & _SAMPLED))

    @property
    def traceparent(self) -> str:
        """The header of our own calls, and the value stored with jobs."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


class Metrics:
    """Metrics of this process, in a separate registry."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self.requests = Counter(
            "leadflood_http_requests", "Requests answered.", ["route", "method", "status"], registry=self._registry
        )
        self.request_seconds = Histogram(
            "leadflood_http_request_duration_seconds",
            "Seconds from the request's head to the end of the answer.",
            ["route", "method"],
            buckets=_LATENCIES,
            registry=self._registry,
        )
        self.requests_in_flight = Gauge(
            "leadflood_http_requests_in_flight", "Requests being answered.", registry=self._registry
        )
        self.transactions_open = Gauge(
            "leadflood_database_transactions_open",
            "Requests that hold a database connection, or wait for one.",
            registry=self._registry,
        )
        self.pool_size = Gauge(
            "leadflood_database_pool_size", "Database connections that this process may open.", registry=self._registry
        )
        self._queue_up = Gauge("leadflood_queue_up", "1 if the queue answered, else 0.", registry=self._registry)
        self._queue_waiting = Gauge(
            "leadflood_queue_waiting", "Tickets due and not acknowledged.", ["kind"], registry=self._registry
        )
        self._queue_deferred = Gauge(
            "leadflood_queue_deferred", "Tickets that wait for their time.", ["kind"], registry=self._registry
        )
        self._queue_age = Gauge(
            "leadflood_queue_oldest_age_seconds", "Age of the oldest due ticket.", ["kind"], registry=self._registry
        )

    def set_queue_depth(self, depth: Mapping[str, QueueDepth] | None) -> None:
        """Set the queue metrics from the queue backend's counts; None if it did not answer."""
        self._queue_up.set(depth is not None)
        for gauge in (self._queue_waiting, self._queue_deferred, self._queue_age):
            gauge.clear()
        for kind, counted in (depth or {}).items():
            self._queue_waiting.labels(kind).set(counted.waiting)
            self._queue_deferred.labels(kind).set(counted.deferred)
            self._queue_age.labels(kind).set(counted.oldest_age)

    def exposition(self) -> bytes:
        """All metrics in the Prometheus text format, version 1.0.0 (UTF-8)."""
        return generate_latest(self._registry)
