"""Public registers of the demo's internet, in their documented formats, with the demo's companies in them."""

import json
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.world import DemoCompany, companies

GLEIF: Final = "api.gleif.org"
SEC_DATA: Final = "data.sec.gov"
SEC: Final = "www.sec.gov"
COMPANIES_HOUSE: Final = "api.company-information.service.gov.uk"
WIKIDATA: Final = "query.wikidata.org"
ADDRESS: Final = "25.100.0.1"
_JSON: Final = "application/json"


def register_page(request: Received) -> SitePage | None:
    """Response of a register; None if the host is none."""
    answer = _REGISTERS.get(request.host.partition(":")[0])
    return None if answer is None else answer(request)


def _by(kind: str, number: str) -> DemoCompany | None:
    return next((company for company in companies() if company.identifiers.get(kind) == number), None)


def _gleif(request: Received) -> SitePage:
    """GLEIF API v1 (JSON:API): one record by LEI, or a list by `filter[entity.legalName]`."""
    parts = urlsplit(request.path)
    prefix = "/api/v1/lei-records"
    if parts.path.startswith(f"{prefix}/"):
        company = _by("lei", parts.path.removeprefix(f"{prefix}/"))
        if company is None:
            return _json({"errors": [{"status": "404", "title": "Not Found"}]}, 404, "application/vnd.api+json")
        return _json({"data": _lei_record(company)}, content_type="application/vnd.api+json")
    wanted = parse_qs(parts.query).get("filter[entity.legalName]", [""])[0].lower()
    found = [item for item in companies() if "lei" in item.identifiers and wanted and wanted in item.legal_name.lower()]
    page = {"currentPage": 1, "perPage": 10, "total": len(found)}
    data = [_lei_record(item) for item in found[:10]]
    return _json({"meta": {"pagination": page}, "data": data}, content_type="application/vnd.api+json")


def _lei_record(company: DemoCompany) -> dict[str, object]:
    number = company.identifiers["lei"]
    address = {
        "language": company.language,
        "addressLines": [company.street],
        "city": company.city,
        "country": company.country,
        "postalCode": company.postal_code,
    }
    entity = {
        "legalName": {"name": company.legal_name, "language": company.language},
        "legalAddress": address,
        "headquartersAddress": address,
        "registeredAs": company.identifiers.get("register", company.identifiers.get("company_number")),
        "jurisdiction": company.country,
        "status": "ACTIVE",
        "creationDate": f"{company.founded}-01-01T00:00:00Z",
    }
    return {
        "type": "lei-records",
        "id": number,
        "attributes": {"lei": number, "entity": entity, "registration": {"status": "ISSUED"}},
    }


def _sec_data(request: Received) -> SitePage:
    """EDGAR submissions, which a user agent without a contact does not get."""
    if "@" not in request.headers.get("user-agent", ""):
        return SitePage(b"Undeclared automated tool", 403, content_type="text/html")
    number = request.path.removeprefix("/submissions/CIK").removesuffix(".json").lstrip("0")
    company = _by("cik", number)
    if company is None:
        return SitePage(b"Not found", 404, content_type="text/html")
    address = {"street1": company.street, "city": company.city, "zipCode": company.postal_code}
    return _json(
        {
            "cik": number.zfill(10),
            "name": company.legal_name,
            "website": f"https://{company.domain}",
            "sicDescription": company.industry,
            "phone": company.phone,
            "addresses": {"mailing": address, "business": address},
        }
    )


def _sec(request: Received) -> SitePage:
    """EDGAR's list of companies with a ticker."""
    if request.path != "/files/company_tickers.json":
        return SitePage(b"Not found", 404, content_type="text/html")
    listed = [company for company in companies() if "cik" in company.identifiers]
    rows = {
        str(place): {"cik_str": int(each.identifiers["cik"]), "ticker": each.name[:4].upper(), "title": each.legal_name}
        for place, each in enumerate(listed)
    }
    return _json(rows)


def _companies_house(request: Received) -> SitePage:
    """UK Companies House: a company by number, for callers with a key."""
    if not request.headers.get("authorization", "").startswith("Basic "):
        return _json({"error": "Empty Authorization header", "type": "ch:service"}, 401)
    company = _by("company_number", request.path.removeprefix("/company/"))
    if company is None:
        return _json({"errors": [{"error": "company-profile-not-found", "type": "ch:service"}]}, 404)
    return _json(
        {
            "company_name": company.legal_name.upper(),
            "company_number": company.identifiers["company_number"],
            "company_status": "active",
            "type": "ltd",
            "date_of_creation": f"{company.founded}-01-01",
            "registered_office_address": {
                "address_line_1": company.street,
                "locality": company.city,
                "postal_code": company.postal_code,
                "country": "England",
            },
        }
    )


def _wikidata(request: Received) -> SitePage:
    """Wikidata Query Service: the companies whose website the query names, as SPARQL 1.1 results in JSON."""
    query = unquote(request.path).replace("+", " ") + request.body.decode("utf-8", "replace")
    found = [company for company in companies() if company.domain in query]
    bindings = [
        {
            "item": {"type": "uri", "value": f"http://www.wikidata.org/entity/Q{900_000 + companies().index(each)}"},
            "itemLabel": {"type": "literal", "xml:lang": "en", "value": each.name},
            "website": {"type": "uri", "value": f"https://{each.domain}/"},
            "inception": {"type": "literal", "value": f"{each.founded}-01-01T00:00:00Z"},
            "employees": {"type": "literal", "value": str(each.employees)},
        }
        for each in found
    ]
    names = ["item", "itemLabel", "website", "inception", "employees"]
    results = {"head": {"vars": names}, "results": {"bindings": bindings}}
    return _json(results, content_type="application/sparql-results+json")


def _json(value: object, status: int = 200, content_type: str = _JSON) -> SitePage:
    return SitePage(json.dumps(value).encode(), status, content_type=content_type)


_REGISTERS: Final[Mapping[str, Callable[[Received], SitePage]]] = {
    GLEIF: _gleif,
    SEC_DATA: _sec_data,
    SEC: _sec,
    COMPANIES_HOUSE: _companies_house,
    WIKIDATA: _wikidata,
}
HOSTS: Final = tuple(_REGISTERS)
"""Hosts of the registers."""
