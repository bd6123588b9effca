"""Targets of the columns of a file.

The list is closed: opt-outs, consent, status and times are not in it, so that no file can set or clear them.
"""

import re
from enum import StrEnum
from typing import Final

from leadflood.domains.leads.catalog import IMPORTABLE_FIELDS, LEAD_FIELDS
from leadflood.kernel.field_types import check_field_key
from leadflood.kernel.text import InvalidValue, search_key

CUSTOM: Final = "custom:"
OTHER_EMAIL: Final = "otherEmail:"
"""Prefix of the target of a further column of addresses: used where `email` has none, else the custom field's."""


class Target(StrEnum):
    """Targets that are not fields of a lead, or that are recognized and read in ways of their own.

    All targets are in `TARGETS`; besides, `custom:KEY` is a custom field, and `otherEmail:KEY` is the lead's address
    where `email` has none, and a custom field otherwise.
    """

    EMAIL = "email"
    FIRST_NAME = "firstName"
    LAST_NAME = "lastName"
    FULL_NAME = "fullName"
    COMPANY = "company"
    JOB_TITLE = "jobTitle"
    PHONE = "phone"
    WEBSITE = "website"
    COUNTRY = "country"
    SOURCE = "source"
    OWNER = "owner"
    STAGE = "stage"
    TAGS = "tags"
    LISTS = "lists"
    FOUND_FIELDS = "foundFields"
    """The names of fields whose cells are found values, as in our own exports. They are not imported."""

    IGNORE = "ignore"


TARGETS: Final = (
    *(field.short_name for field in LEAD_FIELDS if field.importable),
    Target.FULL_NAME.value,
    Target.TAGS.value,
    Target.LISTS.value,
    Target.FOUND_FIELDS.value,
    Target.IGNORE.value,
)
"""All targets besides custom fields, in the order of forms."""
API_NAMES: Final = {field.name: field.api_name for field in IMPORTABLE_FIELDS} | {"custom_fields": "customFields"}
"""Columns of a lead that an import can change, by API name. The email identifies the lead."""
UPDATABLE: Final = tuple(API_NAMES.values())

_PERMISSION: Final = re.compile(
    r"unsubscri|opted ?(?:out|in)\b|\bopt ?(?:out|in)\b|\bconsent|\bgdpr\b|\bdsgvo\b|\brgpd\b|\blgpd\b"
    r"|\bdo ?not ?(?:contact|e ?mail|call|mail|text|sms)\b|\bdnc\b|\bsuppress(?:ed|ion)?\b|\bblack ?list(?:ed)?\b"
    r"|\bblock ?list(?:ed)?\b|abgemeldet|abmeld(?:ung|edatum|estatus)|einwillig|werbesperre|desabonn|desinscri"
    r"|\bbajas?\b|\bdesuscri|\bcancel\w* (?:de )?(?:la )?suscripcion|\bsuscripcion cancelada\b|disiscri|uitgeschrev"
    r"|\bafgemeld\b|\bwypisan|\bavregistrer|\bavmeld|\bafmeldt|\bdescadastr|отписа|согласие|退订|配信停止|수신거부"
)
"""Words about permission to contact. They match within longer words only if no other word contains them."""


def about_permission(name: str) -> bool:
    """Whether a column seems to say who may be contacted. That is not a lead's field, and no import sets it."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return any(_PERMISSION.search(re.sub(r"[\W_]+", " ", search_key(text))) for text in (name, words))


def custom_key_of(target: str) -> str | None:
    """The key of the custom field that a target writes; None for other targets."""
    prefix = next((prefix for prefix in (CUSTOM, OTHER_EMAIL) if target.startswith(prefix)), None)
    return None if prefix is None else target.removeprefix(prefix)


def check_target(text: str) -> str:
    """A target in its stored form. Raises: InvalidValue."""
    if text in TARGETS:
        return text
    key = custom_key_of(text)
    if key is None:
        known = ", ".join(TARGETS)
        message = f"Unknown target. Use one of {known}, or custom:KEY, or otherEmail:KEY."
        raise InvalidValue(message, "not_allowed")
    if about_permission(check_field_key(key)):
        message = "Imports never change opt-out or consent data. Ignore this column."
        raise InvalidValue(message, "not_allowed")
    return text
