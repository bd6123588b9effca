"""Findings of adapters: known values of a lead, found values, and the choice of the best one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Field(StrEnum):
    """A fact that can be found about a lead. The value is the key under which it is stored and shown."""

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    COMPANY_NAME = "company_name"
    COMPANY_DOMAIN = "company_domain"
    """The registrable domain of the employer (eTLD+1), as an A-label in lower case."""

    CANONICAL_EMAIL = "canonical_email"
    """Canonical spelling for all addresses of the same mailbox; for comparison, never for sending."""

    LIKELY_TYPO_OF = "likely_typo_of"
    """The whole address that was probably meant."""

    IS_FREE_MAIL = "is_free_mail"
    IS_DISPOSABLE = "is_disposable"
    IS_ROLE_ADDRESS = "is_role_address"


@dataclass(frozen=True, slots=True)
class KnownLead:
    """Input of an adapter."""

    lead_id: UUID
    email: str
    email_norm: str
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    job_title: str | None = None
    phone: str | None = None
    website: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class FoundValue:
    """A value with its receipt."""

    field: Field
    value: str | bool | int | float
    confidence: float
    """Probability that the value is right, 0 to 1, as estimated by the adapter."""

    method: str
    """Method that found it: a short stable name such as `local_part_pattern`."""

    evidence: str
    """The reason in one sentence, for people."""

    source_url: str | None = None
    cost_micros: int = 0
    """Price of this value in millionths of the account's currency."""

    def __post_init__(self) -> None:
        """Raises: ValueError: confidence outside 0..1 (NaN included) or negative cost."""
        if not 0 <= self.confidence <= 1:
            message = f"The confidence of {self.field} is {self.confidence}; it must lie between 0 and 1."
            raise ValueError(message)
        if self.cost_micros < 0:
            message = f"The cost of {self.field} is {self.cost_micros}; it cannot be negative."
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A found value and its source."""

    adapter: str
    adapter_version: str
    found: FoundValue


@dataclass(frozen=True, slots=True)
class MovedFindings:
    """Findings that a merge moved: runs, and values with whether each was the chosen one before."""

    runs: Sequence[UUID]
    values: Mapping[UUID, bool]


class Adapter(Protocol):
    """A source of values about leads.

    It gives no value rather than a guess it would not bet on, and raises `Retryable` or `Terminal` from
    `leadflood.domains.jobs.errors`; it never retries by itself.
    """

    @property
    def name(self) -> str:
        """Stable name, stored with every value."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same lead may get other values."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether it answers without waiting, never raises and costs nothing, so that it may be called again."""
        ...

    async def enrich(self, lead: KnownLead) -> Sequence[FoundValue]:
        """The values that this source has; empty if none.

        Raises:
            Retryable: the source is away or over its limit for now.
            Terminal: asking again cannot help.
        """
        ...


def best_values(candidates: Iterable[Candidate]) -> dict[Field, Candidate]:
    """The best finding of each field: the highest confidence, and among equals the first.

    Args:
        candidates: in the order in which their adapters are registered.
    """
    best: dict[Field, Candidate] = {}
    for candidate in candidates:
        field = candidate.found.field
        if field not in best or candidate.found.confidence > best[field].found.confidence:
            best[field] = candidate
    return best
