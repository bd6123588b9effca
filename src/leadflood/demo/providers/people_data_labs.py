"""Twin of People Data Labs (API v5), from its documentation."""

from collections.abc import Mapping
from typing import ClassVar

from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.world import company_of
from leadflood.demo.providers.people import person_of
from leadflood.demo.providers.twin import Twin, TwinCall, json_page


class PeopleDataLabsTwin(Twin):
    """Enrichment of persons and companies. One credit for each match; a miss is free."""

    hosts = ("api.peopledatalabs.com",)
    key: ClassVar[str] = "pdl-demo-key-0002"

    def given_key(self, request: Received, query: Mapping[str, str]) -> str:
        """The header, or the parameter."""
        return request.headers.get("x-api-key", "") or query.get("api_key", "")

    def unauthorized(self) -> SitePage:
        """401."""
        error = {"type": ["invalid_credentials"], "message": "Request contained a missing or invalid key"}
        return json_page({"status": 401, "error": error}, 401)

    def answer(self, call: TwinCall) -> SitePage:
        """One of the two methods."""
        if call.path == "/v5/person/enrich":
            return self._person(call.query)
        if call.path == "/v5/company/enrich":
            return self._company(call.query.get("website", ""))
        return self._error(404, "not_found", "Not found")

    def _person(self, query: Mapping[str, str]) -> SitePage:
        email = query.get("email", "")
        if not email:
            if not all(query.get(name) for name in ("first_name", "last_name", "company")):
                return self._error(400, "invalid_request_error", "Request contained too few parameters")
            email = f"{query['first_name']}.{query['last_name']}@{query['company']}".lower()
        found = person_of(email, provider="people_data_labs")
        if found is None:
            return self._error(404, "not_found", "No records were found matching your request")
        if not self.charge(f"person {email}"):
            return self._no_credits()
        data = {
            "id": f"person-{len(self.charges)}",
            "full_name": f"{found.first_name} {found.last_name}".lower(),
            "first_name": found.first_name.lower(),
            "last_name": found.last_name.lower(),
            "job_title": found.title.lower(),
            "job_title_role": found.function,
            "job_title_levels": [found.seniority],
            "job_company_name": found.company.name.lower(),
            "mobile_phone": found.mobile,
            "phone_numbers": [found.mobile],
            "location_country": found.company.country,
        }
        return json_page({"status": 200, "likelihood": 9, "data": data}, headers=self._headers(1))

    def _company(self, domain: str) -> SitePage:
        company = company_of(domain)
        if company is None:
            return self._error(404, "not_found", "No records were found matching your request")
        if not self.charge(f"company {domain}"):
            return self._no_credits()
        location = {
            "locality": company.city.lower(),
            "region": None,
            "country": company.country,
            "street_address": company.street.lower(),
            "postal_code": company.postal_code,
        }
        record = {
            "status": 200,
            "likelihood": 10,
            "id": f"company-{len(self.charges)}",
            "name": company.name.lower(),
            "display_name": company.name,
            "size": "51-200",
            "employee_count": company.employees,
            "founded": company.founded,
            "industry": company.industry.lower(),
            "summary": None,
            "tags": [],
            "ticker": None,
            "location": location,
        }
        return json_page(record, headers=self._headers(1))

    def _headers(self, spent: int) -> dict[str, str]:
        """Headers of each answer. Those of the rate are JSON with single quotes, as they are sent in truth."""
        return {
            "x-call-credits-spent": str(spent),
            "x-call-credits-type": "enrich",
            "x-lifetime-used": str(self.charged),
            "x-ratelimit-remaining": "{'minute': 99}",
            "x-totallimit-remaining": str(self.credits),
        }

    def _error(self, status: int, kind: str, message: str) -> SitePage:
        error = {"type": kind, "message": message}
        return json_page({"status": status, "error": error}, status, self._headers(0))

    def _no_credits(self) -> SitePage:
        return self._error(402, "payment_required", "You have hit your account maximum for person enrichment")
