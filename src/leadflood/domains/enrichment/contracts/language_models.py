"""The language model of a workspace, in the API: all validation of its settings."""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import ConfigDict, Field

from leadflood.domains.enrichment.models.model_endpoints import ModelEndpoint
from leadflood.kernel.door.links import absolute_link
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line

_MAX_URL: Final = 300
_METHOD: Final = "/chat/completions"
_NO_BASE: Final = "https://relative.invalid/"
FieldName = Literal[
    "name",
    "legal_name",
    "legal_form",
    "description",
    "industry",
    "keyword",
    "employees",
    "employee_range",
    "founded",
    "parent",
    "street",
    "postal_code",
    "city",
    "region",
    "country",
]
"""The names of `leadflood.domains.enrichment.models.model_endpoints.ANSWERABLE`."""


def _url(text: str) -> str:
    """The normalized address of an API, without the method. Raises: InvalidValue."""
    url = absolute_link(text, _NO_BASE)
    if url is None or not text.strip().lower().startswith(("https://", "http://")):
        raise InvalidValue("Must be an address such as https://api.acme-ai.com/v1.")
    if any(char in url for char in "?#@"):
        raise InvalidValue("Must have no user name, no ? and no #.")
    found = url.rstrip("/").removesuffix(_METHOD)
    if len(found) > _MAX_URL:
        raise InvalidValue(f"Must have at most {_MAX_URL} characters.")
    return found


BaseUrl = Annotated[str, FromText(_url, {"format": "uri", "maxLength": _MAX_URL})]
_NAMES: Final[list[FieldName]] = [*get_args(FieldName)]
_EXAMPLE: Final[dict[str, Any]] = {
    "url": "https://api.acme-ai.com/v1",
    "model": "acme-small",
    "auth": "bearer",
    "fields": ["industry", "employees", "founded"],
    "maxBytes": 24_000,
    "maxTokens": 2000,
    "outputWeight": 4,
}


class SetModelEndpoint(Schema):
    """A model behind an API like OpenAI's. The key is no part of it: set it afterwards.

    A new address with another scheme, host or port deletes the key.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [dict(_EXAMPLE)]})

    url: BaseUrl = Field(description="Address to which `/chat/completions` is added.")
    model: Annotated[str, line(100)] = Field(description="Its name, as the API knows it.")
    auth: Literal["bearer", "none"] = Field(
        default="bearer", description="`none` for a server of the operator's own network that needs no key."
    )
    fields: Annotated[list[FieldName], Field(min_length=1, max_length=len(_NAMES))] = Field(
        default_factory=lambda: [*_NAMES], description="What it is asked for."
    )
    max_bytes: Annotated[int, Field(ge=1000, le=60_000)] = Field(
        default=24_000, description="Of page text in one question: as many characters of English."
    )
    max_tokens: Annotated[int, Field(ge=100, le=8000)] = Field(default=2000, description="Of an answer.")
    output_weight: Annotated[int, Field(ge=1, le=50)] = Field(
        default=4, description="Tokens of input that cost as much as one of output. The price is that of input."
    )

    def endpoint(self) -> ModelEndpoint:
        """The model."""
        return ModelEndpoint(**self.model_dump(by_alias=False))


class ModelEndpointView(View):
    """The language model of the workspace."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_EXAMPLE,
                    "origin": "https://api.acme-ai.com",
                    "enabled": False,
                    "keyCleared": False,
                }
            ]
        }
    )

    url: str
    model: str
    auth: str
    fields: list[str]
    max_bytes: int
    max_tokens: int
    output_weight: int
    origin: str = Field(description="Scheme, host and port to which the key is sent, and to no other.")
    enabled: bool
    key_cleared: bool = Field(description="Whether this change deleted the key, because the address is another one.")

    @classmethod
    def of(cls, command: SetModelEndpoint, *, enabled: bool, key_cleared: bool) -> "ModelEndpointView":
        """The settings, and what follows from them."""
        endpoint = command.endpoint()
        values = command.model_dump(by_alias=False)
        return cls(**values, origin=endpoint.origin, enabled=enabled, key_cleared=key_cleared)
