"""The parameter `expand` of leads: related data of other domains in the same response."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query
from pydantic import ConfigDict, Field, JsonValue, create_model

from leadflood.domains.enrichment.contracts import EffectiveValueView
from leadflood.domains.enrichment.queries.effective import effective_values_of, views
from leadflood.domains.leads.contracts import LEAD_EXAMPLE, LeadView
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.text import FromText

_KNOWN: Final = {"enum": list(LEAD_EXTENSIONS.fields)} if LEAD_EXTENSIONS.fields else {}
_TITLE: Final[dict[str, JsonValue]] = {
    "value": "Head of Research",
    "state": "suggested",
    "confidence": 0.6,
    "subject": "lead",
    "source": "job_title",
}
_EXAMPLE: Final[dict[str, JsonValue]] = {**LEAD_EXAMPLE, "jobTitle": None, "effectiveValues": {"jobTitle": _TITLE}}
Expand = Annotated[
    list[Annotated[str, FromText(LEAD_EXTENSIONS.check_field, _KNOWN)]] | None,
    Query(max_length=20, description="Related data to include. Repeat for several."),
]
"""The parameter `expand`."""


def _related_fields() -> Mapping[str, Any]:
    return {
        name: (related.schema | None, Field(default=None, description=f"{related.label}; only with `expand={name}`."))
        for name, related in LEAD_EXTENSIONS.fields.items()
    }


class _EffectiveLead(LeadView):
    """A lead with its effective values."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    effective_values: dict[str, EffectiveValueView] = Field(
        description="Found values by field: only for fields that are empty, as what a person wrote always wins."
    )


ExpandedLead: Any = create_model(
    "ExpandedLead",
    __base__=_EffectiveLead,
    __doc__="A lead with the found values for its empty fields, and the related data requested by `expand`.",
    **_related_fields(),
)
"""A lead with all related fields; fields that were not requested are unset."""


async def expanded(
    tx: Transaction, actor: Actor, leads: Sequence[LeadView], names: Iterable[str] | None
) -> list[LeadView]:
    """The leads with their effective values and related data, loaded with one statement, and one per name.

    Raises: leadflood.kernel.actor.MissingPermission.
    """
    found = await LEAD_EXTENSIONS.load(tx, actor, names or (), [lead.id for lead in leads])
    effective = await effective_values_of(tx, actor, leads=leads)
    return [_with(lead, found, views(effective[lead.id])) for lead in leads]


def _with(
    lead: LeadView, found: Mapping[str, Mapping[UUID, Any]], effective: Mapping[str, EffectiveValueView]
) -> LeadView:
    values = {"effective_values": effective, **{name: values[lead.id] for name, values in found.items()}}
    made: LeadView = ExpandedLead.model_construct({*LeadView.model_fields, *values}, **vars(lead), **values)
    return made
