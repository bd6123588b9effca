"""A language model that a workspace has set up: where it is, what it is asked for, and what that can cost. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models.fact_fields import FactField

LANGUAGE_MODEL: Final = "language_model"
"""Name of the source."""
ANSWERABLE: Final[Sequence[FactField]] = (
    company.NAME,
    company.LEGAL_NAME,
    company.LEGAL_FORM,
    company.DESCRIPTION,
    company.INDUSTRY,
    company.KEYWORD,
    company.EMPLOYEES,
    company.EMPLOYEE_RANGE,
    company.FOUNDED,
    company.PARENT,
    company.STREET,
    company.POSTAL_CODE,
    company.CITY,
    company.REGION,
    company.COUNTRY,
)
"""The fields that a model may be asked for: texts and numbers that pages state about a company."""
UNIT_TOKENS: Final = 1000
"""Tokens of one unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEndpoint:
    """A model behind an API like OpenAI's. Validated by `contracts.language_models.SetModelEndpoint`.

    Attributes:
        url: to which `/chat/completions` is added; normalized, without a slash at the end.
        model: its name, as the API knows it.
        auth: how the key is sent: `bearer` or `none`.
        fields: names of the fields that it is asked for.
        max_bytes: of page text in one question.
        max_tokens: of an answer.
        output_weight: tokens of input that cost as much as one of output.
    """

    url: str
    model: str
    auth: str
    fields: Sequence[str]
    max_bytes: int
    max_tokens: int
    output_weight: int

    @property
    def origin(self) -> str:
        """Scheme, host and port; what the key is bound to."""
        return "/".join(self.url.split("/", 3)[:3])

    @property
    def host(self) -> str:
        """Host and port, for people."""
        return self.origin.partition("://")[2]

    @property
    def wanted(self) -> Sequence[FactField]:
        """The fields, in the order of `ANSWERABLE`."""
        return [field for field in ANSWERABLE if field.name in self.fields]

    def version(self, instructions: str) -> str:
        """Changes with everything that may change an answer. Args: instructions: that the model gets."""
        parts = [self.url, self.model, sorted(self.fields), self.max_bytes, self.max_tokens, instructions]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]

    def units(self, tokens_in: int, tokens_out: int) -> int:
        """Units of a call: tokens, of which those of output count several times, in thousands, rounded up."""
        return -(-(tokens_in + self.output_weight * tokens_out) // UNIT_TOKENS)
