"""One vocabulary: identifiers, comments, docstrings and documents use the field's usual words (docs/glossary.md)."""

import io
import re
import tokenize
from collections.abc import Iterator
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
"""What texts must not say, and what to say instead."""

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

ALLOWED = {
    ("src/leadflood/web/pages/lead_list_params.py", "nobody"): "`owner=nobody` is in addresses that people keep",
    ("src/leadflood/web/templates/leads/_filters.html", "nobody"): "as above",
    ("src/leadflood/web/templates/leads/list.html", "nobody"): "as above",
    ("src/leadflood/kernel/db/os_user.py", "nobody"): "the name of an account of the system",
}
"""A word that a file may use, and why."""

PENDING: frozenset[str] = frozenset(
    [
        "docs/operations.md",
        "src/leadflood/kernel/filter_meaning.py",
    ]
)
"""Files that still say it otherwise. The list only gets shorter."""

TEXTS = ("src/leadflood/**/*.html", "src/leadflood/web/frontend/js/*.js", "src/leadflood/web/frontend/css/**/*.css",
         "src/leadflood/**/*.md", "docs/*.md", "docs/guides/*.md", "deploy/*.md", "*.md")  # fmt: skip
_BANNED = re.compile(
    "|".join(rf"(?P<p{number}>\b(?:{phrase})\b)" for number, phrase in enumerate(PHRASES)), re.IGNORECASE
)


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a document, or the comments and docstrings of a file of code."""
    source = path.read_text("utf-8")
    if path.suffix == ".sql":
        yield from ((n, line) for n, line in enumerate(source.splitlines(), 1) if line.lstrip().startswith("--"))
    elif path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
                yield from enumerate(token.string.splitlines(), token.start[0])
    else:
        yield from enumerate(source.splitlines(), 1)


def _paths(*patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    left_out = {"versions", "static", "node_modules"}
    return sorted(
        path for path in found if not left_out & set(path.parts) and str(path.relative_to(ROOT)) not in PENDING
    )


def test_texts_use_the_usual_words() -> None:
    found = []
    for path in _paths("src/leadflood/**/*.py", "src/leadflood/**/*.sql", *TEXTS):
        place = str(path.relative_to(ROOT))
        for line, text in _texts(path):
            for match in _BANNED.finditer(text):
                if (place, match.group().lower()) not in ALLOWED:
                    remedy = list(PHRASES.values())[int(str(match.lastgroup)[1:])]
                    found.append(f"{place}:{line}: not {match.group()!r}, but: {remedy}")

    assert found == [], "see docs/glossary.md"


def _identifiers() -> Iterator[tuple[str, str]]:
    for path in _paths("src/leadflood/**/*.py"):
        with path.open(encoding="utf-8") as file:
            for token in tokenize.generate_tokens(file.readline):
                if token.type == tokenize.NAME:
                    yield f"{path.relative_to(ROOT)}:{token.start[0]}", token.string


def test_a_pending_file_is_there() -> None:
    assert [name for name in PENDING if not (ROOT / name).is_file()] == []


def test_identifiers_use_the_usual_words() -> None:
    found = [
        f"{place}: {name}, not {part!r}, but: {WORDS[part]}"
        for place, name in _identifiers()
        for part in {*name.split("_"), *name.lower().split("_")}
        if part in WORDS
    ]

    assert found == [], "see docs/glossary.md"
