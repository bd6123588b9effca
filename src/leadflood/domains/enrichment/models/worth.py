"""Whether an answer is worth its price. Domains above decide; a run only asks them before it asks a paid source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue
from leadflood.domains.enrichment.models.sources import SourceSpec

FoundValues: TypeAlias = Mapping[FactField, FactValue | frozenset[str]]
"""Values that a run would choose now; of fields with several values, all of them."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Progress of a run.

    Attributes:
        found: values that it would choose now.
        unsatisfied: fields that need another source.
    """

    found: FoundValues
    unsatisfied: frozenset[FactField]


class Stakes(Protocol):
    """Stakes: the part that depends on answers about a subject."""

    def why_not(self, fields: frozenset[FactField], progress: RunProgress) -> str | None:
        """The reason why no answer with these fields changes anything, in a sentence; None if one could."""
        ...


@dataclass(frozen=True, slots=True)
class Worth:
    """Rule by which paid sources of a run are left out.

    Attributes:
        stakes: what depends on their answers.
        specs: all sources of the workspace: what one finds, another may read.
        begun: names of sources that were asked about the subject before, whose answers are not there yet.
        rejects: whether a person has rejected values, so that what a run finds may not count.
    """

    stakes: Stakes
    specs: Sequence[SourceSpec]
    begun: frozenset[str] = frozenset()
    rejects: bool = False

    def why_not(self, spec: SourceSpec, given: frozenset[FactField], progress: RunProgress) -> str | None:
        """The reason not to ask a source; None if it has to be asked. `given`: fields that nothing found replaces."""
        if spec.name in self.begun:
            return None
        if self.rejects:
            progress = replace(progress, found={})
        return self.stakes.why_not(reachable(spec.gives - given, self.specs), progress)


def reachable(fields: frozenset[FactField], specs: Sequence[SourceSpec]) -> frozenset[FactField]:
    """The fields, and those that sources may find because of them."""
    while True:
        more = fields.union(*(spec.gives for spec in specs if not fields.isdisjoint(spec.inputs)))
        if more == fields:
            return fields
        fields = more
