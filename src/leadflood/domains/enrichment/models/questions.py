"""Questions to sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.read_pages import ReadPage
from leadflood.domains.enrichment.models.sources import SourceSpec


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A value that is known about the subject of a question. `key`: as `Fact.key`."""

    value: FactValue
    confidence: float
    key: str


@dataclass(frozen=True, slots=True)
class Question:
    """Known values of a subject, and the fields that are wanted.

    Attributes:
        subject: its kind.
        known: values by field, best first. A value that a person wrote has the confidence 1.
        wanted: fields to find. A source may give others, too.
        asked_at: the present time, for receipts.
        deadline: no answer is used that comes later. The engine stops the source then.
        purchase_id: of a call that costs money, the same where a lost call is repeated: the key for a provider that
            charges for a repeated request once.
        pages: that other sources have read about the subject.
    """

    subject: SubjectKind
    known: Mapping[FactField, Sequence[KnownFact]]
    wanted: frozenset[FactField]
    asked_at: datetime
    deadline: datetime
    purchase_id: UUID | None = None
    pages: Sequence[ReadPage] = ()

    def best(self, wanted: FactField) -> FactValue | None:
        """The best known value of a field."""
        values = self.known.get(wanted, ())
        return values[0].value if values else None

    def text(self, wanted: FactField) -> str | None:
        """The best known value of a field, as a text."""
        value = self.best(wanted)
        return None if value is None else str(value)


def meets(needs: Sequence[frozenset[FactField]], known: Mapping[FactField, Sequence[KnownFact]]) -> bool:
    """Whether one of the sets of fields is known completely."""
    return any(all(known.get(each) for each in needed) for needed in needs)


def question_parts(spec: SourceSpec, question: Question) -> list[bytes]:
    """The parts of a question that decide its answer: the input of a lookup's fingerprint.

    Source, version, and the known values that it reads, by field: so another name asks again, and another phone number
    does not. Several values of a field are read as a set. For a source that reads pages, what is wanted of it counts as
    well; the pages do not: it is not asked again because a page was changed.
    """
    parts = [spec.name, spec.version, question.subject.value]
    for read in sorted(spec.inputs, key=lambda each: each.name):
        values = sorted(item.key for item in question.known.get(read, ()))
        parts += [read.name, str(len(values)), *values]
    if spec.reads_pages:
        parts += sorted(each.name for each in spec.gives & question.wanted)
    return [part.encode("utf-8", "surrogatepass") for part in parts]
