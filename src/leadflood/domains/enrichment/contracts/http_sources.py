"""Sources that a workspace defines itself, in the API: all validation of a definition."""

from copy import deepcopy
from typing import Annotated, Any, Final, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import ConfigDict, Field, JsonValue, model_validator

from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.http_definitions import HttpDefinition, origin_of, placeholders
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line

MAX_PATH: Final = 500
MAX_URL: Final = 1000
_MAX_FIELDS: Final = 40
_MAX_NEEDS: Final = 5
_HEADER: Final = r"^[A-Za-z][A-Za-z0-9-]{0,59}$"
NAME: Final = r"^custom_[a-z0-9_]{1,50}$"
_FORBIDDEN_HEADERS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "cookie"})
_CLASSES = Literal["miss", "busy", "away", "refused", "key_rejected", "out_of_credits", "objected"]


def _path(text: str) -> str:
    """A JMESPath expression. Raises: InvalidValue."""
    if not 0 < len(text) <= MAX_PATH:
        raise InvalidValue(f"Must have 1 to {MAX_PATH} characters.")
    try:
        jmespath.compile(text)
    except JMESPathError:
        raise InvalidValue("Must be a JMESPath expression, such as data.company.name.") from None
    return text


def _url(text: str) -> str:
    """The template of an address. Raises: InvalidValue."""
    if not 0 < len(text) <= MAX_URL or not text.isascii() or any(char.isspace() for char in text):
        raise InvalidValue(f"Must be an address of at most {MAX_URL} ASCII characters, without spaces.")
    try:
        origin_of(text)
    except ValueError as error:
        raise InvalidValue(str(error)) from None
    return text


Path = Annotated[str, FromText(_path, {"minLength": 1, "maxLength": MAX_PATH})]
UrlTemplate = Annotated[str, FromText(_url, {"minLength": 1, "maxLength": MAX_URL})]

_EXAMPLE: Final[dict[str, Any]] = {
    "label": "Acme Data",
    "subject": "company",
    "method": "GET",
    "url": "https://api.acme-data.com/v1/companies/{domain}",
    "auth": "bearer",
    "needs": [["domain"]],
    "fields": {"name": "company.title", "employees": "company.staff.total"},
    "missWhen": "found == `false`",
    "unit": "credit",
    "charges": "on_hit",
    "mostUnits": 1,
    "confidence": 0.7,
    "calls": 60,
    "seconds": 60.0,
}


class DefineSource(Schema):
    """A web API as a source. The key is no part of it: set it afterwards.

    A new address with another scheme, host or port deletes the key.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [deepcopy(_EXAMPLE)]})

    label: Annotated[str, line(60)]
    subject: Literal["lead", "company"]
    method: Literal["GET", "POST"] = "GET"
    url: UrlTemplate = Field(description="With placeholders of fields in path and query, such as `{domain}`.")
    body: JsonValue = Field(default=None, description="JSON to send, with placeholders in its texts.")
    auth: Literal["none", "header", "basic", "bearer"] = "none"
    header: Annotated[str, Field(pattern=_HEADER)] = "x-api-key"
    needs: Annotated[
        list[Annotated[list[str], Field(min_length=1, max_length=_MAX_NEEDS)]],
        Field(min_length=1, max_length=_MAX_NEEDS),
    ]
    fields: Annotated[dict[str, Path], Field(min_length=1, max_length=_MAX_FIELDS)]
    miss_when: Path | None = None
    statuses: dict[Annotated[str, Field(pattern=r"^[2-5][0-9]{2}$")], _CLASSES] = Field(default_factory=dict)
    units: Path | None = Field(default=None, description="Path of the units that were charged.")
    unit: Annotated[str, line(30)] = "request"
    charges: Literal["never", "on_hit", "on_call"] = "on_call"
    most_units: Annotated[int, Field(ge=0, le=1000)] = 1
    confidence: Annotated[float, Field(gt=0, le=0.99)] = 0.6
    calls: Annotated[int, Field(ge=1, le=10_000)] = 60
    seconds: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    days: Annotated[int, Field(ge=1, le=365)] = 30

    @model_validator(mode="after")
    def _fits_together(self) -> "DefineSource":
        catalog = CATALOGS[SubjectKind(self.subject)]
        needed = {name for names in self.needs for name in names}
        for name in sorted({*needed, *self.fields}):
            if name not in catalog:
                message = f"There is no field {name!r} of a {self.subject}."
                raise InvalidValue(message)
        for name in [*placeholders(self.url), *placeholders(self.body)]:
            if name not in needed:
                message = f"The placeholder {{{name}}} is not one of the needed fields."
                raise InvalidValue(message)
        if self.header.lower() in _FORBIDDEN_HEADERS:
            message = f"The header {self.header} is set by the program."
            raise InvalidValue(message)
        if self.method == "GET" and self.body is not None:
            message = "A body needs the method POST."
            raise InvalidValue(message)
        if (self.charges == "never") != (self.most_units == 0):
            message = "A source that charges has at least one unit at most, another one none."
            raise InvalidValue(message)
        return self

    def definition(self, name: str) -> HttpDefinition:
        """The definition under a name."""
        values = self.model_dump(exclude={"statuses"}, by_alias=False)
        return HttpDefinition(name=name, statuses={int(code): kind for code, kind in self.statuses.items()}, **values)


class DefinedSourceView(View):
    """A source that the workspace has defined. `definition` can be sent to define it again; it has no key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "custom_acme_data",
                    "origin": "https://api.acme-data.com",
                    "enabled": False,
                    "keyCleared": False,
                    "definition": deepcopy(_EXAMPLE),
                }
            ]
        }
    )

    name: str
    origin: str
    enabled: bool
    key_cleared: bool = Field(description="Whether this change deleted the key, because the address is another one.")
    definition: dict[str, JsonValue]
