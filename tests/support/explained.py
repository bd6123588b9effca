"""The plans that auto_explain tells of, on a connection that listens."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from leadflood.kernel.db.database import Database

TOLD = (
    "session_preload_libraries = auto_explain",
    "auto_explain.log_min_duration = 0",
    "auto_explain.log_format = json",
    "auto_explain.log_level = notice",
)
"""Settings of a role whose connections tell all plans."""
READ = ("auto_explain.log_nested_statements = on", "auto_explain.log_analyze = on")
"""The same for those that also tell what was read, by statements of functions, too."""
LARGE = {"leads", "lead_events", "job_executions", "outbox_events"}


@dataclass
class Plans:
    """The plans of everything that the database ran since `forget`."""

    database: Database
    nodes: list[dict[str, Any]] = field(default_factory=list)

    def hear(self, _connection: object, message: Any) -> None:  # noqa: ANN401  asyncpg's log message
        """A NOTICE of auto_explain."""
        _, found, plan = message.message.partition("plan:\n")
        if found:
            self.nodes += _nodes(json.loads(plan)["Plan"])

    def rows_read(self) -> dict[str, float]:
        """Rows of tables that were read, wanted or not, by table and index."""
        read: Counter[str] = Counter()
        for node in self.nodes:
            place = " ".join(node[name] for name in ("Relation Name", "Index Name") if name in node)
            if place and "Scan" in node["Node Type"]:
                read[place] += (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        return dict(read)

    def used(self) -> set[str]:
        """The indexes used on the large tables. Fails where one of them is read whole."""
        relevant = [node for node in self.nodes if node.get("Relation Name") in LARGE]
        assert relevant, "no plan was heard of"
        whole = [node for node in relevant if node["Node Type"] == "Seq Scan"]
        assert whole == []
        scans = [node for node in self.nodes if node.get("Index Name", "").startswith(tuple(LARGE))]
        return {node["Index Name"] for node in scans}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
