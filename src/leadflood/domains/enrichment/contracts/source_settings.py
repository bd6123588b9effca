"""Settings of sources with keys in the API. A key is only ever written."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue

MIN_KEY, MAX_KEY = 8, 500
_PRINTABLE: Final = range(0x21, 0x7F)


def _key(text: str) -> str:
    """A key without the spaces around it. Raises: InvalidValue."""
    key = text.strip()
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise InvalidValue(f"Must have {MIN_KEY} to {MAX_KEY} characters.")
    if any(ord(char) not in _PRINTABLE for char in key):
        raise InvalidValue("Must consist of ASCII letters, digits and signs, without spaces.")
    return key


ProviderKey = Annotated[str, FromText(_key, {"format": "password", "minLength": MIN_KEY, "maxLength": MAX_KEY})]


class SetSourceKey(Schema):
    """The key of a source's provider. It is stored encrypted, and only its last four characters are ever shown."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"key": "0123456789abcdef0123456789abcdef"}]})

    key: ProviderKey = Field(repr=False)


class ChangeSource(Schema):
    """Whether a source with a key is asked."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}]})

    enabled: bool


class SourceKeyView(View):
    """A stored key, without the key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "provider": "hunter",
                    "sources": ["hunter_domain_search", "hunter_email_finder", "hunter_email_verifier"],
                    "last4": "cdef",
                    "setAt": "2026-12-01T09:30:00Z",
                }
            ]
        }
    )

    provider: str
    sources: list[str] = Field(description="All sources that use the key.")
    last4: str = Field(description="Its last four characters.")
    set_at: datetime


class ProviderView(View):
    """The provider of a source that a workspace sets up."""

    name: str
    label: str
    origin: str = Field(description="Scheme and host to which the key is sent, and to no other.")
    unit: str = Field(description="The unit that the provider counts and charges.")
    help: str = Field(description="Where to find the key.")
    needs_key: bool = Field(description="Whether it answers with a key only.")
    key_last4: str | None = Field(description="The last four characters of the stored key.")
    key_set_at: datetime | None
    enabled: bool
