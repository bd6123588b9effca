"""Twin of Hunter (API v2), from its documentation."""

from collections.abc import Mapping
from typing import ClassVar

from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.world import company_of
from leadflood.demo.providers.people import person_of
from leadflood.demo.providers.twin import Twin, TwinCall, json_page


class HunterTwin(Twin):
    """Domain search, email finder, email verifier and account. One credit for each answer with an address."""

    hosts = ("api.hunter.io",)
    key: ClassVar[str] = "hunter-demo-key-0001"

    def __init__(self) -> None:
        super().__init__()
        self.objected: set[str] = set()
        """Addresses of persons who asked not to be looked up."""

    def given_key(self, request: Received, query: Mapping[str, str]) -> str:
        """The header, or the parameter that the documentation allows as well."""
        return request.headers.get("x-api-key", "") or query.get("api_key", "")

    def unauthorized(self) -> SitePage:
        """401."""
        return _error(401, "authentication_failed", "No user found for the API key supplied")

    def answer(self, call: TwinCall) -> SitePage:
        """One of the four methods."""
        match call.path:
            case "/v2/account":
                used = {"used": self.charged, "available": self.charged + self.credits}
                kinds = {"searches": used, "verifications": {"used": self._verified, "available": 10_000}}
                return json_page({"data": {"email": "demo@example.com", "requests": kinds}})
            case "/v2/domain-search":
                return self._search(call.query.get("domain", ""))
            case "/v2/email-finder":
                return self._find(call.query)
            case "/v2/email-verifier":
                return self._verify(call.query.get("email", ""))
        return _error(404, "not_found", "This resource does not exist")

    @property
    def _verified(self) -> int:
        return sum(charge.units for charge in self.charges if charge.question.startswith("verify "))

    def _search(self, domain: str) -> SitePage:
        if not domain:
            return _error(400, "wrong_params", "You are missing the domain parameter")
        company = company_of(domain)
        if company is None:
            return json_page({"data": {"domain": domain, "organization": None, "emails": []}, "meta": {"results": 0}})
        if not self.charge(f"search {domain}"):
            return _no_credits("searches")
        emails = [
            {"value": f"{name}@{domain}", "type": "generic", "confidence": confidence, "sources": []}
            for name, confidence in (("info", 94), ("sales", 88))
        ]
        data = {
            "domain": domain,
            "disposable": False,
            "webmail": False,
            "accept_all": False,
            "pattern": "{first}.{last}",
            "organization": company.name,
            "industry": company.industry,
            "country": company.country,
            "city": company.city,
            "postal_code": company.postal_code,
            "street": company.street,
            "technologies": [*company.technologies],
            "emails": emails,
        }
        return json_page({"data": data, "meta": {"results": len(emails), "limit": 10, "offset": 0}})

    def _find(self, query: Mapping[str, str]) -> SitePage:
        first, last, domain = (query.get(name, "") for name in ("first_name", "last_name", "domain"))
        if not (first and last and domain):
            return _error(400, "wrong_params", "You must supply the first name, the last name and the domain")
        email = f"{first}.{last}@{domain}".lower()
        if email in self.objected:
            return _error(
                451, "claimed_email", "The person behind the requested resource has asked not to be processed"
            )
        found = person_of(email, provider="hunter")
        if found is None:
            return json_page({"data": {"first_name": first, "last_name": last, "email": None, "score": None}})
        if not self.charge(f"find {email}"):
            return _no_credits("searches")
        data = {
            "first_name": found.first_name,
            "last_name": found.last_name,
            "email": found.email,
            "score": 93,
            "domain": domain,
            "accept_all": False,
            "position": found.title,
            "phone_number": None,
            "company": found.company.name,
            "sources": [],
            "verification": {"date": "2026-10-01", "status": "valid"},
        }
        return json_page({"data": data, "meta": {"params": {"domain": domain}}})

    def _verify(self, email: str) -> SitePage:
        if "@" not in email:
            return _error(400, "invalid_email", "The email supplied is invalid")
        if email in self.objected:
            return _error(
                451, "claimed_email", "The person behind the requested resource has asked not to be processed"
            )
        if not self.charge(f"verify {email}"):
            return _no_credits("verifications")
        known = company_of(email.rpartition("@")[2]) is not None
        data = {
            "status": "valid" if known else "invalid",
            "result": "deliverable" if known else "undeliverable",
            "score": 97 if known else 0,
            "email": email,
            "disposable": False,
            "webmail": False,
            "mx_records": known,
            "smtp_check": known,
            "accept_all": False,
        }
        return json_page({"data": data})


def _error(status: int, name: str, details: str) -> SitePage:
    return json_page({"errors": [{"id": name, "code": status, "details": details}]}, status)


def _objected() -> SitePage:
    return _error(451, "claimed_email", "The person behind this address asked us not to process their data.")


def _no_credits(kind: str) -> SitePage:
    details = f"You've reached the limit for the number of {kind} per billing period included in your plan."
    return _error(429, "too_many_requests", details)
