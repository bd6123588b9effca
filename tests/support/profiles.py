"""Random profiles and facts, for tests of scores. They are made from a seed: thousands take a second or two."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Literal
from uuid import UUID

from leadflood.domains.fields.models import CustomField
from leadflood.domains.icps.models.catalog import STANDARD, ProfileCatalog, ProfileField, Shape
from leadflood.domains.icps.models.evaluate import Facts
from leadflood.domains.icps.models.profiles import (
    CombinedTest,
    Criterion,
    CriterionGroup,
    FactOperator,
    FactTest,
    FactValue,
    FitGate,
    FitProfile,
    Test,
    Tier,
)
from leadflood.kernel.field_types import FieldType

NOW: Final = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
CUSTOM: Final = (
    CustomField(UUID(int=1), "budget", "Budget", FieldType.NUMBER),
    CustomField(UUID(int=2), "region", "Region", FieldType.TEXT),
    CustomField(UUID(int=3), "segments", "Segments", FieldType.MULTI_CHOICE),
    CustomField(UUID(int=4), "signed", "Signed", FieldType.DATE),
    CustomField(UUID(int=5), "partner", "Partner", FieldType.BOOLEAN),
)
CATALOG: Final[ProfileCatalog] = STANDARD.with_custom(CUSTOM)
KEYS: Final = (
    "lead.country",
    "lead.jobTitle",
    "lead.customFields.budget",
    "lead.customFields.region",
    "lead.customFields.segments",
    "lead.customFields.signed",
    "lead.customFields.partner",
    "lead.seniority",
    "lead.is_free_mail",
    "lead.email_status",
    "company.employees",
    "company.industry",
    "company.technology",
    "company.founded",
    "company.accepts_mail",
)
TEXTS: Final = ("DE", "AT", "de", "Straße", "STRASSE", "Café", "cafe", "Head of Sales", "valid")
NUMBERS: Final = (-3, 0, 1, 10, 49.5, 50, 500, 1999, 2**40)
DAYS: Final = (1, 30, 365)
_TIERS: Final = (Tier("A", 40), Tier("B", 0), Tier("C", None))
_MATCHES: Final[tuple[Literal["all", "any", "none"], ...]] = ("all", "any", "none")


class Deal:
    """Profiles and facts of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  test data

    def profile(self) -> FitProfile:
        """A profile with groups, caps, gates and tiers."""
        pick = self.random
        groups, number = [], 0
        for place in range(pick.randint(1, 3)):
            criteria = []
            for _ in range(pick.randint(1, 4)):
                number += 1
                points, otherwise = pick.randint(-30, 40), pick.choice([0, 0, -10, 5])
                criteria.append(Criterion(f"c{number}", f"Criterion {number}", self.test(), points, otherwise))
            groups.append(CriterionGroup(f"Group {place}", tuple(criteria), pick.choice([None, 10, 35])))
        gates = tuple(
            FitGate(f"g{place}", self.test(), "Reason", pick.choice([None, "B", "C"]))
            for place in range(pick.randint(0, 2))
        )
        return FitProfile(tuple(groups), _TIERS, gates, pick.random() < 0.5)

    def test(self, depth: int = 1) -> Test:
        """A comparison, or some combined."""
        if depth < 4 and self.random.random() < 0.3:
            parts = tuple(self.test(depth + 1) for _ in range(self.random.randint(1, 3)))
            return CombinedTest(self.random.choice(_MATCHES), parts)
        field = CATALOG[self.random.choice(KEYS)]
        operator = self.random.choice(field.shape.operators)
        return FactTest(field.key, operator, self._wanted(field, operator))

    def facts(self) -> Facts:
        """Facts of a lead: some unknown, some found too long ago."""
        values: dict[str, FactValue] = {}
        observed: dict[str, datetime] = {}
        for key in KEYS:
            if self.random.random() < 0.6:
                values[key] = self.value(CATALOG[key])
                if CATALOG[key].time_to_live is not None:
                    observed[key] = NOW - timedelta(days=self.random.choice([1, 80, 400, 5000]))
        return Facts(values, observed)

    def completion(self, known: Mapping[str, FactValue]) -> Facts:
        """The same values with others for facts that are unknown; some of them stay unknown."""
        found = {key: self.value(CATALOG[key]) for key in KEYS if self.random.random() < 0.8}
        return Facts({**found, **known})

    def value(self, field: ProfileField) -> FactValue:
        """A value as the field has it."""
        if field.key == "lead.country":
            return self.random.choice(TEXTS[:2])
        match field.shape:
            case Shape.NUMBER:
                return self.random.choice(NUMBERS)
            case Shape.BOOLEAN:
                return self.random.random() < 0.5
            case Shape.SET:
                return frozenset(self._texts())
            case Shape.DATE:
                days = self.random.choice([0, 1, 29, 30, 31, 400, -5])
                return (NOW - timedelta(days=days)).date().isoformat()
        return self.random.choice(TEXTS)

    def _texts(self) -> tuple[str, ...]:
        return tuple(self.random.choices(TEXTS, k=self.random.randint(1, 3)))

    def _wanted(  # noqa: PLR0911  one for each operator
        self, field: ProfileField, operator: FactOperator
    ) -> str | bool | float | tuple[str, ...] | tuple[float, float]:
        match operator:
            case FactOperator.KNOWN:
                return self.random.random() < 0.5
            case FactOperator.IS if field.shape is Shape.BOOLEAN:
                return self.random.random() < 0.5
            case FactOperator.IS if field.shape is Shape.NUMBER:
                return self.random.choice(NUMBERS)
            case FactOperator.IS:
                return self.random.choice(TEXTS)
            case FactOperator.BETWEEN:
                least, most = sorted(self.random.choices(NUMBERS, k=2))
                return least, most
            case FactOperator.AT_LEAST | FactOperator.AT_MOST:
                return self.random.choice(NUMBERS)
            case FactOperator.WITHIN_DAYS:
                return self.random.choice(DAYS)
        return self._texts()
