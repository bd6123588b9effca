"""Policies of found fields in the API: from which confidence they fill the field of a lead."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.kernel.schema import Schema, View


class SetFillPolicy(Schema):
    """The policy of a found field. With `dryRun`, nothing is changed: the answer says how many leads would change."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"fillAt": 0.9, "suggest": True}, {"fillAt": None, "suggest": False}]}
    )

    fill_at: Annotated[float, Field(ge=0, le=1)] | None = Field(
        description="Confidence from which a value fills the empty field of a lead. Null: never."
    )
    suggest: bool = Field(default=True, description="Whether a value below that is offered to accept.")
    dry_run: bool = Field(default=False, description="Estimate only.")


class FillPolicyView(View):
    """The policy of a found field."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "subject": "company",
                    "field": "country",
                    "leadField": "country",
                    "fillAt": 0.8,
                    "suggest": True,
                    "standard": True,
                    "jobId": None,
                }
            ]
        }
    )

    subject: SubjectKind = Field(description="Whether it is found about the lead, or about its company.")
    field: str
    lead_field: str = Field(description="The field of a lead that it fills.")
    fill_at: float | None
    suggest: bool
    standard: bool = Field(description="Whether the workspace has not changed it.")
    job_id: UUID | None = Field(default=None, description="The job that applies a change to all leads.")


class FillPoliciesView(View):
    """The policies of all found fields that fill fields of leads."""

    items: list[FillPolicyView]


class FillPolicyEstimate(View):
    """Effect of a policy. Nothing was changed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"leads": 12400, "changed": 310, "filled": 4100, "suggested": 250, "exact": False}]
        }
    )

    leads: int = Field(description="Leads of the workspace.")
    changed: int = Field(description="Leads whose found value of the field would count, wait or vanish instead.")
    filled: int = Field(description="Leads whose empty field the policy fills.")
    suggested: int = Field(description="Leads for which a value is suggested.")
    exact: bool = Field(description="False if the numbers are scaled from the newest 1,000 leads.")
