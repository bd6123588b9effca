"""The body of a profile as callers write it, in JSON and in YAML, and its translation to the model and back.

groups:
  - name: Company
    cap: 60
    criteria:
      - {key: size, label: 50 to 500 employees, test: {field: company.employees, between: [50, 500]}, points: 25}
tiers: [{name: A, atLeast: 70}, {name: B, atLeast: 45}, {name: C}]
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from leadflood.domains.icps.models import profiles as model
from leadflood.domains.icps.models.catalog import ProfileCatalog, Shape
from leadflood.domains.icps.models.profiles import (
    MAX_BYTES,
    MAX_CRITERIA,
    MAX_DAYS,
    MAX_DEPTH,
    MAX_GATES,
    MAX_GROUPS,
    MAX_NUMBER,
    MAX_PARTS,
    MAX_POINTS,
    MAX_TEXT,
    MAX_TIERS,
    MAX_VALUES,
    CombinedTest,
    Criterion,
    CriterionGroup,
    FactOperator,
    FactTest,
    FitGate,
    FitProfile,
    Test,
    Tier,
)
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.job_titles import functions, seniorities
from leadflood.kernel.schema import Schema, pointer
from leadflood.kernel.text import clean_line, line

Path = tuple[int | str, ...]
Identifier = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
TierName = Annotated[str, Field(pattern="^[A-Z][A-Za-z0-9+-]{0,9}$")]
Label = Annotated[str, line(120)]
Note = Annotated[str, Field(max_length=300)]
Points = Annotated[int, Field(ge=-MAX_POINTS, le=MAX_POINTS)]
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]


def _check_scalar(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > MAX_NUMBER:
        raise PydanticCustomError("scalar", "Number is too large.")
    if not isinstance(value, str | int | float | None):
        raise PydanticCustomError("scalar", "Must be a text, a number, true or false.")
    return clean_line(value, max_length=MAX_TEXT) if isinstance(value, str) else value


Scalar = Annotated[str | bool | float | None, BeforeValidator(_check_scalar)]
Text = Annotated[str, line(MAX_TEXT)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=MAX_VALUES)]

_COMBINED: Final[tuple[Literal["all", "any", "none"], ...]] = ("all", "any", "none")
_SENIORITY: Final = "lead.seniority"
_FUNCTION: Final = "lead.job_function"


class TitleTest(Schema):
    """Required meaning of a job title. Both, if both are given."""

    seniority: Texts | None = Field(default=None, description="Levels, such as `c_level`; any of them.")
    function: Texts | None = Field(default=None, description="Functions, such as `marketing`; any of them.")


class TestBody(Schema):
    """A test: a `field` with one comparison, a `matchesTitle`, or tests combined by `all`, `any` or `none`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"field": "company.employees", "between": [50, 500]}]},
    )
    __test__ = False

    field: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="Key of a fact, such as `lead.country` or `company.employees`."
    )
    is_: Scalar = Field(default=None, alias="is", description="Equal to this value.")
    in_: Texts | None = Field(default=None, alias="in", description="Equal to one of these texts.")
    between: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="A number from the first to the second, including both."
    )
    at_least: Number | None = Field(default=None, description="This number or a larger one.")
    at_most: Number | None = Field(default=None, description="This number or a smaller one.")
    any_of: Texts | None = Field(default=None, description="A set with at least one of these.")
    all_of: Texts | None = Field(default=None, description="A set with all of these.")
    within_days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = Field(
        default=None, description="A date in the last days, including today, in UTC."
    )
    known: bool | None = Field(default=None, description="Whether there is a value.")
    matches_title: TitleTest | None = Field(default=None, description="What the job title says.")
    all: Annotated[list["TestBody"], Field(min_length=1, max_length=MAX_PARTS)] | None = None
    any: Annotated[list["TestBody"], Field(min_length=1, max_length=MAX_PARTS)] | None = None
    none: Annotated[list["TestBody"], Field(min_length=1, max_length=MAX_PARTS)] | None = None

    @model_validator(mode="after")
    def _is_one_test(self) -> "TestBody":
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        comparisons = given - {"field", "matches_title", *_COMBINED}
        kinds = len(comparisons) + len(given & {"matches_title", *_COMBINED})
        if kinds != 1 or bool(comparisons) != ("field" in given):
            message = "Provide a field with one comparison, such as in, or one of matchesTitle, all, any and none."
            raise PydanticCustomError("test", message)
        return self


class CriterionBody(Schema):
    """A test and its points."""

    key: Identifier = Field(description="Stable name, by which versions are compared.")
    label: Label
    test: TestBody
    points: Points = Field(description="Points if the test is true.")
    otherwise: Points = Field(default=0, description="Points if it is false.")
    note: Note = Field(default="", description="Why it has these points.")


class GroupBody(Schema):
    """Criteria whose points are added up."""

    name: Label
    cap: Annotated[int, Field(ge=1, le=MAX_CRITERIA * MAX_POINTS)] | None = Field(
        default=None, description="The sum of the group counts from `-cap` to `cap`."
    )
    criteria: Annotated[list[CriterionBody], Field(min_length=1, max_length=MAX_CRITERIA)]


