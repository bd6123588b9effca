"""Profiles as YAML files, which can be kept in version control: the order of keys never changes."""

import re
from typing import Any, Final

import yaml
from pydantic import JsonValue, ValidationError

from leadflood.domains.icps.contracts.bodies import ProfileBody
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.schema import field_errors

MAX_FILE: Final = 64_000
"""Maximum size of a file in characters, comments included."""
_WIDTH: Final = 110


class _Loader(yaml.SafeLoader):
    """Reads plain YAML: `NO` is a text (a country), and so is a date. Anchors, which can grow, are refused."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _refused("Write repeated parts out: aliases (*) are not supported.")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])


class _Dumper(yaml.SafeDumper):
    """Writes lists indented below their key, and short tests in one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  of the library
        super().increase_indent(flow, False)  # noqa: FBT003  as above


def read_file(text: str) -> tuple[str | None, ProfileBody]:
    """The name and the body in a file. Raises: InvalidInput: naming what is wrong, and where."""
    if len(text) > MAX_FILE:
        raise _refused(f"The file has more than {MAX_FILE:,} characters.")
    try:
        given = yaml.load(text, _Loader)  # noqa: S506  a loader of plain data
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise _refused(f"This is not YAML{where}: {getattr(error, 'problem', None) or 'it cannot be read'}.") from None
    except RecursionError:
        raise _refused("The file is nested too deeply.") from None
    if not isinstance(given, dict) or not all(isinstance(key, str) for key in given):
        raise _refused("The file has to contain groups, tiers and, if needed, name, gates and stale.")
    name = given.pop("name", None)
    if name is not None and not isinstance(name, str):
        raise InvalidInput("The profile is not valid.", errors=[FieldError("/name", "wrong_type", "Must be a string.")])
    try:
        return name, ProfileBody.model_validate(given)
    except ValidationError as error:
        raise InvalidInput("The profile is not valid.", errors=field_errors(error)) from None


def write_file(name: str, body: ProfileBody) -> str:
    """The file of a profile. Reading it gives the same body, and the same body always gives the same file."""
    data: dict[str, JsonValue] = {"name": name, **body.written()}
    written: Any = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return str(written)


def line_of(text: str, pointer: str) -> int | None:
    """The line of what a JSON pointer leads to, or of the innermost part around it. None: it is not YAML.

    Lines count from 1.
    """
    try:
        node: yaml.Node | None = yaml.compose(text, _Loader)
    except (yaml.YAMLError, InvalidInput, RecursionError):
        return None
    line = node.start_mark.line if node is not None else 0
    for part in pointer.split("/")[1:]:
        found = _child(node, part.replace("~1", "/").replace("~0", "~"))
        if found is None:
            break
        line, node = found
    return line + 1


def _child(node: yaml.Node | None, part: str) -> tuple[int, yaml.Node] | None:
    """The line of a value, or of its key, and the value."""
    if isinstance(node, yaml.MappingNode):
        pairs = ((key.start_mark.line, value) for key, value in node.value if key.value == part)
        return next(pairs, None)
    if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        value = node.value[int(part)]
        return value.start_mark.line, value
    return None


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, errors=[FieldError("", "invalid_yaml", message)])
