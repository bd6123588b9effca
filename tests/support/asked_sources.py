"""Sources for tests of the engine: they answer as they are set up to, and record what they were asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadflood.domains.enrichment.models import (
    Answer,
    Charge,
    Fact,
    FactField,
    FactValue,
    Fetcher,
    Found,
    Missed,
    Question,
    Rate,
    Receipt,
    SourceSpec,
    Speed,
    SubjectKind,
    Ticket,
)
from leadflood.domains.enrichment.models import company_fields as company
from tests.support.canned_web import NOW


def spec_of(
    name: str,
    *gives: FactField,
    needs: Sequence[frozenset[FactField]] = (frozenset({company.DOMAIN}),),
    speed: Speed = Speed.NETWORK,
    family: str = "",
    charges: Charge = Charge.NEVER,
    most_units: int = 1,
    rate: Rate | None = None,
    one_service: bool = True,
    concurrency: int = 16,
) -> SourceSpec:
    """The declaration of a source of companies."""
    return SourceSpec(
        name=name,
        version="1",
        label=name.title(),
        subject=SubjectKind.COMPANY,
        speed=speed,
        needs=needs,
        gives=frozenset(gives),
        family=family or name,
        charges=charges,
        most_units=0 if charges is Charge.NEVER else most_units,
        rate=rate,
        one_service=one_service,
        concurrency=concurrency,
        seconds=5,
    )


def fact(value: FactValue, confidence: float = 0.9, *, of: FactField = company.NAME, at: datetime = NOW) -> Fact:
    """A fact with a receipt."""
    return Fact.of(of, value, confidence, Receipt("test", "A test says so.", at))


@dataclass
class ScriptedSource:
    """Gives its answers one after the other, the last one for ever. An exception is raised."""

    spec: SourceSpec
    answers: Sequence[Answer | Exception]
    questions: list[Question] = field(default_factory=list)
    polled: list[Ticket] = field(default_factory=list)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The next answer."""
        self.questions.append(question)
        return self._next()

    async def poll(self, ticket: Ticket, question: Question, fetcher: Fetcher) -> Answer:
        """The next answer."""
        self.polled.append(ticket)
        return self._next()

    def _next(self) -> Answer:
        place = min(len(self.questions) + len(self.polled), len(self.answers)) - 1
        answer = self.answers[place]
        if isinstance(answer, Exception):
            raise answer
        return answer


def finds(*facts: Fact) -> Found:
    """An answer with facts."""
    return Found(facts)


NOTHING = Missed("It knows nothing of this company.")


@dataclass
class FakeClock:
    """A clock that sleeping moves."""

    time: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """The time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
