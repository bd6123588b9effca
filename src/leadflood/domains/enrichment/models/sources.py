"""Sources: what one declares about itself, how it is asked, and the only way in which it reaches the outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from leadflood.domains.enrichment.models.answers import Answer, Ticket
from leadflood.domains.enrichment.models.fact_fields import FactField, SubjectKind
from leadflood.kernel.door.replies import FollowedRedirect
from leadflood.kernel.door.resolver import DnsAnswer, RecordType
from leadflood.kernel.parsing import PageSource, ParsedPage
from leadflood.kernel.sandbox.process import Task

if TYPE_CHECKING:
    from leadflood.domains.enrichment.models.questions import Question


class Speed(StrEnum):
    """Way in which a source answers. `INSTANT`: without waiting, never failing, at no cost."""

    INSTANT = "instant"
    NETWORK = "network"
    PAID = "paid"
    TICKET = "ticket"


class Charge(StrEnum):
    """The calls for which a provider charges."""

    NEVER = "never"
    ON_HIT = "on_hit"
    ON_CALL = "on_call"


class Repeat(StrEnum):
    """Whether a call may be repeated whose answer was lost.

    `RECONCILE`: the provider's usage counter says whether it was charged. `NEVER`: it may be charged twice.
    """

    FREE = "free"
    IDEMPOTENT = "idempotent"
    RECONCILE = "reconcile"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls that a source accepts: at most `calls` in `seconds`, by all processes together."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """Declaration of a source.

    Attributes:
        name: stable, stored with every value.
        version: changes whenever the same question may get another answer.
        label: for people.
        subject: what it is asked about.
        speed: how it answers.
        needs: sets of fields, one of which must be known; the most certain first.
        gives: fields whose values it may have.
        family: sources with the same family do not confirm each other, because they read the same thing.
        also_reads: fields beyond `needs` whose values may change its answer.
        charges: the calls that cost money.
        most_units: units that one call can cost at most.
        repeat: whether a lost call may be repeated.
        ttl_hit: time for which its facts are not asked for again.
        ttl_miss: the same, for having nothing.
        rate: that it accepts; None: it is limited otherwise, such as by the pacing of websites.
        concurrency: calls of one process at a time.
        reads_pages: whether it reads pages that other sources have read, and is asked only where there are some.
        one_service: whether all questions go to the same servers, so that failures in a row mean that it is down.
        seconds: time for one call.
        least_seconds: without that much time left, it is not asked.

    Raises: ValueError: it charges, but answers instantly, or does not say how much a call can cost.
    """

    name: str
    version: str
    label: str
    subject: SubjectKind
    speed: Speed
    needs: Sequence[frozenset[FactField]]
    gives: frozenset[FactField]
    family: str
    also_reads: frozenset[FactField] = frozenset()
    charges: Charge = Charge.NEVER
    most_units: int = 0
    repeat: Repeat = Repeat.FREE
    ttl_hit: timedelta = timedelta(days=30)
    ttl_miss: timedelta = timedelta(days=30)
    rate: Rate | None = None
    concurrency: int = 16
    reads_pages: bool = False
    one_service: bool = True
    seconds: float = 30.0
    least_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.charges is Charge.NEVER:
            if self.speed is Speed.PAID or self.most_units:
                raise ValueError(f"{self.name}: a source that is paid has to say which calls cost money.")
        elif self.speed is Speed.INSTANT or self.most_units < 1:
            raise ValueError(f"{self.name}: a source that charges has most_units, and does not answer instantly.")

    @property
    def inputs(self) -> frozenset[FactField]:
        """The fields whose known values it reads."""
        return frozenset().union(*self.needs) | self.also_reads


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page of a website, of any status below 500 but 429.

    Attributes:
        url: that answered, after redirects.
        status: of HTTP.
        headers: by name in lower case; those of a repeated header are joined by commas.
        text: decoded.
        cut: whether the page was longer and is cut.
        redirects: that led here.
        fetched_at: when it was received.
        reserved_from_models: whether the site reserves it from text and data mining.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    text: str
    cut: bool
    redirects: Sequence[FollowedRedirect]
    fetched_at: datetime
    reserved_from_models: bool


@dataclass(frozen=True, slots=True)
class FetchedData:
    """JSON of a register or provider, of any status below 500 but 429. `value`: None where the status is not 2xx."""

    url: str
    status: int
    headers: Mapping[str, str]
    value: Any
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """Answer of a provider, of any status. The secrets of the call are removed from all of it.

    Attributes:
        url: that answered.
        status: of HTTP.
        headers: by name in lower case; those of a repeated header are joined by commas.
        value: parsed JSON, of any status; None where the body is none, which a 2xx never has.
        text: the start of the body.
        fetched_at: when it was received.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    value: Any
    text: str
    fetched_at: datetime


class Fetcher(Protocol):
    """The outside, as sources see it. Nothing is repeated; addresses, robots.txt, spacing and limits are its concern.

    A source may let every error pass: the engine turns `DoorError` into `Busy`, `Away` or `Refused` with its sentence.
    """

    async def page(self, url: str) -> FetchedPage:
        """A page of a website, as our crawler: its robots.txt is obeyed, and requests to a host are spaced.

        Raises: leadflood.kernel.door.errors.DoorError; Busy: status 429; Away: status 5xx.
        """
        ...

    async def records(self, name: str, type_: RecordType) -> DnsAnswer:
        """Records of a domain in the DNS.

        Raises: leadflood.kernel.door.errors.NameNotFound, LookupFailed, TargetRefused.
        """
        ...

    async def data(self, url: str, *, headers: Mapping[str, str] | None = None) -> FetchedData:
        """JSON of a public register. Raises: as `page`, and UnexpectedContent: it is no JSON."""
        ...

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,  # noqa: ANN401  JSON
        secrets: Collection[str] = (),
        model: bool = False,
    ) -> ProviderReply:
        """The answer of a provider to one request, which is sent once. No redirect is followed.

        Args:
            method: of HTTP.
            url: where to.
            headers: beyond those that every request has.
            body: sent as JSON; None: nothing is sent.
            secrets: values that never leave the call, such as the key, in each form in which it is sent.
            model: whether the provider runs a language model.

        Raises: AnswerLost: the request may have been received, but there is no answer that can be read.
            leadflood.kernel.door.errors.DoorError: nothing was sent.
        """
        ...

    async def parsed(self, task: Task, pages: Sequence[PageSource]) -> list[ParsedPage]:
        """Pages parsed in a child process with limits; see `leadflood.kernel.parsing.parse_pages`."""
        ...


class Source(Protocol):
    """A source of facts.

    It never retries, never sleeps, and sees neither transactions nor other sources. It gives no value rather than a
    guess that it would not bet on.
    """

    @property
    def spec(self) -> SourceSpec:
        """Its declaration."""
        ...

    async def ask(self, question: "Question", fetcher: Fetcher) -> Answer:
        """Answer a question that has what the source needs. Raises: SourceFailure, DoorError."""
        ...


class TicketSource(Source, Protocol):
    """A source that answers later."""

    async def poll(self, ticket: Ticket, question: "Question", fetcher: Fetcher) -> Answer:
        """The answer to a question that was asked before, or the ticket again. Raises: as `ask`."""
        ...


class MeteredSource(Source, Protocol):
    """A source whose provider counts what it charges (`Repeat.RECONCILE`)."""

    async def usage(self, fetcher: Fetcher) -> int:
        """Units that were charged so far under the key, by the provider's own counter. Asking for it is free.

        Raises: SourceFailure, DoorError.
        """
        ...
