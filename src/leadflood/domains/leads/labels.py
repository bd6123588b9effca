"""Labels of the fields of a lead: the only source for pages, files and timelines."""

import re
from collections.abc import Mapping
from typing import Final, Protocol

from leadflood.domains.leads.catalog import LEAD_FIELDS, LISTED_FIELDS

CUSTOM: Final = "customFields"

FIELDS: Final = {field.api_name: field.label for field in LEAD_FIELDS}
"""Labels by API name, in display order."""
COLUMNS: Final = {
    "name": "Name",
    "status": "Enrichment",
    **{field.short_name: field.label for field in LISTED_FIELDS},
    "createdAt": "Created",
    "updatedAt": "Updated",
    "enrichedAt": "Enriched",
}
"""Labels of the columns of a list in order, besides `customFields.<key>` and related fields of other domains."""
STANDARD_COLUMNS: Final = (
    "name",
    "status",
    *(field.short_name for field in LISTED_FIELDS if field.standard),
    "createdAt",
)
"""Columns of a list for which none were chosen."""


_EAST_ASIAN: Final = re.compile("[\u3005\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7a3]+")
"""Chinese, Japanese and Korean letters, except katakana, in which foreign names are written in their own order."""


class HasName(Protocol):
    """A lead as far as its name goes."""

    @property
    def email(self) -> str:
        """The address."""

    @property
    def first_name(self) -> str | None:
        """First name."""

    @property
    def last_name(self) -> str | None:
        """Last name."""


def name_of(lead: HasName) -> str:
    """The person's name, or else the email."""
    return full_name(lead) or lead.email


def full_name(lead: HasName) -> str:
    """First and last name, or found ones; empty without either.

    The family name comes first in Chinese, Japanese and Korean names.
    """
    found: Mapping[str, str] = getattr(lead, "found", None) or {}
    parts = (lead.first_name or found.get("first_name"), lead.last_name or found.get("last_name"))
    names = [name for name in parts if name]
    return " ".join(names[::-1] if all(map(_EAST_ASIAN.fullmatch, names)) else names)


def label_of(name: str) -> str:
    """Label of a field, given by its API name or JSON pointer; a custom field by its key."""
    head, _, key = name.strip("/").replace("/", ".").partition(".")
    return FIELDS.get(head) or key or head
