"""What people call the fields of a lead: the one place that pages, files and timelines take the words from."""

from typing import Final

from leadflood.domains.leads.catalog import LEAD_FIELDS

CUSTOM: Final = "customFields"

FIELDS: Final = {field.api_name: field.label for field in LEAD_FIELDS}
"""By the names of the API, in the order in which people read them."""


def label_of(name: str) -> str:
    """What a field is called, given by its name in the API or by its JSON pointer; a custom field by its key."""
    head, _, key = name.strip("/").replace("/", ".").partition(".")
    return FIELDS.get(head) or key or head
