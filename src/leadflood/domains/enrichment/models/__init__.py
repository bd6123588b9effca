"""Models of enrichment: fields that can be found, facts with receipts, questions, answers, and the sources of both."""

from leadflood.domains.enrichment.models.answers import (
    Answer,
    Away,
    Busy,
    Found,
    KeyRejected,
    Missed,
    Objected,
    OutOfCredits,
    Refused,
    SourceFailure,
    Ticket,
)
from leadflood.domains.enrichment.models.fact_fields import FactCatalog, FactField, FactType, FactValue, SubjectKind
from leadflood.domains.enrichment.models.facts import Fact, Receipt, is_quoted
from leadflood.domains.enrichment.models.questions import Question
from leadflood.domains.enrichment.models.sources import (
    Charge,
    FetchedData,
    FetchedPage,
    Fetcher,
    Rate,
    Repeat,
    Source,
    SourceSpec,
    Speed,
    TicketSource,
)

__all__ = [
    "Answer",
    "Away",
    "Busy",
    "Charge",
    "Fact",
    "FactCatalog",
    "FactField",
    "FactType",
    "FactValue",
    "FetchedData",
    "FetchedPage",
    "Fetcher",
    "Found",
    "KeyRejected",
    "Missed",
    "Objected",
    "OutOfCredits",
    "Question",
    "Rate",
    "Receipt",
    "Refused",
    "Repeat",
    "Source",
    "SourceFailure",
    "SourceSpec",
    "Speed",
    "SubjectKind",
    "Ticket",
    "TicketSource",
    "is_quoted",
]
