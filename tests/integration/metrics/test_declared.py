"""Metrics that domains declare: counted from timelines and by queries of their own, each for those who may read it."""

from datetime import timedelta

import httpx
import pytest

from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.metrics import service
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.metrics import Metric, MetricRegistry
from tests.support.api import Caller, caller, gate, new_caller, parts, toys

__all__ = ["caller", "gate", "parts", "toys"]

EXPORT = sql("""
INSERT INTO exports (workspace_id, id, actor_kind, format, bom, filter, columns, job_id)
VALUES (:workspace_id, :id, 'system', 'csv', false, '{}', '{}', :id)
""")


async def count(database: Database) -> None:
    await service.aggregate(database, lookback=timedelta(minutes=5))


async def value(toys: httpx.AsyncClient, caller: Caller, name: str, **query: str) -> int:
    answer = await toys.get(f"/v1/metrics/{name}", params=query, headers=caller.headers)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert sum(point["value"] for point in body["points"]) == body["total"]
    return int(body["total"])


async def test_entries_of_timelines_are_counted_once_however_often_it_is_done(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    other = await new_caller(database, [LEADS_READ, LEADS_WRITE])
    made = [
        (await toys.post("/v1/leads", json={"email": f"lead{number}@acme.com"}, headers=caller.headers)).json()
        for number in range(3)
    ]
    gone = await toys.delete(f"/v1/leads/{made[0]['leadId']}", headers={**caller.headers, "If-Match": '"1"'})
    assert gone.status_code == 204, gone.text
    await count(database)
    await count(database)

    assert await value(toys, caller, "leads.created") == 3
    assert await value(toys, caller, "leads.created", span="30d", timeZone="Asia/Kathmandu") == 3
    assert await value(toys, caller, "leads.deleted") == 1
    assert await value(toys, other, "leads.created") == 0


async def test_a_metric_with_a_query_of_its_own_is_for_those_who_have_its_permission(
    toys: httpx.AsyncClient, database: Database
) -> None:
    reader = await new_caller(database, [LEADS_READ])
    exporter = await new_caller(database, [LEADS_READ, LEADS_EXPORT], workspace_id=reader.workspace_id)
    async with database.transaction(reader.workspace_id) as tx:
        await tx.execute(EXPORT, {"workspace_id": reader.workspace_id, "id": new_id()})
    await count(database)

    assert await value(toys, exporter, "exports.requested") == 1
    refused = await toys.get("/v1/metrics/exports.requested", headers=reader.headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "metric_not_found")
    names = [
        [each["name"] for each in (await toys.get("/v1/metrics", headers=one.headers)).json()["items"]]
        for one in (reader, exporter)
    ]
    assert names[0] == [name for name in names[1] if name != "exports.requested"]
    assert len(names[0]) < len(names[1])


def test_a_metric_counts_one_thing_under_one_name() -> None:
    def metric(name: str, **counted: str) -> Metric:
        return Metric(name=name, label="", help="", permission=LEADS_READ, **counted)  # type: ignore[arg-type]

    metrics = MetricRegistry()
    metrics.add([metric("badges.added", entry="lead.badged")])

    for wrong in (metric("badges.added", entry="other"), metric("badges.more", entry="lead.badged"), metric("none")):
        with pytest.raises(ValueError, match=wrong.name):
            metrics.add([wrong])
