"""Contracts of rules."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import ConfigDict, Field, Strict, model_validator
from pydantic.config import JsonDict

from leadflood.domains.leads.contracts import NOT_NULL
from leadflood.domains.rules.models import MAX_ACTIONS, MAX_NAME, SINGLE, ActionType, RunOutcome, Trigger
from leadflood.kernel.schema import Schema, StoredJson, View
from leadflood.kernel.text import InvalidValue, line

RuleName = Annotated[str, line(MAX_NAME)]
_Id = Annotated[UUID, Strict(strict=False)]
_Trigger = Annotated[Trigger, Strict(strict=False)]
_ActionType = Annotated[ActionType, Strict(strict=False)]
_TARGET: Final = (
    "`assignOwner`: ID or email of a member. `setStage`: key or name of a stage. `addToList`: ID or name of a list. "
    "`addTag`: ID or name of a tag; a name that does not exist yet is created."
)
_ACTION: JsonDict = {"type": "addTag", "target": "Hot"}
_ICP_ID: Final = "0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e10"
_RULE: JsonDict = {"name": "Hot leads", "icpId": _ICP_ID, "trigger": "enters", "tier": "A", "actions": [_ACTION]}


class RuleAction(Schema):
    """An action of a rule on a lead."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ACTION]})

    type: _ActionType
    target: Annotated[str, line(320)] = Field(description=_TARGET)


def _check_actions(actions: "list[RuleAction]") -> None:
    types = [each.type for each in actions]
    twice = sorted(each for each in SINGLE if types.count(each) > 1)
    if twice:
        message = f"Provide {twice[0]} once at most: a lead has one owner and one stage."
        raise InvalidValue(message, "not_allowed")


_Actions = Annotated[list[RuleAction], Field(min_length=1, max_length=MAX_ACTIONS)]
_Tier = Annotated[str, line(10)]


class CreateRule(Schema):
    """A rule for the leads that enter or leave a tier, by the live version of a profile."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_RULE, "enabled": True}]})

    name: RuleName
    icp_id: _Id = Field(description="Profile.")
    trigger: _Trigger
    tier: _Tier
    actions: _Actions
    include_present: bool = Field(
        default=False,
        description="With `enters`: whether it also runs on the leads that are in the tier when it is enabled, or when "
        "the profile is published for the first time.",
    )
    enabled: bool = False

    @model_validator(mode="after")
    def _fits(self) -> "CreateRule":
        _check_actions(self.actions)
        return self


class UpdateRule(Schema):
    """Changes to a rule: absent fields are kept. A change of what runs it counts from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": False}]})

    name: Annotated[RuleName | None, *NOT_NULL] = None
    icp_id: Annotated[_Id | None, *NOT_NULL] = None
    trigger: Annotated[_Trigger | None, *NOT_NULL] = None
    tier: Annotated[_Tier | None, *NOT_NULL] = None
    actions: Annotated[_Actions | None, *NOT_NULL] = None
    include_present: Annotated[bool | None, *NOT_NULL] = None
    enabled: Annotated[bool | None, *NOT_NULL] = None

    @model_validator(mode="after")
    def _fits(self) -> "UpdateRule":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        _check_actions(self.actions or [])
        return self


class StoredAction(StoredJson):
    """An action as stored. `target`: an ID, or the key of a stage. `name`: of the target when the rule was saved."""

    type: _ActionType
    target: str
    name: str


class ActionView(View):
    """An action of a rule."""

    type: ActionType
    target: str = Field(description="ID of the member, list or tag, or key of the stage.")
    name: str = Field(description="Name of the target.")
    problem: str | None = Field(description="Why the action cannot be done, and what to do about it.")


class RuleView(View):
    """A rule. `version` is the value for `If-Match`."""

    id: UUID
    name: str
    icp_id: UUID
    profile: str = Field(description="Name of the profile.")
    trigger: Trigger
    tier: str
    actions: list[ActionView]
    include_present: bool
    enabled: bool
    problem: str | None = Field(description="Why the rule never runs, and what to do about it.")
    runs: int = Field(description="Number of runs on leads in the last 90 days.")
    failures: int = Field(description="Number of these runs in which an action failed, or which were stopped.")
    last_run_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class RuleList(View):
    """The rules of the workspace, by name."""

    items: list[RuleView]


class ActionResult(StoredJson):
    """The result of an action. `name`: of its target."""

    type: _ActionType
    name: str
    error: str | None = None


class ActionResultView(View):
    """The result of an action."""

    type: ActionType
    name: str = Field(description="Name of the target.")
    error: str | None = Field(description="Why it failed, and what to do about it.")


class RunView(View):
    """A run of a rule on a lead."""

    id: UUID
    lead_id: UUID
    email: str
    outcome: RunOutcome = Field(
        description="`failed`: at least one action failed; the others were done. `stopped`: nothing was done, as the "
        "change followed from three rules that caused each other."
    )
    results: list[ActionResultView]
    ran_at: datetime


class DryRunLead(View):
    """A lead in the tier."""

    lead_id: UUID
    email: str
    changes: bool = Field(description="Whether an action would change it.")


class DryRun(View):
    """The effect of a rule, by the live version of its profile. Nothing is written."""

    leads: int = Field(
        description="Leads in the tier now. A rule with `enters` runs on leads that come in, and on these if it is "
        "enabled with `includePresent`; one with `leaves` runs on them when they leave."
    )
    changes: int = Field(description="Number of these that an action would change.")
    examples: list[DryRunLead] = Field(description="Up to 20 of them, those that would change first.")


class RuleEffect(View):
    """Leads that a rule would run on if a version was published."""

    rule_id: UUID
    name: str
    leads: int
    exact: bool = Field(description="False if it is an estimate from a sample.")


class RuleEffects(View):
    """Leads that each enabled rule of a profile would run on if a version was published, by name."""

    items: list[RuleEffect]
