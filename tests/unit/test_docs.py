"""Docs that fail when they lie: links, commands, routes and files that they name are there."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
from fastapi.routing import APIRoute
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from leadflood.bootstrap import api_routers
from leadflood.cli import app
from leadflood.domains.identity.models import acceptable_password
from leadflood.kernel.text import InvalidValue
from tests.architecture.source import ROOT
from tests.support.guides import changes

PAGES = sorted(page for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md") for page in ROOT.glob(pattern))
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=NAMES)

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
COMMAND = re.compile(r"(?<![\w/.:@-])leadflood((?: +[^|;&()<>`#\n]+)?)")
PASSWORD = re.compile(r"(?:[Pp]assword (?:is |of )?`|^ *Password +|\"password\": ?\")([^`\"\n]{6,})", re.MULTILINE)
ROUTE = re.compile(r"/v1/[\w/{}$-]*[\w}]")
SOURCE = re.compile(r"src/leadflood/[\w./]*\w/?")
FILE_NAME = re.compile(r"[\w-]+\.(?:csv|jsonl?|txt|xlsx|yaml)")
program_of = cache(get_command)
"""The command line, put together once: doing so takes longer than reading a page's commands."""
EXAMPLES = {"ID": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10", "EMAIL": "ada@acme.com"}


def prose(text: str) -> str:
    """The text without its blocks of code."""
    return FENCE.sub("", text)


def without_python(text: str) -> str:
    """The text without Python, where new things are made."""
    return FENCE.sub(lambda block: "" if block[1] == "python" else block[0], text)


def anchors(text: str) -> set[str]:
    """The ids that GitHub gives to headings."""
    titles = (re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in HEADING.findall(text))
    return set(titles)


def broken_links(page: Path, text: str) -> Iterator[str]:
    for target in LINK.findall(INLINE.sub("", prose(text))):
        if ":" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists():
            yield f"{target}: there is no such file"
        elif anchor and anchor not in anchors(prose(text if linked == page else linked.read_text(encoding="utf-8"))):
            yield f"{target}: there is no such heading"


def shell_lines(text: str) -> Iterator[str]:
    """Commands of a document: shell blocks as a whole, and the lines after a `$` of terminal sessions."""
    for language, block in FENCE.findall(text):
        joined = block.replace("\\\n", " ")
        if language in {"bash", "sh"}:
            yield from joined.splitlines()
        if language == "console":
            yield from (line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ "))


def commands(line: str) -> Iterator[list[str]]:
    """The arguments of each `leadflood …` in a line."""
    for arguments in COMMAND.findall(line):
        if words := shlex.split(arguments):
            yield [EXAMPLES.get(word, word) for word in words if word != "…"]


def refusal(words: list[str]) -> str | None:
    """Reason why the command line would refuse these arguments. Nothing runs; a bare command name is a mention."""
    command = program_of(app)
    try:
        context = command.make_context("leadflood", list(words))
        while isinstance(command, TyperGroup):
            name, found, words = command.resolve_command(context, words)
            if found is None or not words:
                return None
            command = found
            context = command.make_context(name, list(words), parent=context)
    except typer.Exit:
        return None
    except TyperException as error:
        return str(error)
    return None


def wrong_commands(text: str) -> Iterator[str]:
    for line in (*shell_lines(text), *INLINE.findall(prose(text))):
        for words in commands(line):
            if reason := refusal(words):
                yield f"leadflood {shlex.join(words)}: {reason}"


@cache
def routes() -> re.Pattern[str]:
    paths = {route.path for router in api_routers() for route in router.routes if isinstance(route, APIRoute)}
    return re.compile("|".join(re.sub(r"\\{.+?\\}", "[^/]+", re.escape(path)) for path in sorted(paths)))


def unknown_routes(text: str) -> Iterator[str]:
    yield from (path for path in ROUTE.findall(without_python(text)) if not routes().fullmatch(path))


def missing_sources(text: str) -> Iterator[str]:
    made = {change.path for change in changes(text) if change.how == "(new)"}
    yield from (path for path in SOURCE.findall(text) if path not in made and not (ROOT / path).exists())


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page, page.read_text(encoding="utf-8"))) == []


@EVERY_PAGE
def test_every_command_would_be_taken(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text(encoding="utf-8")
    for name in FILE_NAME.findall(text):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert list(wrong_commands(text)) == []


@EVERY_PAGE
def test_every_route_exists(page: Path) -> None:
    assert list(unknown_routes(page.read_text(encoding="utf-8"))) == []


@EVERY_PAGE
def test_every_source_file_exists(page: Path) -> None:
    assert list(missing_sources(page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(("index", "folder"), [("docs/README.md", "docs/guides"), ("docs/decisions/README.md", "")])
def test_an_index_lists_every_page(index: str, folder: str) -> None:
    page = ROOT / index
    listed = {(page.parent / target).resolve() for target in LINK.findall(page.read_text(encoding="utf-8"))}
    there = set((ROOT / folder if folder else page.parent).glob("*.md")) - {page}

    assert there
    assert sorted(path.name for path in there - listed) == []


def test_every_page_of_the_docs_is_reached_from_an_index() -> None:
    indexes = [ROOT / "docs/README.md", ROOT / "docs/decisions/README.md"]
    reached = {
        (index.parent / target).resolve() for index in indexes for target in LINK.findall(index.read_text("utf-8"))
    }

    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - {indexes[0]}
    assert sorted(page.name for page in pages - reached) == []


def test_the_example_passwords_of_the_documentation_are_refused() -> None:
    """Also those of a release that somebody reads next year: a new example has to be refused or to be no password."""
    schemas = json.loads((ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8"))["components"]["schemas"]
    fields = ("password", "newPassword", "initialPassword")
    examples = {
        example[field]
        for name in ("ChangePassword",)
        for example in schemas[name]["examples"]
        for field in fields
        if field in example
    }
    for page in PAGES:
        examples |= set(PASSWORD.findall(page.read_text(encoding="utf-8")))

    assert {"demo-flood-2026", "correct horse battery staple"} <= examples
    for example in examples:
        with pytest.raises(InvalidValue):
            acceptable_password(example)
