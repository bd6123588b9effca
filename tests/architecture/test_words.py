"""One vocabulary: identifiers, comments, docstrings and documents use the field's usual words (docs/glossary.md)."""

import ast
import builtins
import functools
import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.source import ROOT

PHRASES = {
    r"told": "logged, shown, notified, reported",
    r"whoever|whomever": "the caller, the user who",
    r"somebody|anybody|everybody": "someone, anyone, everyone; better the role: a user, a caller",
    r"nobody": "no user, unassigned, unknown",
    r"tak(?:e|es|ing) (?:it |them )?back|took (?:it |them )?back|taken back|takes-back": "undo, revert",
    r"bring(?:s|ing)? (?:it |them )?back|brought back": "requeue, restore",
    r"came in": "created, received",
    r"hand(?:s|ed|ing)? (?:over|back|out)": "pass, transfer, return, grant",
    r"by now": "now, already",
    r"at once": "immediately, in one request, concurrently",
    r"no more(?! than)": "no longer, no further",
    r"anew|afresh": "again",
    r"for good": "permanently",
    r"in the meantime": "meanwhile, since then",
    r"comes? along": "is included, is bundled",
    r"lets? rest|let rest": "suspend",
    r"(?:jobs|rows|leads|requests|times) a second": "per second",
    r"throw-away": "disposable",
}
"""Banned phrases with their replacements."""

WORDS = {
    "told": "details, message, or the noun",
    "nobody": "unassigned, or what is missing",
    "somebody": "user, caller",
    "whoever": "user, caller",
    "patience": "timeout",
    "living": "active",
    "glance": "dashboard",
    "remind": "requeue",
    "forget": "purge, clear",
    "sealer": "secret_box",
    "carrier": "queue_backend",
    "doorkeeper": "authenticator",
    "lifeline": "parent_watch",
    "fewest": "min",
    "LONGEST": "MAX",
    "LARGEST": "MAX",
    "SHORTEST": "MIN",
}
"""Parts of identifiers that have a usual word; those in capitals, of constants only."""
_MAY_USE_ANOTHER_WORD = re.compile(
    rf"(?<![^\W_])(?:(?i:{'|'.join(filter(str.islower, WORDS))})|{'|'.join(filter(str.isupper, WORDS))})(?![^\W_])"
)
"""A file without a match has no such identifier."""

ALLOWED = {
    ("src/leadflood/web/pages/lead_list_params.py", "nobody"): "`owner=nobody` is in addresses that people keep",
    ("src/leadflood/web/templates/leads/_filters.html", "nobody"): "as above",
    ("src/leadflood/web/templates/leads/list.html", "nobody"): "as above",
    ("src/leadflood/kernel/db/os_user.py", "nobody"): "the name of an account of the system",
}
"""A word that a file may use, and why."""

CODE = ("src/leadflood/**/*.py", "tests/**/*.py", "scripts/*.py")
TEXTS = ("src/leadflood/**/*.html", "src/leadflood/web/frontend/js/*.js", "src/leadflood/web/frontend/css/**/*.css",
         "src/leadflood/**/*.md", "docs/*.md", "docs/guides/*.md", "deploy/*.md", "*.md")  # fmt: skip
_CLAUSE = re.compile(r"(?:What|Who|Whom|Whose|Where|When|Why|How (?!to |long ))\b")
"""The start of a docstring or comment that is a clause where a noun belongs: "What an import declares."."""

