"""Twin of Apollo (API v1), from its documentation."""

from collections.abc import Mapping
from typing import ClassVar, Final

from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.world import company_of
from leadflood.demo.providers.people import DemoPerson, person_of
from leadflood.demo.providers.twin import Twin, TwinCall, json_page

_MOBILE: Final = 8
_POLLS: Final = 1
"""Times that a result is still pending."""


class ApolloTwin(Twin):
    """People match with and without waterfall, organizations, results and usage.

    A person costs 1 credit, a mobile number 8 more, an organization 1; a miss and asking for a result nothing.
    """

    hosts = ("api.apollo.io",)
    key: ClassVar[str] = "apollo-demo-key-0006"

    def __init__(self) -> None:
        super().__init__()
        self._searches: dict[str, tuple[DemoPerson | None, int]] = {}

    def given_key(self, request: Received, query: Mapping[str, str]) -> str:  # noqa: ARG002  of all twins
        """The header, which is the only way."""
        return request.headers.get("x-api-key", "")

    def unauthorized(self) -> SitePage:
        """401, in plain text."""
        return SitePage(b"Invalid access credentials.", 401, content_type="text/plain")

    def answer(self, call: TwinCall) -> SitePage:
        """One of the four methods."""
        path = call.path.removeprefix("/api/v1/")
        if path == "people/match" and call.method == "POST":
            return self._match(call.query)
        if path == "organizations/enrich":
            return self._organization(call.query.get("domain", ""))
        if path.startswith("webhook_result/"):
            return self._result(path.removeprefix("webhook_result/"))
        if path == "usage_stats/credit_usage_stats" and call.method == "POST":
            return json_page({"credits_used": self.charged, "credits_remaining": self.credits})
        return json_page({"error": "Not found", "error_code": "NOT_FOUND"}, 404)

    def _match(self, query: Mapping[str, str]) -> SitePage:
        email = query.get("email", "")
        if not email:
            first, last, domain = (query.get(name, "") for name in ("first_name", "last_name", "domain"))
            if not (first and last and domain):
                return json_page({"error": "Parameters are missing"}, 422)
            email = f"{first}.{last}@{domain}".lower()
        found = person_of(email, provider="apollo")
        if query.get("run_waterfall_phone") == "true":
            reference = str(1_000_000 + len(self._searches))
            self._searches[reference] = (found, 0)
            if found is not None and not self.charge(f"phone {email}", 1 + _MOBILE):
                return _no_credits()
            return json_page({"person": None, "request_id": int(reference), "waterfall": {"status": "accepted"}})
        if found is None:
            return json_page({"person": None})
        if not self.charge(f"person {email}"):
            return _no_credits()
        return json_page({"person": _record(found)})

    def _result(self, reference: str) -> SitePage:
        if reference not in self._searches:
            return json_page({"error": "Unknown request", "error_code": "request_id_unknown"}, 404)
        found, polls = self._searches[reference]
        if polls < _POLLS:
            self._searches[reference] = (found, polls + 1)
            pending = {"error": "Pending", "error_code": "result_pending", "retry_after_seconds": 10}
            return json_page(pending, 404)
        if found is None:
            return json_page({"status": "success", "people": [], "credits_consumed": 0})
        numbers = [{"raw_number": found.mobile, "sanitized_number": found.mobile, "type_cd": "mobile"}]
        return json_page({"status": "success", "people": [{"phone_numbers": numbers}], "credits_consumed": 1 + _MOBILE})

    def _organization(self, domain: str) -> SitePage:
        company = company_of(domain)
        if not domain:
            return json_page({"error": "Domain is missing"}, 422)
        if company is None:
            return json_page({})
        if not self.charge(f"company {domain}"):
            return _no_credits()
        record = {
            "id": f"organization-{len(self.charges)}",
            "name": company.name,
            "website_url": f"http://www.{domain}",
            "industry": company.industry.lower(),
            "estimated_num_employees": company.employees,
            "founded_year": company.founded,
            "primary_phone": {"number": company.phone},
            "technology_names": [*company.technologies],
            "street_address": company.street,
            "city": company.city,
            "postal_code": company.postal_code,
            "country": company.country,
        }
        return json_page({"organization": record})


def _record(found: DemoPerson) -> dict[str, object]:
    return {
        "id": f"person-{found.email}",
        "first_name": found.first_name,
        "last_name": found.last_name,
        "title": found.title,
        "seniority": found.seniority,
        "functions": [found.function],
        "country": found.company.country,
        "email_status": "verified",
        "organization": {"name": found.company.name, "primary_domain": found.company.domain},
    }


def _no_credits() -> SitePage:
    return json_page({"error": "Insufficient credits", "error_code": "INSUFFICIENT_CREDITS"}, 422)
