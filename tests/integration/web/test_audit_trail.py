"""Whatever somebody does leaves the same trail, by the API and by the pages."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from leadflood.domains.jobs import queries as jobs
from leadflood.domains.leads.queries import changesets
from leadflood.kernel.actor import ActorKind, Role
from leadflood.kernel.db.sql import sql
from tests.integration.web.conftest import House, NewHouse
from tests.support.tenants import new_duplicates, new_export, new_import, new_key, new_member
from tests.support.trail import Row, events_of, row
from tests.support.web import Browser

_KILL = sql("""
UPDATE outbox_events SET status = 'dead_letter', attempts = 5, last_error = 'Away.', cause = 'Away.',
                         processed_at = NULL
WHERE workspace_id = :workspace_id AND job_id = :job_id RETURNING id
""")
Json = Mapping[str, Any]


@dataclass
class Api:
    """Somebody with an API key."""

    client: httpx.AsyncClient
    headers: dict[str, str]

    async def do(self, api: str, json: Json | None, _page: str, _form: Json | None) -> None:
        method, path = api.split()
        headers = {**self.headers}
        if method in ("PATCH", "DELETE"):
            headers["If-Match"] = (await self.client.get(path, headers=self.headers)).headers.get("ETag", '"1"')
        answer = await self.client.request(method, path, json=json, headers=headers)
        assert answer.is_success, (api, answer.text)

    async def read(self, api: str, _page: str) -> None:
        assert (await self.client.get(api, headers=self.headers)).is_success


@dataclass
class Pages:
    """Somebody with a browser."""

    browser: Browser

    async def do(self, _api: str, _json: Json | None, page: str, form: Json | None) -> None:
        await self.browser.get("/settings")
        seen = await self.browser.post(page, dict(form or {}), follow=False)
        assert seen.status in (200, 201, 303), (page, seen.status, seen.text[:2000])

    async def read(self, _api: str, page: str) -> None:
        assert (await self.browser.get(page)).status == 200


Edge = Api | Pages


async def work_on_leads(house: House, edge: Edge) -> None:
    one, two, three = [str(await house.lead(f"{name}@acme.com")) for name in ("a", "b", "c")]
    await edge.do(f"PATCH /v1/leads/{one}", {"company": "New"}, f"/leads/{one}", {"company": "New", "version": "1"})
    await edge.do(f"DELETE /v1/leads/{one}", None, f"/leads/{one}/deletion", None)
    await edge.do(f"POST /v1/leads/{one}/restorations", None, f"/leads/{one}/restorations", None)
    await edge.do(f"POST /v1/leads/{one}/enrichments", None, f"/leads/{one}/enrichments", None)
    ids = [two, three]
    for action in ("enrich", "delete", "restore"):
        form = {"action": action, "ids": ids, "confirmed": "on"}
        await edge.do("POST /v1/changesets", {"action": action, "leadIds": ids}, "/leads/bulk-changes", form)
    changeset = await newest_changeset(house)
    await edge.do(f"POST /v1/changesets/{changeset}/undos", None, f"/changesets/{changeset}/undos", None)


async def work_on_duplicates(house: House, edge: Edge) -> None:
    found = await new_duplicates(house.parts.database, house.actor)
    pair, merge = found["duplicates"], found["merges"]
    await edge.do(f"POST /v1/duplicates/{pair}/dismissals", None, f"/duplicates/{pair}/dismissals", None)
    await edge.do(f"POST /v1/duplicates/{pair}/reopenings", None, f"/duplicates/{pair}/reopenings", None)
    await edge.do(f"POST /v1/merges/{merge}/undos", None, f"/duplicates/merges/{merge}/undos", None)
    one, two = [str(await house.lead(f"{name}@merged.com")) for name in ("a", "b")]
    both = {"survivorId": one, "otherId": two}
    await edge.do("POST /v1/merges", both, f"/duplicates/{pair}/merges", both)
    await edge.do("POST /v1/duplicates/scans", None, "/duplicates/scans", None)


async def work_on_jobs(house: House, edge: Edge) -> None:
    lead = await house.lead("job@acme.com")
    async with house.parts.database.transaction(house.workspace_id) as tx:
        [job] = (await jobs.list_jobs(tx, house.actor, subject_id=lead, limit=1)).items
    await edge.do(f"POST /v1/jobs/{job.id}/cancellations", None, f"/jobs/{job.id}/cancellations", None)
    await edge.do(f"POST /v1/jobs/{job.id}/retries", None, f"/jobs/{job.id}/retries", None)
    await edge.do("POST /v1/job-retries", {"ids": [str(job.id)]}, "/jobs/retries", {"ids": [str(job.id)]})
    async with house.parts.database.transaction(house.workspace_id) as tx:
        event = await tx.scalar(_KILL, {"workspace_id": house.workspace_id, "job_id": job.id})
    await edge.do(f"POST /v1/outbox-events/{event}/replays", None, f"/outbox/{event}/replays", None)


async def work_on_files(house: House, edge: Edge) -> None:
    database, registry = house.parts.database, house.parts.registry
    made = await new_import(database, house.actor, registry)
    await edge.do(f"POST /v1/imports/{made}/commits", None, f"/imports/{made}/commits", None)
    await edge.do(f"POST /v1/imports/{made}/pauses", None, f"/imports/{made}/pauses", None)
    await edge.do(f"POST /v1/imports/{made}/cancellations", None, f"/imports/{made}/cancellations", None)
    await edge.do(f"DELETE /v1/imports/{made}", None, f"/imports/{made}/deletions", None)
    export = await new_export(database, house.actor, registry)
    await edge.read(f"/v1/exports/{export}/file", f"/exports/{export}/file")
    await edge.do(f"DELETE /v1/exports/{export}", None, f"/exports/{export}/deletions", None)


async def work_on_people(house: House, edge: Edge) -> None:
    member = await new_member(house.parts.database, house.workspace_id, Role.MEMBER)
    email = "invited@acme.test"
    key = (await new_key(house.parts.database, house.workspace_id, member))[0]
    name = {"name": "Renamed"}
    await edge.do("PATCH /v1/workspace", name, "/settings/workspace", name)
    role = {"role": "viewer"}
    await edge.do(f"PATCH /v1/members/{member}", role, f"/settings/members/{member}/roles", role)
    wanted = {"name": "Robot", "scopes": ["leads:read"]}
    await edge.do("POST /v1/api-keys", wanted, "/settings/api-keys", {**wanted, "days": ""})
    await edge.do(f"DELETE /v1/api-keys/{key}", None, f"/settings/api-keys/{key}/revocations", None)
    await edge.do(f"DELETE /v1/members/{member}", None, f"/settings/members/{member}/removals", {"confirmed": "on"})
    invitation = {"email": email, "role": "member"}
    await edge.do("POST /v1/invitations", invitation, "/settings/invitations", invitation)


async def newest_changeset(house: House) -> UUID:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        return (await changesets.list_changesets(tx, house.actor, limit=1)).items[0].id


async def trail(house: House, edge: Edge, kind: ActorKind, work: Callable[[House, Edge], Awaitable[None]]) -> list[Row]:
    """Audit entries of this actor's actions."""
    await work(house, edge)
    events = await events_of(house.parts.database, house.workspace_id)
    own = [event for event in events if event.actor.kind is kind and not event.action.startswith("session.")]
    assert all(event.request_id for event in own)
    return [row(event) for event in own]


