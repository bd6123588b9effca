"""Write the files that are generated from the code: `uv run just docs`.

A new reference is a function that returns its text, and a line in `GENERATED`. What it returns must not depend on
the machine: `tests/unit/test_settings_docs.py` compares it to the committed file.
"""

import functools
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from leadflood.api.errors import meaning_of, problem_types
from leadflood.api.openapi import describe
from leadflood.bootstrap import DOMAINS, SUBSCRIBERS, api_routers, page_modules
from leadflood.cli import app
from leadflood.kernel.config import Settings
from leadflood.kernel.events import EventType

ROOT = Path(__file__).resolve().parent.parent

COMPUTED_DEFAULTS = {"home": "the user's data folder; `/var/lib/leadflood` for root"}
"""Defaults that depend on the machine, in words, by field name."""

_TYPE_NAMES: Mapping[type, str] = {
    bool: "`true` or `false`",
    float: "number",
    int: "integer",
    Path: "path",
    SecretStr: "secret text",
    str: "text",
}


def _variable(field_name: str) -> str:
    return f"{Settings.model_config['env_prefix']}{field_name}".upper()


def _without_none(annotation: object) -> object:
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (arg for arg in get_args(annotation) if arg is not NoneType)
    return annotation


def _range_text(field: FieldInfo) -> str:
    parts: list[str] = []
    for rule in field.metadata:
        match rule:
            case annotated_types.Ge(ge=limit):
                parts.append(f"≥ {limit}")
            case annotated_types.Gt(gt=limit):
                parts.append(f"> {limit}")
            case annotated_types.Le(le=limit):
                parts.append(f"≤ {limit}")
            case annotated_types.MinLen(min_length=limit):
                parts.append(f"at least {limit} characters")
            case _:
                message = f"scripts/generate_docs.py: describe {rule!r} in _range_text"
                raise TypeError(message)
    return ", ".join(parts)


def _type_text(field: FieldInfo) -> str:
    annotation = _without_none(field.annotation)
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if not isinstance(annotation, type) or annotation not in _TYPE_NAMES:
        message = f"scripts/generate_docs.py: name the type {annotation!r} in _TYPE_NAMES"
        raise TypeError(message)
    return " ".join(filter(None, (_TYPE_NAMES[annotation], _range_text(field))))


def _default(name: str, field: FieldInfo) -> str | None:
    """The default as written in the environment; None if there is none or it is computed or secret."""
    if _without_none(field.annotation) is SecretStr or name in COMPUTED_DEFAULTS:
        return None
    if field.default_factory is not None or field.default is PydanticUndefined:
        message = f"scripts/generate_docs.py: say the default of {name} in words, in COMPUTED_DEFAULTS"
        raise TypeError(message)
    value = field.default.value if isinstance(field.default, Enum) else field.default
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def env_example() -> str:
    """`.env.example`: every setting, commented out, so that a copy of the file changes nothing."""
    lines = ["# Settings of LEAD-FLOOD with their defaults. Copy to .env and uncomment the lines you want to change."]
    lines.append("# Generated from leadflood.kernel.config by `uv run just docs`.")
    for name, field in Settings.model_fields.items():
        lines += ["", f"# {field.description}"]
        if name in COMPUTED_DEFAULTS:
            lines.append(f"# Default: {COMPUTED_DEFAULTS[name].replace('`', '')}.")
        lines.append(f"# {_variable(name)}={_default(name, field) or ''}")
    return "\n".join(lines) + "\n"


