"""The documentation for users, as pages: the same Markdown files that the repository has, rendered when first read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from leadflood.kernel.text import search_key

PAGES: Final[Mapping[str, str]] = {
    "quickstart": "quickstart.md",
    "concepts": "concepts.md",
    "import-leads": "guides/import-leads.md",
    "organize-leads": "guides/organize-leads.md",
    "enrich-without-a-database": "guides/enrich-without-a-database.md",
    "read-events": "guides/read-events.md",
    "operations": "operations.md",
    "glossary": "glossary.md",
    "settings": "reference/settings.md",
    "command-line": "reference/cli.md",
    "events": "reference/events.md",
    "errors": "reference/problems.md",
}
"""Files by the last part of their address, in the order of the list."""
_ADDRESS: Final = "/help"
_BY_FILE: Final = {name: f"{_ADDRESS}/{page}" for page, name in PAGES.items()} | {"reference/http-api.md": "/docs"}
"""Addresses by file. The reference of the API is a page of its own."""
_ATTRIBUTES: Final = {"table_open": {"class": "table", "tabindex": "0"}}


@dataclass(frozen=True, slots=True)
class Document:
    """A document: the address of its page, title, and its HTML without the title."""

    page: str
    title: str
    html: Markup


@cache
def document(page: str) -> Document | None:
    """The document at `/help/<page>`; None if there is none."""
    if page not in PAGES:
        return None
    tokens = _markdown().parse(_read(PAGES[page]))
    title = tokens[1].content
    body = [_placed(token, PurePosixPath(PAGES[page])) for token in tokens[3:]]
    _name_headings(body)
    renderer = _markdown()
    return Document(page, title, Markup(renderer.renderer.render(body, renderer.options, {})))  # noqa: S704  our own files


def documents() -> list[Document]:
    """All documents, in order."""
    return [found for page in PAGES if (found := document(page)) is not None]


def render_text(text: str) -> Markup:
    """Paragraphs of our own Markdown text, without headings."""
    return Markup(_markdown().render(text))  # noqa: S704  our own texts


def render_inline(text: str) -> Markup:
    """A line of our own Markdown text."""
    return Markup(_markdown().renderInline(text))  # noqa: S704  our own texts


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _read(name: str) -> str:
    packed = files("leadflood").joinpath("documents", name)
    if packed.is_file():
        return packed.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "docs" / name).read_text(encoding="utf-8")


def _placed(token: Token, file: PurePosixPath) -> Token:
    """The token with links to other documents as links to their pages, and tables that scroll on their own."""
    for child in token.children or ():
        if child.type == "link_open":
            _place_link(child, file)
    for name, value in _ATTRIBUTES.get(token.type, {}).items():
        token.attrSet(name, value)
    return token


def _place_link(link: Token, file: PurePosixPath) -> None:
    target, _, anchor = str(link.attrs.get("href", "")).partition("#")
    if "://" in target:
        link.attrs |= {"rel": "noreferrer noopener", "target": "_blank"}
        return
    if not target:
        return
    address = _BY_FILE.get(_joined(file.parent, target))
    if address is None:
        link.attrs = {}  # a document for contributors, which only the repository has
    else:
        link.attrs["href"] = address + (f"#{anchor}" if anchor else "")


def _joined(folder: PurePosixPath, target: str) -> str:
    parts: list[str] = list(folder.parts)
    for part in PurePosixPath(target).parts:
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return "/".join(parts)


def _name_headings(tokens: list[Token]) -> None:
    for opening, text in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", "-".join(_words(text.content)))


def _words(text: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in search_key(text)).split()