async def by_both(new_house: NewHouse, work: Callable[[House, Edge], Awaitable[None]]) -> list[Row]:
    """The trail of some work, which is the same by the API and by pages."""
    house, other = await new_house(), await new_house()
    owner = await new_member(house.parts.database, house.workspace_id, Role.OWNER)
    _, token = await new_key(house.parts.database, house.workspace_id, owner)
    client = (await house.stranger()).client
    by_api = await trail(house, Api(client, {"Authorization": f"Bearer {token}"}), ActorKind.API_KEY, work)
    by_pages = await trail(other, Pages(await other.signed_in(Role.OWNER)), ActorKind.USER, work)

    assert by_api == by_pages
    return by_pages


async def test_work_on_leads_is_told_with_its_count_and_what_undoes_it(new_house: NewHouse) -> None:
    assert await by_both(new_house, work_on_leads) == [
        ("leads.updated", "lead *", '{"count": 1, "fields": ["company"]}'),
        ("leads.deleted", "lead *", '{"count": 1}'),
        ("leads.restored", "lead *", '{"count": 1}'),
        ("leads.enrichment_requested", "lead *", '{"count": 1, "jobId": "*"}'),
        ("leads.enrichment_requested", "changeset *", '{"changesetId": "*", "count": 2, "label": "Enrich"}'),
        ("leads.deleted", "changeset *", '{"changesetId": "*", "count": 2, "label": "Delete"}'),
        ("leads.restored", "changeset *", '{"changesetId": "*", "count": 2, "label": "Restore"}'),
        ("changeset.undone", "changeset *", '{"count": 2, "label": "Restore"}'),
    ]


