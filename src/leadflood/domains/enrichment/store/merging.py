"""SQL that moves lookups and choices of leads with a merge, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.models.choosing import Because
from leadflood.domains.enrichment.store.decisions import copy_rejections, remove_copied_rejections
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Move the lookups of one lead to another.
_MOVE_LOOKUPS = sql("""
UPDATE lookups SET lead_id = :to_lead WHERE workspace_id = :workspace_id AND lead_id = :from_lead RETURNING id
""")

# Remove the choices of a lead.
_TAKE_CHOICES = sql("""
DELETE FROM chosen_values WHERE workspace_id = :workspace_id AND subject_id = :from_lead
RETURNING value_id, item, confidence, because, chosen_at, actor_kind, actor_id
""")

# Give choices to a lead, for fields for which it has none.
_GIVE_CHOICES = sql("""
INSERT INTO chosen_values (workspace_id, subject_kind, subject_id, field, item, lookup_id, value_id, confidence,
                           because, chosen_at, actor_kind, actor_id)
SELECT :workspace_id, 'lead', :to_lead, v.field, n.item, v.lookup_id, v.id, coalesce(n.confidence, v.confidence),
       n.because, coalesce(n.chosen_at, now()), n.actor_kind, n.actor_id
FROM unnest(:value_ids::uuid[], :items::text[], :confidences::float8[], :reasons::text[], :times::timestamptz[],
            :actor_kinds::text[], :actor_ids::uuid[])
     AS n (value_id, item, confidence, because, chosen_at, actor_kind, actor_id)
JOIN lookups l ON l.workspace_id = :workspace_id AND l.lead_id = :to_lead
JOIN found_values v ON v.workspace_id = l.workspace_id AND v.lookup_id = l.id AND v.id = n.value_id
WHERE NOT EXISTS (SELECT FROM chosen_values c
                  WHERE c.workspace_id = :workspace_id AND c.subject_id = :to_lead AND c.field = v.field)
""")

# Return lookups that the holders still have.
_RETURN_LOOKUPS = sql("""
UPDATE lookups SET lead_id = :to_lead
WHERE workspace_id = :workspace_id AND id = ANY(:lookups) AND lead_id = ANY(:holders)
""")

# Remove choices of the holders among values that return.
_REMOVE_CHOICES = sql("""
DELETE FROM chosen_values c USING lookups l
WHERE l.workspace_id = :workspace_id AND l.id = c.lookup_id AND l.lead_id = :to_lead
  AND c.workspace_id = :workspace_id AND c.subject_id = ANY(:holders)
""")


@dataclass(frozen=True, slots=True)
class MovedChoice:
    """A choice before a merge. A former release stored neither `confidence` nor `chosen_at`."""

    value_id: UUID
    item: str = ""
    confidence: float | None = None
    because: str = Because.SUREST
    chosen_at: datetime | None = None
    actor_kind: str | None = None
    actor_id: UUID | None = None

    @property
    def image(self) -> dict[str, Any]:
        """The choice, as JSON."""
        at = None if self.chosen_at is None else self.chosen_at.isoformat()
        kept = {"item": self.item, "confidence": self.confidence, "because": self.because}
        by = None if self.actor_id is None else str(self.actor_id)
        return {"chosen": True, **kept, "chosenAt": at, "actorKind": self.actor_kind, "actorId": by}

    @classmethod
    def of(cls, value_id: UUID, image: Mapping[str, Any]) -> "MovedChoice":
        """The choice of an image."""
        kept = {name: image[name] for name in ("item", "confidence", "because") if name in image}
        at = image.get("chosenAt")
        by = image.get("actorId")
        return cls(
            value_id,
            **kept,
            chosen_at=None if at is None else datetime.fromisoformat(at),
            actor_kind=image.get("actorKind"),
            actor_id=None if by is None else UUID(by),
        )


async def reassign(
    tx: Transaction, workspace_id: UUID, *, from_lead: UUID, to_lead: UUID
) -> tuple[list[UUID], list[MovedChoice]]:
    """Move the lookups of one lead to another, which keeps its own choices. Both leads are locked."""
    leads = {"workspace_id": workspace_id, "from_lead": from_lead, "to_lead": to_lead}
    taken = await tx.all(_TAKE_CHOICES, {"workspace_id": workspace_id, "from_lead": from_lead})
    moved = await tx.all(_MOVE_LOOKUPS, leads)
    choices = [MovedChoice(**dict(row)) for row in taken]
    await copy_rejections(tx, workspace_id, from_id=from_lead, to_id=to_lead)
    await _give(tx, workspace_id, to_lead, choices)
    return [row.id for row in moved], choices


async def restore(
    tx: Transaction,
    workspace_id: UUID,
    lookups: Sequence[UUID],
    choices: Sequence[MovedChoice],
    *,
    holders: Sequence[UUID],
    to_lead: UUID,
) -> list[UUID]:
    """Return those lookups that the holders still have, and the choices among their values. All leads are locked.

    Returns the holders that no longer reject something, because only this lead did.
    """
    values = {"workspace_id": workspace_id, "holders": list(holders), "to_lead": to_lead}
    await tx.execute(_RETURN_LOOKUPS, {**values, "lookups": list(lookups)})
    await tx.execute(_REMOVE_CHOICES, values)
    freed = await remove_copied_rejections(tx, workspace_id, of_id=to_lead, holders=holders)
    await _give(tx, workspace_id, to_lead, choices)
    return freed


async def _give(tx: Transaction, workspace_id: UUID, to_lead: UUID, choices: Sequence[MovedChoice]) -> None:
    columns = {
        "value_ids": [choice.value_id for choice in choices],
        "items": [choice.item for choice in choices],
        "confidences": [choice.confidence for choice in choices],
        "reasons": [choice.because for choice in choices],
        "times": [choice.chosen_at for choice in choices],
        "actor_kinds": [choice.actor_kind for choice in choices],
        "actor_ids": [choice.actor_id for choice in choices],
    }
    await tx.execute(_GIVE_CHOICES, {"workspace_id": workspace_id, "to_lead": to_lead, **columns})
