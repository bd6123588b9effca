"""Choice of the merged lead's values."""

from collections.abc import Mapping
from typing import Any

from leadflood.domains.duplicates.contracts import MERGED_FIELDS
from leadflood.domains.duplicates.errors import UnknownMergeField
from leadflood.domains.duplicates.models import MergeSide
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.contracts import merge_custom_fields
from leadflood.domains.leads.contracts.lead_records import StoredLead


def chosen_values(
    survivor: StoredLead, other: StoredLead, choices: Mapping[str, MergeSide]
) -> tuple[dict[str, Any], list[str]]:
    """The columns of the survivor that change, and the names of the fields that came from the other.

    Raises: UnknownMergeField, InvalidInput: too many custom fields.
    """
    custom = dict.fromkeys((*survivor.custom_fields, *other.custom_fields))
    unknown = [
        name for name in choices if name.startswith(CUSTOM_FIELD) and name.removeprefix(CUSTOM_FIELD) not in custom
    ]
    if unknown:
        raise UnknownMergeField(unknown)
    values: dict[str, Any] = {}
    taken: list[str] = []
    for name, column in MERGED_FIELDS.items():
        own, others = getattr(survivor, column), getattr(other, column)
        if _is_other(choices.get(name), own, others) and others != own:
            values[column] = others
            taken.append(name)
    changes = {
        key: other.custom_fields.get(key)
        for key in custom
        if _is_other(choices.get(CUSTOM_FIELD + key), survivor.custom_fields.get(key), other.custom_fields.get(key))
        and not _same(survivor.custom_fields.get(key), other.custom_fields.get(key))
    }
    if changes:
        values["custom_fields"] = merge_custom_fields(survivor.custom_fields, changes)
        taken.extend(CUSTOM_FIELD + key for key in changes)
    return values, taken


def _is_other(choice: MergeSide | None, own: object, others: object) -> bool:
    if choice is None:
        return own is None and others is not None
    return choice is MergeSide.OTHER


def _same(one: object, two: object) -> bool:
    """Equality as in JSON, where 1 and true differ."""
    return type(one) is type(two) and one == two
