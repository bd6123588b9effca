"""Answers of sources, and the reasons for having none.

Every reason is a sentence for salespeople, such as "acme.com does not exist.".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias

from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.read_pages import ReadPage


@dataclass(frozen=True, slots=True)
class Found:
    """Facts that the source has.

    Attributes:
        facts: at least one.
        note: something worth knowing about how they were found, such as pages that could not be read; a sentence.
        units: what the provider charges.
        provider_ref: its reference of the call.
        pages: that it read, for sources that read them again.
    """

    facts: Sequence[Fact]
    note: str = ""
    units: int = 0
    provider_ref: str | None = None
    pages: Sequence[ReadPage] = ()


@dataclass(frozen=True, slots=True)
class Missed:
    """The source answered, and has nothing.

    Attributes:
        reason: a sentence.
        keep_for: time for which it is not asked again; None: as its spec says.
    """

    reason: str
    keep_for: timedelta | None = None
    units: int = 0
    provider_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """The answer comes later: poll with the reference, not before that time."""

    ref: str
    not_before: datetime
    units: int = 0


Answer: TypeAlias = Found | Missed | Ticket


class SourceFailure(Exception):
    """No answer. `code`: stable name of the kind of failure. `sentence`: what happened, for users."""

    code: ClassVar[str]

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Busy(SourceFailure):
    """The source wants to be asked later. `until`: not before that time."""

    code = "busy"

    def __init__(self, sentence: str, until: datetime, *, charged: bool = False) -> None:
        """Args: charged: whether the provider charges for this call."""
        super().__init__(sentence)
        self.until = until
        self.charged = charged


class Away(SourceFailure):
    """The source could not be reached, or answered with an error of its own. Asking later may help."""

    code = "away"


class AnswerLost(Away):
    """The question may have reached the provider, but its answer did not reach us, or cannot be read.

    Whether it was charged is unknown. `text`: the start of a body that cannot be read, without secrets.
    """

    def __init__(self, sentence: str, text: str = "") -> None:
        super().__init__(sentence)
        self.text = text


class Refused(SourceFailure):
    """Asking this question again cannot help for a while.

    Attributes:
        keep_for: time for which it is not asked again; None: as the source's spec says for a miss.
    """

    code = "refused"

    def __init__(self, sentence: str, keep_for: timedelta | None = None) -> None:
        super().__init__(sentence)
        self.keep_for = keep_for


class KeyRejected(SourceFailure):
    """The provider does not accept the key. Nothing is asked until the key changes."""

    code = "key_rejected"


class OutOfCredits(SourceFailure):
    """The provider's quota is used up. `until`: when it is renewed, if known."""

    code = "out_of_credits"

    def __init__(self, sentence: str, until: datetime | None = None) -> None:
        super().__init__(sentence)
        self.until = until


class Objected(SourceFailure):
    """The person does not want to be looked up. It is never asked again."""

    code = "objected"
