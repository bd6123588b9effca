"""Companies over HTTP: identity, domains, merges and splits with undo, files, and the companies of leads."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from leadflood.domains.companies import service
from leadflood.domains.companies.permissions import COMPANIES_READ, COMPANIES_WRITE
from leadflood.domains.companies.service.files import entries_of
from leadflood.domains.companies.store import merging as merging_store
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.actor import PERMISSIONS, Actor, Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.support.api import Caller, caller, gate, new_caller, parts, toys

__all__ = ["caller", "gate", "parts", "toys"]

_AGE = sql("""
UPDATE companies SET deleted_at = deleted_at - interval '40 days', updated_at = updated_at - interval '40 days'
WHERE workspace_id = :workspace_id
""")


class Client:
    """A caller of the API in one workspace."""

    def __init__(self, toys: httpx.AsyncClient, caller: Caller, database: Database) -> None:
        self._toys, self.caller, self.database = toys, caller, database
        self.actor = Actor.cli(caller.workspace_id)

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return await self._toys.request(method, path, json=body, headers={**self.caller.headers, **headers})

    async def ok(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401  JSON
        answer = await self.send(method, path, body, **headers)
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None

    async def company(self, domain: str, name: str | None = None) -> str:
        made = await self.ok("POST", "/v1/companies", {"domain": domain, "name": name})
        return str(made["id"])

    async def lead(self, email: str, **fields: object) -> str:
        """A lead that is linked to its company."""
        made = await self.ok("POST", "/v1/leads", {"email": email, **fields})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await service.relink(tx, self.actor, lead_ids=[UUID(made["leadId"])])
        return str(made["leadId"])

    async def company_of(self, lead_id: str) -> str | None:
        found = (await self.ok("GET", f"/v1/leads/{lead_id}/company"))["company"]
        return None if found is None else str(found["id"])

    async def titles(self, query: str = "") -> list[str]:
        found = await self.ok("GET", f"/v1/companies{query}")
        return [item["name"] or item["domain"] for item in found["items"]]

    async def domains(self, company_id: str) -> list[str]:
        found = await self.ok("GET", f"/v1/companies/{company_id}/domains")
        return [item["domain"] for item in found["items"]]


@pytest.fixture
def client(toys: httpx.AsyncClient, caller: Caller, database: Database) -> Client:
    return Client(toys, caller, database)


async def test_a_company_is_created_by_domain_renamed_and_found(client: Client) -> None:
    acme = await client.company("https://www.Acme.com/about", "Ácme 🚀")
    await client.company("beta.de")
    again = await client.send("POST", "/v1/companies", {"domain": "info@acme.com"})

    assert (again.status_code, again.json()["code"], again.json()["existingId"]) == (409, "duplicate_company", acme)
    assert await client.titles("?q=acme") == await client.titles("?q=CME") == ["Ácme 🚀"]
    assert await client.titles("?sort=-name") == ["beta.de", "Ácme 🚀"]
    first = await client.ok("GET", "/v1/companies?limit=1")
    assert await client.titles(f"?limit=1&cursor={first['nextCursor']}") == ["beta.de"]

    path = f"/v1/companies/{acme}"
    assert (await client.send("PATCH", path, {"name": "Acme"})).status_code == 428
    assert (await client.send("PATCH", path, {"name": "Acme"}, **{"If-Match": '"9"'})).json()["currentVersion"] == 2
    assert (await client.ok("PATCH", path, {"name": "Acme"}, **{"If-Match": '"2"'}))["version"] == 3
    kinds = [item["kind"] for item in (await client.ok("GET", f"{path}/events"))["items"]]
    assert kinds == ["company.changed", "company.created"]


@pytest.mark.parametrize("domain", ["", "gmail.com", "ada@gmx.de", "linkedin.com/company/x", "co.uk", "x y", "🚀", 7])
async def test_what_is_no_company_domain_is_refused(client: Client, domain: object) -> None:
    answer = await client.send("POST", "/v1/companies", {"domain": domain})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/domain")


async def test_leads_belong_to_companies_and_are_filtered_and_expanded_by_them(client: Client) -> None:
    ada, bob = await client.lead("ada@acme.com"), await client.lead("bob@gmail.com")
    acme = await client.company_of(ada)

    async def leads(operator: str, value: object = None) -> list[str]:
        condition = {"field": "linkedCompany", "operator": operator} | ({} if value is None else {"value": value})
        found = await client.ok("GET", f"/v1/leads?filter={json.dumps({'all': [condition]})}")
        return [item["id"] for item in found["items"]]

    assert await leads("is", "acme.com") == await leads("contains", "ACME") == await leads("isNotEmpty") == [ada]
    assert await leads("isNot", "acme.com") == await leads("isEmpty") == [bob]
    of_company = await client.ok("GET", f"/v1/companies/{acme}/leads")
    assert [item["id"] for item in of_company["items"]] == [ada]
    expanded = (await client.ok("GET", "/v1/leads?expand=linkedCompany"))["items"]
    assert {item["id"]: item["linkedCompany"] and item["linkedCompany"]["domain"] for item in expanded} == {
        ada: "acme.com",
        bob: None,
    }
    assert (await client.ok("GET", "/v1/companies"))["items"][0]["leads"] == {"value": 1, "exact": True}


async def test_a_chosen_company_stays_until_it_is_reset(client: Client) -> None:
    ada, beta = await client.lead("ada@acme.com"), await client.company("beta.de")
    await client.ok("PUT", f"/v1/leads/{ada}/company", {"companyId": beta})
    await client.ok("PATCH", f"/v1/leads/{ada}", {"website": "https://gamma.de"}, **{"If-Match": '"1"'})

    assert await client.company_of(ada) == beta
    await client.ok("PUT", f"/v1/leads/{ada}/company", {"companyId": None})
    assert await client.ok("GET", f"/v1/leads/{ada}/company") == {"company": None, "pinned": True}
    assert (await client.ok("DELETE", f"/v1/leads/{ada}/company"))["company"]["domain"] == "gamma.de"
    unknown = await client.send("PUT", f"/v1/leads/{ada}/company", {"companyId": str(new_id())})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_company")
    entries = (await client.ok("GET", f"/v1/leads/{ada}/events"))["items"]
    assert [item["data"]["company"] for item in entries if item["kind"] == "lead.company_chosen"] == [
        "gamma.de",
        None,
        "beta.de",
    ]


async def test_a_merge_moves_domains_leads_and_name_and_its_undo_moves_them_back(client: Client) -> None:
    ada, eve = await client.lead("ada@acme.com"), await client.lead("eve@other.com")
    acme, german = await client.company_of(ada), await client.company("acme.de", "Acme GmbH")
    bob = await client.lead("bob@acme.de")
    await client.ok("PUT", f"/v1/leads/{eve}/company", {"companyId": german})
    assert acme is not None
    merge = await client.ok("POST", f"/v1/companies/{acme}/merges", {"otherId": german})

    assert [await client.company_of(lead) for lead in (ada, bob, eve)] == [acme, acme, acme]
    assert await client.domains(acme) == ["acme.com", "acme.de"]
    assert (await client.send("GET", f"/v1/companies/{german}")).json()["mergedInto"] == acme
    assert (await client.ok("GET", f"/v1/companies/{acme}"))["name"] == "Acme GmbH"
    later = await client.lead("late@acme.de")
    assert await client.company_of(later) == acme

    for _ in range(2):  # again changes nothing
        await client.ok("POST", f"/v1/company-merges/{merge['id']}/undos")
    assert [await client.company_of(lead) for lead in (ada, bob, eve, later)] == [acme, german, german, german]
    assert (await client.domains(acme), await client.domains(german)) == (["acme.com"], ["acme.de"])
    assert (await client.ok("GET", f"/v1/companies/{acme}"))["name"] is None
    (listed,) = (await client.ok("GET", f"/v1/companies/{acme}/merges"))["items"]
    assert (listed["kind"], listed["otherTitle"], listed["undoneAt"] is None) == ("merge", "Acme GmbH", False)


async def test_a_merge_with_itself_a_deleted_or_a_merged_company_is_refused(client: Client) -> None:
    acme, beta, gamma = [await client.company(domain) for domain in ("acme.com", "beta.de", "gamma.de")]
    merge = await client.ok("POST", f"/v1/companies/{acme}/merges", {"otherId": beta})

    async def refused(company: str, other: str) -> tuple[int, str]:
        answer = await client.send("POST", f"/v1/companies/{company}/merges", {"otherId": other})
        return answer.status_code, answer.json()["code"]

    assert await refused(acme, acme) == (400, "invalid_input")
    assert await refused(gamma, beta) == (400, "unknown_company")
    assert await refused(beta, gamma) == (404, "company_not_found")
    await client.ok("POST", f"/v1/companies/{gamma}/merges", {"otherId": acme})
    undo = await client.send("POST", f"/v1/company-merges/{merge['id']}/undos")
    assert (undo.status_code, undo.json()["code"]) == (409, "company_merge_not_undoable")


async def test_a_split_takes_leads_along_and_its_undo_joins_them_again(client: Client) -> None:
    ada = await client.lead("ada@acme.com")
    acme = await client.company_of(ada)
    assert acme is not None
    await client.ok("POST", f"/v1/companies/{acme}/domains", {"domain": "acme.de"})
    bob = await client.lead("bob@acme.de")
    split = await client.ok("POST", f"/v1/companies/{acme}/splits", {"domains": ["acme.com"], "name": "Acme Inc"})

    assert [await client.company_of(lead) for lead in (ada, bob)] == [split["otherId"], acme]
    assert await client.titles() == ["Acme Inc", "acme.de"]
    everything = await client.send("POST", f"/v1/companies/{acme}/splits", {"domains": ["acme.de"]})
    assert everything.json()["errors"][0]["pointer"] == "/domains"
    await client.ok("POST", f"/v1/company-merges/{split['id']}/undos")
    assert [await client.company_of(lead) for lead in (ada, bob)] == [acme, acme]
    assert await client.domains(acme) == ["acme.com", "acme.de"]


async def test_domains_are_added_chosen_and_removed(client: Client) -> None:
    acme, _ = await client.company("acme.com"), await client.company("beta.de")
    path = f"/v1/companies/{acme}"
    await client.ok("POST", f"{path}/domains", {"domain": "acme.de"})
    taken = await client.send("POST", f"{path}/domains", {"domain": "beta.de"})
    unknown = await client.send("PATCH", path, {"domain": "gamma.de"}, **{"If-Match": '"2"'})
    assert (taken.json()["code"], unknown.json()["code"]) == ("duplicate_company", "unknown_domain")

    await client.ok("PATCH", path, {"domain": "acme.de"}, **{"If-Match": '"2"'})
    await client.lead("ada@acme.com")
    assert await client.domains(acme) == ["acme.de", "acme.com"]
    for domain in ("acme.de", "acme.com"):  # the main one, and one with a lead
        answer = await client.send("POST", f"{path}/domain-removals", {"domain": domain})
        assert (answer.status_code, answer.json()["code"]) == (409, "domain_in_use")
    await client.ok("POST", f"{path}/domains", {"domain": "acme.fr"})
    await client.ok("POST", f"{path}/domain-removals", {"domain": "acme.fr"})
    assert await client.domains(acme) == ["acme.de", "acme.com"]


async def test_a_deleted_company_hides_its_leads_and_is_restored_with_them_until_it_is_purged(client: Client) -> None:
    ada = await client.lead("ada@acme.com")
    acme = await client.company_of(ada)
    path = f"/v1/companies/{acme}"
    await client.ok("DELETE", path, **{"If-Match": '"1"'})

    assert await client.company_of(await client.lead("bob@acme.com")) is None
    assert await client.company_of(ada) is None
    assert await client.titles() == []
    assert (await client.send("POST", "/v1/companies", {"domain": "acme.com"})).json()["deleted"] is True
    await client.ok("POST", f"{path}/restorations")
    assert await client.company_of(ada) == acme
    assert (await client.ok("GET", "/v1/companies"))["items"][0]["leads"]["value"] == 2

    await client.ok("DELETE", path, **{"If-Match": '"3"'})
    async with client.database.transaction(client.caller.workspace_id) as tx:
        await tx.execute(_AGE, {"workspace_id": client.caller.workspace_id})
    async with client.database.system() as tx:
        await merging_store.purge(tx, 10, days=30)
    assert (await client.send("POST", f"{path}/restorations")).status_code == 404


async def test_a_list_of_domains_becomes_companies_and_an_export_can_be_imported_again(client: Client) -> None:
    entries = [{"domain": "acme.com", "name": "=cmd()"}, {"domain": "www.acme.com"}, {"domain": "gmail.com"}, 7]
    made = await client.ok("POST", "/v1/companies/batch", {"companies": entries})
    assert [item["status"] for item in made["results"]] == ["created", "existing", "invalid", "invalid"]

    file = (await client.send("GET", "/v1/companies/export")).text
    assert "acme.com,'=cmd()," in file
    assert list(entries_of(iter(file.splitlines(keepends=True)))) == [{"domain": "acme.com", "name": "=cmd()"}]
    again = await client.ok("POST", "/v1/companies/batch", {"companies": list(entries_of(iter(file.splitlines())))})
    assert (again["created"], again["existing"]) == (0, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme.com\n\n beta.de \n", [{"domain": "acme.com"}, {"domain": "beta.de"}]),
        ("\ufeffName;Website\nAcme;https://acme.com\n", [{"domain": "https://acme.com", "name": "Acme"}]),
        ('acme.com,"Acme, Inc"\n', [{"domain": "acme.com", "name": "Acme, Inc"}]),
        ('"unclosed\nacme.com\n', [{"domain": "unclosed"}, {"domain": "acme.com"}]),
        ("", []),
    ],
)
def test_lists_of_domains_are_read_in_any_form(text: str, expected: list[dict[str, str]]) -> None:
    assert list(entries_of(iter(text.splitlines(keepends=True)))) == expected


async def test_the_permissions_are_of_their_own(client: Client, toys: httpx.AsyncClient, database: Database) -> None:
    acme = await client.company("acme.com")
    scopes = [LEADS_READ, LEADS_WRITE, COMPANIES_READ]
    reader = await new_caller(database, scopes, workspace_id=client.caller.workspace_id)

    refused = await toys.post(f"/v1/companies/{acme}/restorations", headers=reader.headers)

    assert refused.json()["requiredPermission"] == "companies:write"
    assert COMPANIES_READ in PERMISSIONS[Role.VIEWER]
    assert COMPANIES_WRITE not in PERMISSIONS[Role.VIEWER]
    assert COMPANIES_WRITE in PERMISSIONS[Role.MEMBER]
