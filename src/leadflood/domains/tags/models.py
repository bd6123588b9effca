"""Names of tags, and limits."""

from typing import Final

from leadflood.kernel.text import InvalidValue, clean_line

MAX_TAGS: Final = 1000
"""Tags of a workspace."""
MAX_NAME: Final = 50
MAX_NAMES: Final = 50
"""Tags that one request adds to leads or removes from them."""


def clean_name(text: str) -> str:
    """The name of a tag: one line of at most 50 characters, without commas, which separate names in forms.

    Raises: InvalidValue.
    """
    name = clean_line(text, max_length=MAX_NAME)
    if "," in name:
        message = "Can't contain a comma."
        raise InvalidValue(message, "invalid_characters")
    return name


def name_key(name: str) -> str:
    """Unique key of a name, which ignores case."""
    return name.casefold()
