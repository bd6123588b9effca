"""Contracts of scores: how the points of a lead add up, and what would change its tier."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import ConfigDict, Field

from leadflood.domains.icps.contracts.bodies import described
from leadflood.domains.icps.models.catalog import ProfileCatalog
from leadflood.domains.icps.models.evaluate import Evaluation, Line
from leadflood.domains.icps.models.improving import Improvement
from leadflood.domains.icps.models.profiles import FactValue, FitProfile, comparisons
from leadflood.kernel.schema import View


class FactView(View):
    """A fact that a criterion reads. `value`: None while it is unknown."""

    field: str
    label: str
    value: str | None


class CriterionScore(View):
    """A criterion as it counts for a lead."""

    key: str
    label: str
    test: str = Field(description="The test in words.")
    facts: list[FactView]
    result: Literal["yes", "no", "unknown"]
    points: int
    lo: int = Field(description="Least points that it could give once everything is known.")
    hi: int = Field(description="Most points that it could give.")
    known: bool = Field(description="Whether no look-up can change it.")


class GroupScore(View):
    """The points of a group as they count: the sum of its criteria, from `-cap` to `cap`."""

    name: str
    cap: int | None
    sum: int = Field(description="Sum of the points before the cap.")
    points: int
    lo: int
    hi: int
    criteria: list[CriterionScore]


class GateScore(View):
    """A gate that a lead meets, or may meet once more is known."""

    key: str
    reason: str
    test: str
    tier: str | None = Field(description="The best tier that it allows; null: the lead is excluded.")
    met: bool = Field(description="False while it is unknown.")


class LeadScore(View):
    """Score of a lead by a profile. The points of all groups add up to `score`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "score": 45,
                    "lo": 45,
                    "hi": 80,
                    "tier": "B",
                    "worst": "B",
                    "best": "A",
                    "known": 1,
                    "total": 3,
                    "gates": [],
                    "groups": [],
                }
            ]
        }
    )

    score: int
    lo: int = Field(description="Least score that it could have once everything is known.")
    hi: int = Field(description="Most score that it could have.")
    tier: str | None = Field(description="Null: excluded.")
    worst: str | None = Field(description="Worst tier that it could have; null: excluded.")
    best: str | None = Field(description="Best tier that it could have; null: excluded for sure.")
    known: int = Field(description="Number of criteria that no look-up can change.")
    total: int = Field(description="Number of criteria.")
    gates: list[GateScore]
    groups: list[GroupScore]


class ImprovementView(View):
    """Criteria that together would lift a lead into a tier."""

    score: int = Field(description="The score then.")
    to_find_out: list[str] = Field(description="Labels of criteria that are unknown: a look-up might meet them.")
    to_change: list[str] = Field(description="Labels of criteria whose facts are known, and would have to change.")


class ImprovementList(View):
    """Improvements that would lift a lead into a tier: the smallest sets of criteria, those with fewer first."""

    tier: str
    items: list[ImprovementView]


def lead_score(
    profile: FitProfile, evaluation: Evaluation, values: Mapping[str, FactValue], catalog: ProfileCatalog
) -> LeadScore:
    """An evaluation as callers read it. `values`: the facts that it was made of."""
    gates = []
    for gate in profile.gates:
        is_met = gate.id in evaluation.met_gates
        if is_met or gate.id in evaluation.open_gates:
            test = described(gate.test, catalog)
            gates.append(GateScore(key=gate.id, reason=gate.reason, test=test, tier=gate.tier, met=is_met))
    return LeadScore(
        score=evaluation.score,
        lo=evaluation.lo,
        hi=evaluation.hi,
        tier=evaluation.tier,
        worst=evaluation.worst,
        best=evaluation.best,
        known=evaluation.known,
        total=evaluation.total,
        gates=gates,
        groups=[
            GroupScore(
                name=group.name,
                cap=group.cap,
                sum=sum(line.points for line in group.lines),
                points=group.points,
                lo=group.lo,
                hi=group.hi,
                criteria=[_criterion(line, values, catalog) for line in group.lines],
            )
            for group in evaluation.groups
        ],
    )


def improvement_views(found: Sequence[Improvement]) -> list[ImprovementView]:
    """Improvements as callers read them."""
    return [
        ImprovementView(
            score=each.score,
            to_find_out=[line.criterion.label for line in each.to_find_out],
            to_change=[line.criterion.label for line in each.to_change],
        )
        for each in found
    ]


def _criterion(line: Line, values: Mapping[str, FactValue], catalog: ProfileCatalog) -> CriterionScore:
    keys = dict.fromkeys(each.field for each in comparisons(line.criterion.test))
    return CriterionScore(
        key=line.criterion.id,
        label=line.criterion.label,
        test=described(line.criterion.test, catalog),
        facts=[
            FactView(field=key, label=catalog[key].label if key in catalog else key, value=_shown(values.get(key)))
            for key in keys
        ],
        result="unknown" if line.outcome.now is None else "yes" if line.outcome.now else "no",
        points=line.points,
        lo=line.lo,
        hi=line.hi,
        known=line.known,
    )


def _shown(value: FactValue | None) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    if isinstance(value, int | float):
        return f"{int(value):,}" if float(value).is_integer() else f"{value:,}"
    return value