def settings_reference() -> str:
    """`docs/reference/settings.md`: one table row per setting."""
    lines = [
        "# Settings",
        "",
        "<!-- Generated from leadflood.kernel.config by `uv run just docs`. Change it there. -->",
        "",
        "Set them as environment variables or in a `.env` file in the working directory. Environment variables take",
        "precedence. Lifetimes ending in `_SECONDS` are in seconds.",
        "",
        "| variable | type | default | description |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = _default(name, field)
        shown = COMPUTED_DEFAULTS.get(name) or (f"`{default}`" if default else "none")
        description = (field.description or "").replace("|", "\\|")
        lines.append(f"| `{_variable(name)}` | {_type_text(field)} | {shown} | {description} |")
    return "\n".join(lines) + "\n"


def _commands(group: TyperGroup, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _parameter_row(parameter: TyperArgument | TyperOption) -> str:
    if isinstance(parameter, TyperArgument):
        shown = (parameter.metavar or (parameter.name or "").upper()).replace("|", "\\|")
        names = f"`{shown}`" if parameter.required else f"`[{shown}]`"
    else:
        names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    default = parameter.default
    plain = default not in (None, False, "") and not callable(default) and not isinstance(default, list | tuple)
    said = (parameter.help or "").replace("|", "\\|")
    words = [said, "Required." if parameter.required and isinstance(parameter, TyperOption) else ""]
    words.append(
        f"Default: {default:g}." if plain and isinstance(default, float) else f"Default: {default}." if plain else ""
    )
    return f"| {names} | {' '.join(filter(None, words))} |"


def cli_reference() -> str:
    """`docs/reference/cli.md`: every command with its arguments, options and an example."""
    root = get_command(app)
    if not isinstance(root, TyperGroup):
        message = "scripts/generate_docs.py: the command line has no commands"
        raise TypeError(message)
    lines = [
        "# Command line",
        "",
        "<!-- Generated from leadflood.cli by `uv run just docs`. Change it there. -->",
        "",
        inspect.cleandoc(root.help or ""),
    ]
    for path, command in _commands(root, "leadflood"):
        lines += ["", f"## `{path}`", "", inspect.cleandoc(command.help or "")]
        rows = [_parameter_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        if rows:
            lines += ["", "| argument or option | description |", "| --- | --- |", *rows]
    return "\n".join(lines) + "\n"


@functools.cache
def _described() -> dict[str, Any]:
    return describe([route for router in api_routers() for route in router.routes])


def openapi_document() -> str:
    """`docs/reference/openapi.json`: what the server gives at `/openapi.json`."""
    return json.dumps(_described(), ensure_ascii=False, indent=2) + "\n"


def _operations(document: Mapping[str, Any], tag: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["tags"] == [tag]:
                yield method.upper(), path, operation


def _who_may(operation: Mapping[str, Any]) -> str:
    if not operation["security"]:
        return "public"
    permission = operation.get("x-required-permission")
    return f"`{permission}`" if permission else "any caller"


def http_api_reference() -> str:
    """`docs/reference/http-api.md`: one table row per operation, by tag."""
    document = _described()
    lines = [
        "# HTTP API",
        "",
        "<!-- Generated from leadflood.api by `uv run just docs`. Change it there. -->",
        "",
        "The full OpenAPI document, with schemas and examples, is [openapi.json](openapi.json); a running server shows",
        "it at `/docs`. Permissions come from a member's role or an API key's scopes. Errors are described in the",
        "[error reference](problems.md).",
    ]
    for tag in document["tags"]:
        lines += ["", f"## {tag['name']}", "", tag["description"], ""]
        lines += ["| operation | permission | summary | success | errors |", "| --- | --- | --- | --- | --- |"]
        for method, path, operation in _operations(document, tag["name"]):
            statuses = list(operation["responses"])
            answers = ", ".join(status for status in statuses if status < "4")
            problems = ", ".join(status for status in statuses if status >= "4")
            called = f"`{method} {path}`"
            lines.append(f"| {called} | {_who_may(operation)} | {operation['summary']} | {answers} | {problems} |")
    return "\n".join(lines) + "\n"


def _data_of(event_type: EventType[Any]) -> str:
    names = (model_field.alias or to_camel(name) for name, model_field in event_type.data.model_fields.items())
    return ", ".join(f"`{name}`" for name in names)


def events_reference() -> str:
    """`docs/reference/events.md`: one table row per type."""
    lines = [
        "# Event reference",
        "",
        "<!-- Generated from the domains' declarations by `uv run just docs`. Change them there. -->",
        "",
        "How to read events: [Read events](../guides/read-events.md). Fields of `data` may be null, and new ones can",
        "be added. A change that would break readers is a new type, with a higher version in its name.",
        "",
        "| type | subject | meaning | data |",
        "| --- | --- | --- | --- |",
    ]
    for name, item in sorted(SUBSCRIBERS.types.items()):
        lines.append(f"| `{name}` | {item.subject} | {item.summary} | {_data_of(item)} |")
    return "\n".join(lines) + "\n"


def problems_reference() -> str:
    """`docs/reference/problems.md`: one table row per code."""
    page_modules()  # their import defines the errors that only pages answer
    lines = [
        "# Error reference",
        "",
        "<!-- Generated from leadflood.api.errors by `uv run just docs`. Change it there. -->",
        "",
        "Errors are `application/problem+json` (RFC 9457). `code` is stable: branch on it, not on texts. `errors`",
        "lists every invalid field. Quote `requestId` when you ask for support: the server's logs have it.",
        "",
        "| code | status | meaning | resolution |",
        "| --- | --- | --- | --- |",
    ]
    for code, error in problem_types().items():
        lines.append(f"| `{code}` | {error.status} | {meaning_of(error)} | {error.remedy} |")
    return "\n".join(lines) + "\n"


def architecture() -> str:
    """`ARCHITECTURE.md` with the table of domains, in the order of `bootstrap.DOMAINS`."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    head, start, rest = page.partition("<!-- domains:")
    comment, _, _ = rest.partition("\n")
    _, end, tail = rest.partition("<!-- end of domains -->")
    rows = [f"| `{domain.name}` | {_purpose(domain.name)} |" for domain in DOMAINS]
    table = "\n".join(["| domain | what it does |", "| --- | --- |", *rows])
    return f"{head}{start}{comment}\n\n{table}\n\n{end}{tail}"


def _purpose(domain: str) -> str:
    text = inspect.cleandoc(import_module(f"leadflood.domains.{domain}").__doc__ or "")
    return text.partition("\n")[0].removesuffix(".")


GENERATED: Mapping[str, Callable[[], str]] = {
    "ARCHITECTURE.md": architecture,
    ".env.example": env_example,
    "docs/reference/cli.md": cli_reference,
    "docs/reference/events.md": events_reference,
    "docs/reference/http-api.md": http_api_reference,
    "docs/reference/openapi.json": openapi_document,
    "docs/reference/problems.md": problems_reference,
    "docs/reference/settings.md": settings_reference,
}
"""Path below the checkout, and what makes its text."""


def main() -> None:
    """Write every generated file, and name those that changed."""
    for name, render in GENERATED.items():
        path, text = ROOT / name, render()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