async def test_work_on_duplicates_is_told_with_what_undoes_it(new_house: NewHouse) -> None:
    merged = '{"changesetId": "*", "count": 2, "fields": [], "mergeId": "*", "survivorId": "*"}'
    assert await by_both(new_house, work_on_duplicates) == [
        ("duplicate.dismissed", "duplicate *", '{"count": 1}'),
        ("duplicate.reopened", "duplicate *", '{"count": 1}'),
        ("leads.unmerged", "merge *", '{"count": 2, "survivorId": "*"}'),
        ("leads.merged", "merge *", merged),
        ("duplicates.scan_requested", "scan *", '{"jobId": "*"}'),
    ]


async def test_work_on_jobs_and_the_outbox_is_told_with_its_count(new_house: NewHouse) -> None:
    kind = "leads.enrich.v1"
    assert await by_both(new_house, work_on_jobs) == [
        ("job.cancelled", "job *", f'{{"count": 1, "kind": "{kind}"}}'),
        ("job.retried", "job *", f'{{"count": 1, "kind": "{kind}"}}'),
        ("jobs.retried", "job -", '{"count": 0}'),
        ("outbox_event.replayed", "outbox_event *", '{"count": 1}'),
    ]


async def test_work_on_files_is_told_with_their_names_and_what_undoes_it(new_house: NewHouse) -> None:
    def written(count: int) -> str:
        return f'{{"changesetId": "*", "count": {count}, "importId": "*", "name": "leads.csv"}}'

    assert await by_both(new_house, work_on_files) == [
        ("import.committed", "import *", written(1)),
        ("import.paused", "import *", written(0)),
        ("import.cancelled", "import *", written(0)),
        ("import.deleted", "import *", '{"name": "leads.csv"}'),
        ("export.downloaded", "export *", '{"count": 0, "format": "csv"}'),
        ("export.deleted", "export *", "{}"),
    ]


async def test_work_on_people_is_told(new_house: NewHouse) -> None:
    told = await by_both(new_house, work_on_people)

    assert [action for action, _, _ in told] == [
        "workspace.renamed",
        "member.role_changed",
        "api_key.created",
        "api_key.revoked",
        "member.removed",
        "invitation.sent",
    ]


async def test_the_api_says_what_undoes_an_event_as_long_as_it_can_be_undone(house: House) -> None:
    owner = await new_member(house.parts.database, house.workspace_id, Role.OWNER)
    _, token = await new_key(house.parts.database, house.workspace_id, owner)
    client, headers = (await house.stranger()).client, {"Authorization": f"Bearer {token}"}
    wanted = {"action": "delete", "leadIds": [str(await house.lead("a@acme.com"))]}
    await client.post("/v1/changesets", json=wanted, headers=headers)

    async def newest() -> Any:  # noqa: ANN401  JSON
        return (await client.get("/v1/audit-events", headers=headers)).json()["items"][0]

    deleted = await newest()
    assert (deleted["action"], deleted["data"]["count"]) == ("leads.deleted", 1)
    assert (await client.post(deleted["undo"], headers=headers)).is_success
    undone = await newest()
    assert (undone["action"], undone["undo"]) == ("changeset.undone", None)
    events = (await client.get("/v1/audit-events?action=leads.", headers=headers)).json()["items"]
    assert [event["undo"] for event in events] == [None]
