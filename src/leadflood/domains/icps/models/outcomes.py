"""Outcomes of leads: what became of a lead, or what a person thinks of it."""

from enum import StrEnum


class OutcomeKind(StrEnum):
    """Kind of an outcome. The values are stored."""

    WON = "won"
    LOST = "lost"
    GOOD = "good"
    """A person thinks that the lead fits."""
    BAD = "bad"

    @property
    def is_positive(self) -> bool:
        """Whether it speaks for the lead."""
        return self in (OutcomeKind.WON, OutcomeKind.GOOD)


class OutcomeSource(StrEnum):
    """Origin of an outcome. The values are stored."""

    PERSON = "person"
    API = "api"
    IMPORT = "import"
    CLI = "cli"
    DEMO = "demo"