_BANNED = re.compile(
    "|".join(rf"(?P<p{number}>\b(?:{phrase})\b)" for number, phrase in enumerate(PHRASES)), re.IGNORECASE
)
_MAY_BEGIN_WITH_A_CLAUSE = re.compile(rf"[\"'#\\]\s*{_CLAUSE.pattern}")
"""A file without a match has no such docstring or comment."""


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a document, or the comments and docstrings of a file of code."""
    source = path.read_text("utf-8")
    if path.suffix == ".sql":
        yield from ((n, line) for n, line in enumerate(source.splitlines(), 1) if line.lstrip().startswith("--"))
    elif path.suffix == ".py":
        for number, text in _words(path).texts:
            yield from enumerate(text.splitlines(), number)
    else:
        yield from enumerate(source.splitlines(), 1)


def _paths(*patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    left_out = {"versions", "static", "node_modules"}
    return sorted(path for path in found if not left_out & set(path.parts))


def test_texts_use_the_usual_words() -> None:
    found = []
    for path in _paths("src/leadflood/**/*.py", "src/leadflood/**/*.sql", *TEXTS):
        place = str(path.relative_to(ROOT))
        for line, text in _texts(path) if _BANNED.search(path.read_text("utf-8")) else ():
            for match in _BANNED.finditer(text):
                if (place, match.group().lower()) not in ALLOWED:
                    remedy = list(PHRASES.values())[int(str(match.lastgroup)[1:])]
                    found.append(f"{place}:{line}: not {match.group()!r}, but: {remedy}")

    assert found == [], "see docs/glossary.md"


@dataclass(frozen=True)
class _Words:
    """The words of a module: comments, long texts, docstrings (of constants and attributes too), and names."""

    comments: Sequence[tuple[int, str]]
    texts: Sequence[tuple[int, str]]
    """Comments and strings in triple quotes: docstrings, statements and messages."""
    docstrings: Sequence[tuple[int, str]]
    names: Mapping[str, int]
    """Each name with the first line that has it."""


@functools.cache
def _words(path: Path) -> _Words:
    source = path.read_text("utf-8")
    comments: list[tuple[int, str]] = []
    texts: list[tuple[int, str]] = []
    names: dict[str, int] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments.append((token.start[0], token.string))
            texts.append(comments[-1])
        elif token.type == tokenize.STRING and token.string.startswith('"""'):
            texts.append((token.start[0], token.string))
        elif token.type == tokenize.NAME:
            names.setdefault(token.string, token.start[0])
    docstrings = [
        (node.lineno, node.value.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    return _Words(comments, texts, docstrings, names)


def test_texts_begin_with_a_noun_or_a_verb() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text.strip()[:60]!r}"
        for path in _paths(*CODE)
        if _MAY_BEGIN_WITH_A_CLAUSE.search(path.read_text("utf-8"))
        for line, text in [*_words(path).docstrings, *((n, text.lstrip("# ")) for n, text in _words(path).comments)]
        if _CLAUSE.match(text.strip())
    ]

    assert found == [], 'not "What an import declares.", but "Declaration of the imports domain."'


def _names(text: str) -> Iterator[str]:
    """Names that a module defines or imports."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (name.asname or name.name for name in names)
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name


def test_docstrings_name_errors_that_exist() -> None:
    known = {*dir(builtins), "IntegrityConstraintViolationError", "PostgresError", "NaN"}
    texts = {path: path.read_text("utf-8") for path in _paths("src/leadflood/**/*.py")}
    named = {
        name: f"{path.relative_to(ROOT)}:{line}: {name}"
        for path, source in texts.items()
        if "Raises:" in source
        for line, text in _words(path).docstrings
        for section in re.findall(r"Raises:(.*?)(?:\n\s*\n|$)", text, re.DOTALL)
        for name in re.findall(r"\b[A-Z]\w*[a-z][A-Z]\w*", section)
        if name not in known
    }
    assert len(named) > 50

    for text in texts.values():
        if any(name in text for name in named):  # the others need not be parsed
            defined = set(_names(text))
            named = {name: place for name, place in named.items() if name not in defined}
    assert list(named.values()) == []


def test_identifiers_use_the_usual_words() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}, not {part!r}, but: {WORDS[part]}"
        for path in _paths("src/leadflood/**/*.py")
        if _MAY_USE_ANOTHER_WORD.search(path.read_text("utf-8"))
        for name, line in _words(path).names.items()
        for part in {*name.split("_"), *name.lower().split("_")}
        if part in WORDS
    ]

    assert found == [], "see docs/glossary.md"
