"""Labels of the fields of a lead: the only source for pages, files and timelines."""

from typing import Final

from leadflood.domains.leads.catalog import LEAD_FIELDS

CUSTOM: Final = "customFields"

FIELDS: Final = {field.api_name: field.label for field in LEAD_FIELDS}
"""Labels by API name, in display order."""


def label_of(name: str) -> str:
    """Label of a field, given by its API name or JSON pointer; a custom field by its key."""
    head, _, key = name.strip("/").replace("/", ".").partition(".")
    return FIELDS.get(head) or key or head
