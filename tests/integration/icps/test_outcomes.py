"""Outcomes of leads: recorded once, by thumb, API and file; merges, erasure and rights."""

from collections.abc import Sequence

import pytest

from leadflood.domains.icps.contracts.outcomes import ImportedOutcomes
from leadflood.domains.icps.models.outcomes import OutcomeSource
from leadflood.domains.icps.permissions import ICPS_READ
from leadflood.domains.icps.service.outcomes import entries_of, import_outcomes
from leadflood.kernel.actor import Role
from leadflood.kernel.errors import InvalidInput
from tests.integration.icps.desk import Desk
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import new_caller
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]

WON = {"outcome": "won", "at": "2026-03-01"}


async def kinds(desk: Desk, lead_id: str) -> list[str]:
    return [each["outcome"] for each in (await desk.ask("GET", f"/v1/leads/{lead_id}/outcomes"))["items"]]


async def test_an_outcome_is_recorded_once_and_can_be_deleted(desk: Desk) -> None:
    lead_id = await desk.lead()

    first = await desk.ask("POST", f"/v1/leads/{lead_id}/outcomes", status=201, **WON)
    again = await desk.ask("POST", f"/v1/leads/{lead_id}/outcomes", status=201, **WON)
    now = await desk.ask("POST", f"/v1/leads/{lead_id}/outcomes", status=201, outcome="bad")

    assert (first["id"], first["at"], first["source"]) == (again["id"], "2026-03-01T00:00:00Z", "api")
    assert await kinds(desk, lead_id) == ["bad", "won"]
    await desk.ask("DELETE", f"/v1/outcomes/{now['id']}", status=204)
    assert (await desk.ask("DELETE", f"/v1/outcomes/{now['id']}", status=404))["code"] == "outcome_not_found"
    assert await kinds(desk, lead_id) == ["won"]
    log = (await desk.ask("GET", "/v1/audit-events"))["items"]
    assert [each["action"] for each in log[:3]] == ["outcome.deleted", "outcome.recorded", "outcome.recorded"]


@pytest.mark.parametrize(
    ("given", "pointer", "words"),
    [
        ({"outcome": "maybe"}, "/outcome", "won, lost, good, bad"),
        ({"outcome": "won", "at": "2999-01-01"}, "/at", "between 1990 and now"),
        ({"outcome": "won", "at": "2026-03-01T10:00:00"}, "/at", "time zone"),
        ({"outcome": "won", "at": "soon"}, "/at", "RFC 3339"),
    ],
)
async def test_an_invalid_outcome_names_the_field_and_the_remedy(
    desk: Desk, given: dict[str, str], pointer: str, words: str
) -> None:
    refused = await desk.ask("POST", f"/v1/leads/{await desk.lead()}/outcomes", status=400, **given)

    assert refused["errors"][0]["pointer"] == pointer
    assert words in refused["errors"][0]["message"]


async def test_the_same_file_twice_changes_nothing_and_says_what_has_no_lead(desk: Desk) -> None:
    lead_id = await desk.lead()
    email = (await desk.ask("GET", f"/v1/leads/{lead_id}"))["email"]
    file = [
        "\ufeffE-Mail;Outcome;Date\n",
        f"{email.upper()};Won;2026-03-01\n",
        "nobody@acme.test;lost;2026-03-01\n",
        "\n",
        f"{email};perhaps;2026-03-01\n",
        f"{email};won;2026-03-01\n",
        f"{email}\n",
    ]

    first = await imported(desk, file)
    second = await imported(desk, file)

    assert [each.status for each in first.results] == ["recorded", "unmatched", "invalid", "unchanged", "invalid"]
    assert (second.recorded, second.unchanged, second.unmatched, second.invalid) == (0, 2, 1, 2)
    assert await kinds(desk, lead_id) == ["won"]
    answer = await desk.ask("POST", "/v1/outcomes", outcomes=[{"email": email, "outcome": "won", "at": "2026-03-01"}])
    assert (answer["unchanged"], answer["results"][0]["status"]) == (1, "unchanged")


async def imported(desk: Desk, lines: Sequence[str]) -> ImportedOutcomes:
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        entries = list(entries_of(iter(lines)))
        return await import_outcomes(tx, desk.actor, entries=entries, source=OutcomeSource.IMPORT)


def test_a_file_without_the_columns_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        list(entries_of(iter(["email,when\n", "ada@acme.test,2026-03-01\n"])))

    assert [fault.pointer for fault in refused.value.errors] == ["/outcome", "/date"]


async def test_a_merge_moves_outcomes_an_unmerge_returns_them_and_an_erasure_removes_them(desk: Desk) -> None:
    survivor, other = await desk.lead(), await desk.lead()
    for lead_id in (survivor, other):
        await desk.ask("POST", f"/v1/leads/{lead_id}/outcomes", status=201, **WON)
    await desk.ask("POST", f"/v1/leads/{other}/outcomes", status=201, outcome="good", at="2026-02-01")

    merged = await desk.ask("POST", "/v1/merges", status=201, survivorId=survivor, otherId=other)
    assert await kinds(desk, survivor) == ["won", "good"]
    await desk.ask("POST", f"/v1/merges/{merged['id']}/undos")
    assert (await kinds(desk, survivor), await kinds(desk, other)) == (["won"], ["won", "good"])
    erased = await desk.ask("POST", f"/v1/leads/{other}/erasures", dryRun=False)
    assert {each["name"]: each["rows"] for each in erased["places"]}["outcomes"] == 2


async def test_who_may_only_read_records_nothing(desk: Desk) -> None:
    lead_id = await desk.lead()
    reader = await new_caller(desk.database, [ICPS_READ], workspace_id=desk.caller.workspace_id)

    refused = await desk.toys.post(f"/v1/leads/{lead_id}/outcomes", json=WON, headers=reader.headers)

    assert (refused.status_code, await kinds(desk, lead_id)) == (403, [])


async def test_a_thumb_on_the_lead_page_is_recorded_and_undone(house: House, viewer: Browser) -> None:
    lead_id, member = await house.lead("ada@acme.test"), await house.signed_in(Role.MEMBER)
    assert "Good fit" in (await member.get(f"/leads/{lead_id}")).all("#panel-outcomes")[0]

    shown = await member.post(f"/leads/{lead_id}/outcomes", {"outcome": "good"})

    path = str(shown.attribute("#panel-outcomes form[action$=deletion]", "action"))
    assert not (await viewer.get(f"/leads/{lead_id}")).all("#panel-outcomes form")
    undone = await member.post(path, {})
    assert "No outcome yet" in undone.all("#panel-outcomes")[0]
