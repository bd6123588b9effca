"""The sources that the leads and companies of a workspace are asked by, and what follows from them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from leadflood.domains.enrichment.models.company_runs import company_sources, plan_of
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.policies import ChoiceRules, Policy
from leadflood.domains.enrichment.models.sources import Charge, Source, Speed


@dataclass(frozen=True)
class SourceSet:
    """Sources in their order of precedence.

    Attributes:
        sources: all of them.
        gates: names of rates and breakers by source, where they are not those of the whole installation: each key
            has its own.
    """

    sources: Sequence[Source]
    gates: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def instant(self) -> Sequence[Source]:
        """Those about persons that answer without waiting."""
        return [source for source in self._people if source.spec.speed is Speed.INSTANT]

    @cached_property
    def slow(self) -> Sequence[Source]:
        """The others about persons."""
        return [source for source in self._people if source.spec.speed is not Speed.INSTANT]

    @cached_property
    def companies(self) -> Sequence[Source]:
        """Those about companies."""
        return company_sources(self.sources)

    @cached_property
    def plan(self) -> str | None:
        """Name of the set of sources about companies (`plan_of`); None if companies are not asked."""
        return plan_of(self.companies) if self.companies else None

    @cached_property
    def rules(self) -> ChoiceRules:
        """Rules that prefer sources in their order."""
        order = tuple(source.spec.name for source in self.sources)
        return ChoiceRules(Policy(order=order), {source.spec.name: source.spec.family for source in self.sources})

    @cached_property
    def free(self) -> "SourceSet":
        """Those that never charge."""
        return SourceSet([source for source in self.sources if source.spec.charges is Charge.NEVER], self.gates)

    def without(self, names: Collection[str]) -> "SourceSet":
        """The others than these."""
        return SourceSet([source for source in self.sources if source.spec.name not in names], self.gates)

    @cached_property
    def _people(self) -> Sequence[Source]:
        return [source for source in self.sources if source.spec.subject is SubjectKind.LEAD]
