"""Twins of two products of Abstract (v1), from their documentation. Each has a key of its own."""

from collections.abc import Mapping
from typing import ClassVar

from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.world import company_of
from leadflood.demo.providers.people import person_of
from leadflood.demo.providers.twin import Twin, TwinCall, json_page


class _AbstractTwin(Twin):
    """The keys and errors of all products. Each call is charged, whether it finds something or not."""

    def given_key(self, request: Received, query: Mapping[str, str]) -> str:
        """The header, or the parameter."""
        return request.headers.get("authorization", "").removeprefix("Bearer ") or query.get("api_key", "")

    def unauthorized(self) -> SitePage:
        """401; a key of another product as well."""
        return _error(401, "unauthorized", "Invalid API key provided.")

    def charged_page(self, question: str, value: Mapping[str, object]) -> SitePage:
        """The record, or 422 without credits."""
        if not self.charge(question):
            return _error(422, "quota_reached", "Insufficient API credits.")
        return json_page(value)


class AbstractEmailTwin(_AbstractTwin):
    """Email reputation."""

    hosts = ("emailreputation.abstractapi.com",)
    key: ClassVar[str] = "abstract-email-demo-key-0004"

    def answer(self, call: TwinCall) -> SitePage:
        """The reputation of an address."""
        email = call.query.get("email", "")
        if not email:
            return _error(400, "validation_error", "email: This field is required.")
        found = person_of(email, provider="abstract")
        known = company_of(email.rpartition("@")[2])
        sender = {
            "first_name": found.first_name if found else None,
            "last_name": found.last_name if found else None,
            "organization_name": known.name if known else None,
        }
        status = "deliverable" if known else "undeliverable"
        quality = {"score": 0.9, "is_free_email": False, "is_disposable": False, "is_catchall": False, "is_role": False}
        record = {
            "email_address": email,
            "email_deliverability": {"status": status, "is_format_valid": True, "is_smtp_valid": known is not None},
            "email_quality": quality,
            "email_sender": sender,
        }
        return self.charged_page(f"email {email}", record)


class AbstractCompanyTwin(_AbstractTwin):
    """Company enrichment."""

    hosts = ("companyenrichment.abstractapi.com",)
    key: ClassVar[str] = "abstract-company-demo-key-0005"

    def answer(self, call: TwinCall) -> SitePage:
        """The record of a domain; one of nulls for an unknown domain."""
        domain = call.query.get("domain", "")
        if not domain:
            return _error(400, "validation_error", "domain: This field is required.")
        found = company_of(domain)
        record = {
            "domain": domain,
            "company_name": found.name if found else None,
            "description": None,
            "year_founded": found.founded if found else None,
            "industry": found.industry if found else None,
            "employee_count": found.employees if found else None,
            "employee_range": None,
            "city": found.city if found else None,
            "state": None,
            "country": None,
            "country_iso_code": found.country if found else None,
            "linkedin_url": None,
        }
        return self.charged_page(f"company {domain}", record)


def _error(status: int, code: str, message: str) -> SitePage:
    return json_page({"error": {"code": code, "message": message, "details": None}}, status)