class GateBody(Schema):
    """A test that outweighs all points."""

    key: Identifier
    test: TestBody
    effect: Literal["exclude", "capTier"] = Field(description="Exclude the lead, or limit its tier to `tier`.")
    tier: TierName | None = Field(default=None, description="Best possible tier, with `capTier`.")
    reason: Label = Field(description="Shown with the lead.")


class TierBody(Schema):
    """A tier."""

    name: TierName
    at_least: Annotated[int, Field(ge=-MAX_CRITERIA * MAX_POINTS, le=MAX_CRITERIA * MAX_POINTS)] | None = Field(
        default=None, description="Score from which it begins. The last tier has none."
    )


class ProfileBody(Schema):
    """Body of a profile: criteria with points, gates and tiers."""

    groups: Annotated[list[GroupBody], Field(min_length=1, max_length=MAX_GROUPS)]
    gates: Annotated[list[GateBody], Field(max_length=MAX_GATES, default_factory=list)]
    tiers: Annotated[list[TierBody], Field(min_length=2, max_length=MAX_TIERS)] = Field(description="Best first.")
    stale: Literal["known", "unknown"] = Field(
        default="known", description="Whether found values that are out of date count, or are unknown."
    )

    def written(self) -> dict[str, JsonValue]:
        """As JSON, without what is at its default. Keys are in the order of the contract."""
        written = _whole(self.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        return written if isinstance(written, dict) else {}


def _whole(value: JsonValue) -> JsonValue:
    """The same with whole numbers written as such."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_profile(body: ProfileBody, catalog: ProfileCatalog, prefix: str = "") -> FitProfile:
    """The profile of a body.

    `prefix`: JSON pointer to the body in the whole document.

    Raises: InvalidInput: naming everything that does not fit the catalog, or is said twice.
    """
    reading = _BodyReading(catalog)
    profile = reading.profile(body)
    if len(json.dumps(body.written(), ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
        reading.refuse((), "too_large", f"A profile has at most {MAX_BYTES:,} bytes. Shorten lists, labels or notes.")
    if reading.faults:
        errors = [FieldError(pointer(path, prefix), code, message) for path, code, message in reading.faults]
        raise InvalidInput("The profile is not valid.", errors=errors)
    return profile


class _BodyReading:
    """A body while it is read: all faults are collected with their paths."""

    def __init__(self, catalog: ProfileCatalog) -> None:
        self._catalog = catalog
        self.faults: list[tuple[Path, str, str]] = []

    def refuse(self, path: Path, code: str, message: str) -> None:
        self.faults.append((path, code, message))

    def profile(self, body: ProfileBody) -> FitProfile:
        groups = tuple(
            CriterionGroup(group.name, tuple(self._criteria(group, ("groups", place))), group.cap)
            for place, group in enumerate(body.groups)
        )
        if sum(len(group.criteria) for group in groups) > MAX_CRITERIA:
            self.refuse(("groups",), "too_long", f"A profile has at most {MAX_CRITERIA} criteria in all groups.")
        tiers = tuple(Tier(tier.name, tier.at_least) for tier in body.tiers)
        self._check_tiers(tiers)
        self._check_ids(body)
        gates = tuple(self._gate(gate, ("gates", place), tiers) for place, gate in enumerate(body.gates))
        return FitProfile(groups, tiers, gates, body.stale == "unknown")

    def _criteria(self, group: GroupBody, path: Path) -> Iterator[Criterion]:
        for place, each in enumerate(group.criteria):
            test = self._test(each.test, (*path, "criteria", place, "test"), 1)
            yield Criterion(each.key, each.label, test, each.points, each.otherwise, each.note)

    def _gate(self, gate: GateBody, path: Path, tiers: Sequence[Tier]) -> FitGate:
        names = [tier.name for tier in tiers[1:]]
        if gate.effect == "capTier" and gate.tier not in names:
            self.refuse((*path, "tier"), "not_allowed", f"Provide one of the tiers after the best: {', '.join(names)}.")
        if gate.effect == "exclude" and gate.tier is not None:
            self.refuse((*path, "tier"), "not_allowed", "Leave the tier out: the gate excludes the lead.")
        test = self._test(gate.test, (*path, "test"), 1)
        return FitGate(gate.key, test, gate.reason, gate.tier if gate.effect == "capTier" else None)

    def _check_tiers(self, tiers: Sequence[Tier]) -> None:
        for place, tier in enumerate(tiers):
            path: Path = ("tiers", place, "atLeast")
            if (tier.at_least is None) != (place == len(tiers) - 1):
                self.refuse(path, "required", "Every tier has a score from which it begins, except the last one.")
            above = tiers[place - 1].at_least if place else None
            if above is not None and tier.at_least is not None and tier.at_least >= above:
                self.refuse(path, "out_of_range", f"Must be below {above}, where the tier before it begins.")
            if tier.name in [other.name for other in tiers[:place]]:
                self.refuse(("tiers", place, "name"), "duplicate", "Two tiers have this name. Rename one.")

    def _check_ids(self, body: ProfileBody) -> None:
        criteria = [
            (("groups", place, "criteria", number, "key"), each.key)
            for place, group in enumerate(body.groups)
            for number, each in enumerate(group.criteria)
        ]
        gates = [(("gates", place, "key"), gate.key) for place, gate in enumerate(body.gates)]
        for given in (criteria, gates):
            seen: set[str] = set()
            for path, name in given:
                if name in seen:
                    self.refuse(path, "duplicate", f"The key {name} is given twice. Rename one.")
                seen.add(name)

    def _test(self, body: TestBody, path: Path, depth: int) -> Test:
        if body.matches_title is not None:
            return self._title(body.matches_title, (*path, "matchesTitle"))
        for match in _COMBINED:
            parts: list[TestBody] | None = getattr(body, match)
            if parts is not None:
                if depth >= MAX_DEPTH:
                    self.refuse(path, "too_deep", f"Combine tests at most {MAX_DEPTH - 1} deep.")
                    return CombinedTest(match, ())
                read = tuple(self._test(part, (*path, match, place), depth + 1) for place, part in enumerate(parts))
                return CombinedTest(match, read)
        return self._comparison(body, path)

    def _comparison(self, body: TestBody, path: Path) -> FactTest:
        key = body.field or ""
        operator, value = next(
            (operator, value) for operator, name in _NAMES.items() if (value := getattr(body, name)) is not None
        )
        found = tuple(value) if isinstance(value, list) else value
        comparison = FactTest(key, operator, found)
        if key not in self._catalog:
            message = f"There is no fact {key!r:.80}. Use a key that `leadflood icp fields` lists."
            self.refuse((*path, "field"), "unknown_field", message)
            return comparison
        shape = self._catalog[key].shape
        if operator not in shape.operators:
            names = ", ".join(shape.operators)
            self.refuse((*path, operator.value), "not_allowed", f"{key} is a {shape}. Use one of: {names}.")
        elif operator is FactOperator.IS and not _is_of(shape, value):
            self.refuse((*path, "is"), "wrong_type", f"{key} is a {shape}. Provide a value of that type.")
        elif operator is FactOperator.BETWEEN and value[0] > value[1]:
            self.refuse((*path, "between"), "out_of_range", "Put the smaller number first.")
        return comparison

    def _title(self, body: TitleTest, path: Path) -> Test:
        parts = []
        for key, given, name, allowed in (
            (_SENIORITY, body.seniority, "seniority", seniorities()),
            (_FUNCTION, body.function, "function", functions()),
        ):
            for place, each in enumerate(given or ()):
                if each not in allowed:
                    self.refuse((*path, name, place), "not_allowed", f"Must be one of: {', '.join(allowed)}.")
            if given:
                parts.append(FactTest(key, FactOperator.IN, tuple(given)))
        if not parts:
            self.refuse(path, "required", "Provide a seniority, a function, or both.")
        return parts[0] if len(parts) == 1 else CombinedTest("all", tuple(parts))


_NAMES: Final = {
    FactOperator.IS: "is_",
    FactOperator.IN: "in_",
    FactOperator.BETWEEN: "between",
    FactOperator.AT_LEAST: "at_least",
    FactOperator.AT_MOST: "at_most",
    FactOperator.ANY_OF: "any_of",
    FactOperator.ALL_OF: "all_of",
    FactOperator.WITHIN_DAYS: "within_days",
    FactOperator.KNOWN: "known",
}


def _is_of(shape: Shape, value: Any) -> bool:  # noqa: ANN401  any JSON scalar
    if shape is Shape.BOOLEAN:
        return isinstance(value, bool)
    if shape is Shape.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def described(test: model.Test, catalog: ProfileCatalog) -> str:
    """A test in words, such as "Country is one of DE, AT"."""
    if isinstance(test, CombinedTest):
        joint = {"all": " and ", "any": " or ", "none": " or "}[test.match]
        inner = joint.join(described(part, catalog) for part in test.parts)
        return f"not ({inner})" if test.match == "none" else f"({inner})"
    label = catalog[test.field].label if test.field in catalog else test.field
    value = test.value
    listed = ", ".join(map(_plain, value)) if isinstance(value, tuple) else _plain(value)
    match test.operator:
        case FactOperator.BETWEEN if isinstance(value, tuple):
            return f"{label} from {_plain(value[0])} to {_plain(value[1])}"
        case FactOperator.KNOWN:
            return f"{label} is {'known' if value is True else 'not known'}"
        case FactOperator.WITHIN_DAYS:
            return f"{label} in the last {listed} days"
    return f"{label} {_WORDS[test.operator]} {listed}"


_WORDS: Final = {
    FactOperator.IS: "is",
    FactOperator.IN: "is one of",
    FactOperator.AT_LEAST: "is at least",
    FactOperator.AT_MOST: "is at most",
    FactOperator.ANY_OF: "has any of",
    FactOperator.ALL_OF: "has all of",
}


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return f"{int(value):,}"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
