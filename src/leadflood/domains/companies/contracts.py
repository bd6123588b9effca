"""Contracts of companies."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CompanyLink:
    """The company of a lead.

    Attributes:
        domain: the main domain of the company.
        pinned: whether a person chose it, so that a changed email or website does not matter.
    """

    company_id: UUID
    domain: str
    pinned: bool
