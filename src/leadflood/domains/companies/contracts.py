"""Contracts of companies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, Strict, model_validator

from leadflood.domains.companies.models import (
    MAX_DOMAINS,
    MAX_IMPORTED,
    MAX_NAME,
    CompanySource,
    CompanyStatus,
    LinkSource,
    MergeKind,
    company_domain,
)
from leadflood.domains.leads.contracts import NOT_NULL, ActorView
from leadflood.kernel.email_parts import to_u_labels
from leadflood.kernel.schema import Count, Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line
from leadflood.kernel.web_address import MAX_URL_LENGTH

_ID = "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10"
_OTHER_ID = "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e11"
_AT = "2026-03-01T09:30:00Z"

Domain = Annotated[str, FromText(company_domain, {"minLength": 1, "maxLength": MAX_URL_LENGTH})]
"""A domain, or a URL or email address that contains it."""
_Name = Annotated[str, line(MAX_NAME)]
_Id = Annotated[UUID, Strict(strict=False)]


@dataclass(frozen=True, slots=True)
class CompanyLink:
    """The company of a lead.

    Attributes:
        domain: the main domain of the company.
        pinned: whether a person chose it, so that a changed email or website does not matter.
        named: whether a person or a file named the company.
    """

    company_id: UUID
    domain: str
    pinned: bool
    named: bool = False


@dataclass(frozen=True, slots=True)
class LinkedLeads:
    """The active companies of leads, the leads whose company changed, and those of them that had one before."""

    links: Mapping[UUID, CompanyLink] = field(default_factory=dict)
    changed: Sequence[UUID] = ()
    moved: Sequence[UUID] = ()


class CreateCompany(Schema):
    """A new company. `domain` may be a URL or an email address, too: `https://www.acme.com` becomes `acme.com`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"domain": "acme.com", "name": "Acme"}]})

    domain: Domain
    name: _Name | None = None


class CreateCompanies(Schema):
    """Companies to create by domain, up to 1,000. Entries are validated one by one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"companies": [{"domain": "acme.com", "name": "Acme"}, {"domain": "beta.de"}]}]}
    )

    companies: Annotated[list[object], Field(min_length=1, max_length=MAX_IMPORTED)]


class UpdateCompany(Schema):
    """Changes to a company: absent fields are kept. `domain`: the one of its domains that becomes the main one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Acme"}]})

    name: _Name | None = None
    domain: Annotated[Domain | None, *NOT_NULL] = None

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateCompany":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


class CompanyDomain(Schema):
    """A domain of a company."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"domain": "acme.de"}]})

    domain: Domain


class MergeCompany(Schema):
    """The company that becomes part of this one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"otherId": _OTHER_ID}]})

    other_id: _Id


class SplitCompany(Schema):
    """The domains that become a company of their own, the first one its main domain."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"domains": ["acme.de"], "name": "Acme Germany"}]})

    domains: Annotated[list[Domain], Field(min_length=1, max_length=MAX_DOMAINS)]
    name: _Name | None = None


class ChooseCompany(Schema):
    """The company of a lead; null: it belongs to none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"companyId": _ID}]})

    company_id: _Id | None


class CompanyRef(View):
    """The company of a lead."""

    id: UUID
    name: str | None
    domain: str = Field(description="Main domain.")
    source: LinkSource = Field(description="Part of the lead that names the company.")
    pinned: bool = Field(description="Whether a user chose it. Changes of the lead don't matter then.")

    @property
    def title(self) -> str:
        """Its name, otherwise its main domain in Unicode."""
        return self.name or to_u_labels(self.domain)


class LeadCompany(View):
    """The company that a lead belongs to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "company": {
                        "id": _ID,
                        "name": "Acme",
                        "domain": "acme.com",
                        "source": "email",
                        "pinned": False,
                    },
                    "pinned": False,
                }
            ]
        }
    )

    company: CompanyRef | None
    pinned: bool = Field(description="Whether a user chose it. With `company` null: chose that it belongs to none.")


class CompanyView(View):
    """A company. `version` is the value for `If-Match`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "name": "Acme",
                    "domain": "acme.com",
                    "status": "known",
                    "source": "lead",
                    "leads": {"value": 12, "exact": True},
                    "version": 1,
                    "createdAt": _AT,
                    "updatedAt": _AT,
                }
            ]
        }
    )

    id: UUID
    name: str | None = Field(description="As users write it; null if none has.")
    domain: str = Field(description="Main domain.")
    status: CompanyStatus
    source: CompanySource = Field(description="Origin of the company.")
    leads: Count | None = Field(default=None, description="Leads of the company, counted up to 1,000. Only in lists.")
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def title(self) -> str:
        """Its name, otherwise its main domain in Unicode."""
        return self.name or to_u_labels(self.domain)


class CompanyDomainView(View):
    """A domain of a company."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"domain": "acme.com", "main": True, "source": "lead", "evidence": None, "addedAt": _AT}]
        }
    )

    domain: str
    main: bool
    source: CompanySource = Field(description="Origin of the domain.")
    evidence: str | None = Field(description="Reasons why it belongs to the company.")
    added_at: datetime


class CompanyDomains(View):
    """The domains of a company, the main one first."""

    items: list[CompanyDomainView]


class CompanyMergeView(View):
    """A merge or split of companies.

    A merge made `otherId` part of `companyId`; a split made `otherId` of domains of `companyId`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e12",
                    "kind": "merge",
                    "companyId": _ID,
                    "otherId": _OTHER_ID,
                    "otherTitle": "Acme Germany",
                    "domains": ["acme.de"],
                    "createdAt": _AT,
                    "undoneAt": None,
                }
            ]
        }
    )

    id: UUID
    kind: MergeKind
    company_id: UUID
    other_id: UUID
    other_title: str = Field(description="Name or main domain of the other company.")
    domains: list[str] = Field(description="The domains that moved.")
    created_at: datetime
    undone_at: datetime | None


class CompanyEntry(View):
    """Result for an entry of a list of companies."""

    domain: str | None = Field(description="The normalized domain, or the text given if it is invalid.")
    status: str = Field(description="`created`, `existing`, or `invalid`.")
    id: UUID | None = None
    error: str | None = Field(default=None, description="What is wrong, and what to do.")


class CompanyEntries(View):
    """One result for each entry, in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [{"domain": "acme.com", "status": "created", "id": _ID, "error": None}],
                    "created": 1,
                    "existing": 0,
                    "invalid": 0,
                }
            ]
        }
    )

    results: list[CompanyEntry]
    created: int
    existing: int
    invalid: int


class CompanyEventView(View):
    """An entry of a company's timeline."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-5e4e-7b22-9d10-5a4b3c2d1e0f",
                    "companyId": _ID,
                    "kind": "company.created",
                    "at": _AT,
                    "actor": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "data": {"source": "person"},
                }
            ]
        }
    )

    id: UUID
    company_id: UUID = Field(description="Company of the entry; another ID if it was merged into this one.")
    kind: str
    at: datetime
    actor: ActorView
    data: dict[str, JsonValue]
