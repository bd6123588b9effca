"""The OpenAPI document as tests walk it: every operation, every place for an id, and requests made of both."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from leadflood.api.routing import NDJSON
from leadflood.kernel.actor import Permission
from tests.architecture.source import ROOT

NAME_OF_METRIC = "^[a-z][a-z0-9_.]*$"
"""Pattern of names that each release has, for all workspaces: no ID."""
_EACH_FOR_ITSELF = {"#/components/schemas/CreateLead"}
"""Parts of a body of many; the answer to each part tells of its ids: tests/integration/api/test_many_leads.py."""

METHODS = ("delete", "get", "patch", "post", "put")


class NotCovered(AssertionError):
    """The document has something that the generated tests do not know how to exercise."""


@dataclass(frozen=True)
class IdPlace:
    """Place of an ID in an operation; fields inside fields are separated by a dot."""

    where: Literal["path", "query", "body"]
    name: str


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    described: Mapping[str, Any]
    schemas: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def name(self) -> str:
        """Its operationId."""
        return str(self.described["operationId"])

    @property
    def permission(self) -> Permission | None:
        """Required permission."""
        wanted = self.described.get("x-required-permission")
        return None if wanted is None else Permission(wanted)

    @property
    def is_public(self) -> bool:
        """Whether everybody may call it."""
        return not self.described["security"]

    @property
    def takes_cursor(self) -> bool:
        """Whether it answers a list in pages."""
        return "cursor" in {given["name"] for given in self.described.get("parameters", ())}

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def collection(self) -> str:
        """Collection of the operation, such as `leads`: the first part of its path after the version."""
        return self.path.removeprefix("/v1/").split("/")[0]

    @property
    def takes_file(self) -> bool:
        """Whether its body is a file, as it is."""
        return list(self.described.get("requestBody", {}).get("content", ())) == ["application/octet-stream"]

    @property
    def body_schema(self) -> Mapping[str, Any] | None:
        """The schema of its body, where it takes one."""
        body = self.described.get("requestBody")
        if body is None or self.takes_file:
            return None
        if list(body["content"]) == [NDJSON]:
            return None  # lines, none of which fails the request: tests/integration/api/test_many_leads.py
        if list(body["content"]) != ["application/json"]:
            message = f"{self} takes another body than JSON: teach tests/support/openapi.py to make one."
            raise NotCovered(message)
        return self._resolved(body["content"]["application/json"]["schema"])

    def id_places(self) -> Iterator[IdPlace]:
        """Every place for an id. Raises: NotCovered: for one that is not declared as a UUID, so cannot be told."""
        for parameter in self.described.get("parameters", ()):
            if self._is_id(parameter["name"], parameter["schema"], f"{parameter['in']} {parameter['name']}"):
                yield IdPlace(parameter["in"], parameter["name"])
            elif parameter["in"] == "path" and parameter["schema"].get("pattern") != NAME_OF_METRIC:
                message = f"{self}: the path has {parameter['name']}, which is no UUID."
                raise NotCovered(message)
        yield from self._id_places_of_body(self.body_schema or {})

    def request(self, resource_id: UUID | None = None) -> dict[str, Any]:
        """A request that is valid for the document, as httpx takes it: with the examples, about this resource."""
        parameters = self.described.get("parameters", ())
        required = [parameter for parameter in parameters if parameter.get("required") and parameter["in"] == "header"]
        path = self.path.replace("{id}", str(resource_id))
        for item in parameters:
            if item["in"] == "path" and item["schema"].get("pattern") == NAME_OF_METRIC:
                path = path.replace(f"{{{item['name']}}}", item["schema"]["examples"][0])
        sent: dict[str, Any] = {"method": self.method, "url": path}
        sent["headers"] = {item["name"]: item["example"] for item in required}
        if self.takes_file:
            needed = [parameter for parameter in parameters if parameter.get("required")]
            sent["params"] = {item["name"]: item["schema"]["examples"][0] for item in needed}
            sent["content"] = b"email\nada@acme.com\n"
            sent["headers"]["Content-Type"] = "application/octet-stream"
        schema = self.body_schema
        if schema is not None:
            sent["json"] = schema["examples"][0]
        elif "requestBody" in self.described and not self.takes_file:
            sent["content"] = self.described["requestBody"]["content"][NDJSON]["example"].encode()
            sent["headers"]["Content-Type"] = NDJSON
        return sent

    def _id_places_of_body(
        self, schema: Mapping[str, Any], prefix: str = "", within: frozenset[str] = frozenset()
    ) -> Iterator[IdPlace]:
        if schema.get("title") in within:
            return  # it contains itself
        within |= {schema.get("title", "")} - {""}
        for name, field in schema.get("properties", {}).items():
            inner = [self._resolved(choice) for choice in field.get("anyOf", [field])]
            if any("properties" in choice for choice in inner):
                for choice in inner:
                    yield from self._id_places_of_body(choice, f"{prefix}{name}.", within)
            elif self._is_id(name, field, f"body {prefix}{name}", within):
                yield IdPlace("body", prefix + name)

    def _is_id(self, name: str, schema: Mapping[str, Any], place: str, within: frozenset[str] = frozenset()) -> bool:
        if schema.get("items", {}).get("$ref") in _EACH_FOR_ITSELF:
            return False
        choices = [self._resolved(choice) for choice in schema.get("anyOf", [schema])]
        listed = [self._resolved(choice.get("items", {})) for choice in choices]
        ids = [True for item in listed for _ in self._id_places_of_body(item, within=within)]
        if ids or any("properties" in choice for choice in choices):
            message = f"{self}: {place} has fields of its own: teach Operation.id_places to look for ids in there."
            raise NotCovered(message)
        kinds = [self._resolved(choice.get("items", choice)) for choice in choices]
        is_uuid = any(kind.get("format") == "uuid" for kind in kinds)
        if not is_uuid and (name in {"id", "ids"} or name.endswith(("Id", "Ids", "_id"))) and name != "X-Request-Id":
            message = f"{self}: {place} is named like an id, but not declared as a UUID."
            raise NotCovered(message)
        return is_uuid

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        return found


@cache
def document() -> dict[str, Any]:
    """The committed document, which tests/contract/test_openapi_snapshot.py compares with the real application's.

    Making it takes most of a second, in every process that collects tests.
    """
    described: dict[str, Any] = json.loads((ROOT / "docs/reference/openapi.json").read_bytes())
    return described


@cache
def operations() -> tuple[Operation, ...]:
    """All operations of the document. Raises: NotCovered: for a method that no test would call."""
    found = []
    for path, item in document()["paths"].items():
        if not set(item) <= set(METHODS):
            message = f"{path} has {sorted(set(item) - set(METHODS))}, which no test calls."
            raise NotCovered(message)
        found += [Operation(method.upper(), path, item[method], document()["components"]["schemas"]) for method in item]
    return tuple(found)


def validator(described: dict[str, Any], schema: Mapping[str, Any]) -> Draft202012Validator:
    """Validator for a schema whose references point into the document `described`."""
    whole = Resource.from_contents(described, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:document", whole)
    return Draft202012Validator(_absolute(schema), registry=registry, format_checker=FormatChecker())


def _absolute(schema: Any) -> Any:  # noqa: ANN401  JSON of any shape
    if isinstance(schema, list):
        return [_absolute(item) for item in schema]
    if isinstance(schema, dict):
        return {
            key: f"urn:document{value}" if key == "$ref" and value.startswith("#") else _absolute(value)
            for key, value in schema.items()
        }
    return schema
