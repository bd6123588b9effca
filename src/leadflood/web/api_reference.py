"""The API reference for people: the OpenAPI document as groups of operations, ready for templates."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

from markupsafe import Markup

from leadflood.kernel.text import search_key
from leadflood.web.documents import render_inline, render_text

Schema = Mapping[str, Any]
_NESTED: Final = 3
"""Levels of objects within objects whose fields are listed."""
_REF: Final = "#/components/"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_TONES: Final = {"get": "info", "post": "ok", "put": "warn", "patch": "warn", "delete": "bad"}
_SUCCESS: Final = 400


class ApiApplication(Protocol):
    """The application that serves the API."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A parameter, or a field of a body. `place`: path, query or header; empty for a field."""

    name: str
    type: str
    text: Markup
    required: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request or of a response: media type, fields and an example."""

    media_type: str
    fields: Sequence[Entry]
    example: str = ""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """A response to a successful request."""

    status: str
    body: Body | None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation.

    Attributes:
        permission: permission of the caller; None for any caller.
        public: whether it needs no credentials.
        errors: possible status codes with their meanings.
        command: the request as a command.
        words: what a search compares.
    """

    id: str
    method: str
    tone: str
    path: str
    title: str
    text: Markup
    permission: str | None
    public: bool
    parameters: Sequence[Entry]
    body: Body | None
    answers: Sequence[ApiAnswer]
    errors: Sequence[tuple[str, Markup]]
    command: str
    words: str


@dataclass(frozen=True, slots=True)
class OperationGroup:
    """Operations on one kind of resource. `slug`: the last part of its address."""

    slug: str
    title: str
    text: str
    operations: Sequence[Operation]


@dataclass(frozen=True, slots=True)
class ApiReference:
    """All operations, and what they have in common."""

    version: str
    text: Markup
    groups: Sequence[OperationGroup]

    def group(self, slug: str) -> OperationGroup | None:
        """The group with this slug."""
        return next((each for each in self.groups if each.slug == slug), None)

    def matching(self, text: str) -> list[tuple[OperationGroup, list[Operation]]]:
        """The operations that have all words of a text, by group."""
        words = search_key(text).split()
        found = [
            (group, [each for each in group.operations if all(word in each.words for word in words)])
            for group in self.groups
        ]
        return [(group, operations) for group, operations in found if operations]


@lru_cache(maxsize=1)
def reference_of(application: ApiApplication) -> ApiReference:
    """The reference of an application."""
    document = application.openapi()
    return _OpenApiReader(document).reference()


class _OpenApiReader:
    def __init__(self, document: Schema) -> None:
        self._document = document

    def reference(self) -> ApiReference:
        info = self._document["info"]
        groups = (self._group(tag) for tag in self._document["tags"])
        found = [group for group in groups if group.operations]
        return ApiReference(info["version"], render_text(info["description"]), found)

    def _group(self, tag: Schema) -> OperationGroup:
        title = tag["name"].replace("-", " ").capitalize().replace("Api ", "API ")
        operations = [
            self._operation(method, path, operations[method])
            for path, operations in self._document["paths"].items()
            for method in _METHODS
            if method in operations and tag["name"] in operations[method]["tags"]
        ]
        return OperationGroup(tag["name"].replace(" ", "-"), title, tag["description"], operations)

    def _operation(self, method: str, path: str, given: Schema) -> Operation:
        parameters = [self._parameter(each) for each in given.get("parameters", ())]
        body = self._body(given["requestBody"]) if "requestBody" in given else None
        statuses = {status: self._resolved(each) for status, each in given["responses"].items()}
        public = not given["security"]
        permission = given.get("x-required-permission")
        text = given.get("description", "").partition("\n\nRequires the ")[0]
        return Operation(
            id=given["operationId"],
            method=method.upper(),
            tone=_TONES[method],
            path=path,
            title=given["summary"],
            text=render_text(text),
            permission=permission,
            public=public,
            parameters=parameters,
            body=body,
            answers=[
                ApiAnswer(status, self._body(each)) for status, each in statuses.items() if int(status) < _SUCCESS
            ],
            errors=[
                (status, render_inline(each["description"]))
                for status, each in statuses.items()
                if int(status) >= _SUCCESS
            ],
            command=_command(method.upper(), path, body, public=public),
            words=search_key(" ".join([method, path, given["operationId"], given["summary"], text, permission or ""])),
        )

    def _parameter(self, given: Schema) -> Entry:
        schema = self._resolved(given["schema"])
        entry = self._entry(given["name"], {**schema, "description": given.get("description", "")})
        return Entry(entry.name, entry.type, entry.text, given["required"], given["in"])

    def _body(self, given: Schema) -> Body | None:
        for media_type, content in given.get("content", {}).items():
            schema = self._resolved(content.get("schema", {}))
            examples = [content["example"]] if "example" in content else schema.get("examples", [])
            example = json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else ""
            return Body(media_type, list(self._fields(schema, "", ())), example)
        return None

    def _fields(self, schema: Schema, prefix: str, within: tuple[str, ...]) -> Iterator[Entry]:
        """The fields of an object, each followed by those of the objects in it."""
        required = schema.get("required", ())
        for name, given in schema.get("properties", {}).items():
            found = self._resolved(given)
            yield self._entry(f"{prefix}{name}", found, required=name in required)
            inner, suffix = self._content(found)
            title = str(inner.get("title", ""))
            if inner.get("properties") and title not in within and len(within) < _NESTED:
                yield from self._fields(inner, f"{prefix}{name}{suffix}.", (*within, title))

    def _content(self, schema: Schema) -> tuple[Schema, str]:
        """The object that a value consists of, and what is put after its name."""
        options = [each for each in self._options(schema) if each.get("type") != "null"]
        if len(options) == 1 and options[0] is not schema:
            return self._content(options[0])
        if schema.get("type") == "array":
            return self._content(self._resolved(schema.get("items", {})))[0], "[]"
        return schema, ""

    def _entry(self, name: str, schema: Schema, *, required: bool = False) -> Entry:
        text = str(schema.get("description", ""))
        if "default" in schema and schema["default"] not in (None, [], {}):
            text = f"{text} Default: `{json.dumps(schema['default'], ensure_ascii=False)}`.".strip()
        return Entry(name, self._type(schema), render_inline(text), required)

    def _type(self, schema: Schema) -> str:
        options = self._options(schema)
        if len(options) > 1 or options[0] is not schema:
            return " or ".join(dict.fromkeys(self._type(each) for each in options))
        if "enum" in schema:
            return " | ".join(str(each) or "empty" for each in schema["enum"])
        if "const" in schema:
            return str(schema["const"]) or "empty"
        if schema.get("type") == "array":
            return f"list of {self._type(self._resolved(schema.get('items', {})))}"
        return str(schema.get("format") or schema.get("type") or "any")

    def _options(self, schema: Schema) -> list[Schema]:
        several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        return [self._resolved(each) for each in several] if several else [schema]

    def _resolved(self, schema: Schema) -> Schema:
        """The schema that a reference names, with what is said beside the reference."""
        if "$ref" not in schema:
            return schema
        found: Any = self._document["components"]
        for part in schema["$ref"].removeprefix(_REF).split("/"):
            found = found[part]
        return {**self._resolved(found), **{name: value for name, value in schema.items() if name != "$ref"}}


def _command(method: str, path: str, body: Body | None, *, public: bool) -> str:
    lines = [f'curl -X {method} "$URL{path}"'] if method != "GET" else [f'curl "$URL{path}"']
    if not public:
        lines.append('-H "Authorization: Bearer $KEY"')
    if body is not None:
        lines.append(f'-H "Content-Type: {body.media_type}"')
        if body.example:
            compact = json.dumps(json.loads(body.example), ensure_ascii=False).replace("'", "'\\''")
            lines.append(f"-d '{compact}'")
    return " \\\n  ".join(lines)
