"""Guides that run: what a page of docs/guides changes in the source tree, applied as its reader would apply it.

A change is a line with the file's path in bold, and for most a block of code after it:

- `**`path`** (new)`: the block is the file.
- `**`path`** (at the end)`: the block is appended.
- `**`path`** (imports)`: the block is inserted before the first import; `just fmt` sorts it.
- `**`path`**` before a block of the language `diff`: lines that begin with a space or `-` are in the file, once and in
  this order; those with `-` are removed, those with `+` added.
- `**`path`**: replace `old` with `new``: `old` is in the file once.

Blocks without such a line are for reading only.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CAPTION = re.compile(r"\*\*`([^`]+)`\*\* ?(\(new\)|\(at the end\)|\(imports\)|)[:.]?$")
REPLACEMENT = re.compile(r"\*\*`([^`]+)`\*\*: replace `([^`]+)` with `([^`]+)`", re.DOTALL)
FENCE = re.compile(r"^ *```(\w*)$")
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".bootstrap*", ".frontend", ".*_cache", ".hypothesis", "bench-results", "dist",
    "node_modules", "shots", "test-results",
)  # fmt: skip


class GuideError(Exception):
    """A guide that cannot be followed."""


@dataclass(frozen=True)
class Change:
    """A change of a guide: the file, how it changes, and with which text."""

    path: str
    how: str
    text: str
    old: str = ""


def copy_tree(root: Path, target: Path) -> None:
    """Copy the checkout without what is installed or left over from a run. What Python has compiled comes along."""
    shutil.copytree(root, target, ignore=_LEFT_OUT, symlinks=True)


def changes(page: str) -> Iterator[Change]:
    """The changes of a guide, in their order."""
    lines = page.splitlines()
    caption: re.Match[str] | None = None
    paragraph: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        fence = FENCE.match(line)
        if fence is None:
            paragraph = [*paragraph, line.strip()] if line.strip() else []
            text = " ".join(paragraph)
            if found := REPLACEMENT.search(text):
                yield Change(found[1], "replace", found[3], found[2])
                paragraph = []
            elif line.strip():
                caption = CAPTION.search(line)
            continue
        end = next(place for place in range(position, len(lines)) if lines[place].strip() == "```")
        block, position = lines[position:end], end + 1
        if caption is not None:
            how = "diff" if fence[1] == "diff" else caption[2]
            yield Change(caption[1], how, "\n".join(block) + "\n")
        caption, paragraph = None, []


def apply(change: Change, tree: Path) -> None:
    """Make a change. Raises: GuideError: it does not fit the file."""
    file = tree / change.path
    if change.how == "(new)":
        if file.exists():
            raise GuideError(f"{change.path} is there already")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(change.text, encoding="utf-8")
        return
    if not file.exists():
        raise GuideError(f"{change.path} is not there")
    text = file.read_text(encoding="utf-8")
    file.write_text(_changed(change, text), encoding="utf-8")


def _changed(change: Change, text: str) -> str:
    if change.how == "(at the end)":
        return f"{text.rstrip()}\n\n\n{change.text}"
    if change.how == "(imports)":
        first = re.search(r"^(?:import|from) ", text, re.MULTILINE)
        if first is None:
            raise GuideError(f"{change.path} imports nothing")
        return f"{text[: first.start()]}{change.text}{text[first.start() :]}"
    if change.how == "replace":
        return _once(text, change.old, change.text, change.path)
    if change.how == "diff":
        lines = [(line[:1], line[1:]) for line in change.text.splitlines()]
        before = "".join(f"{line}\n" for mark, line in lines if mark != "+")
        after = "".join(f"{line}\n" for mark, line in lines if mark != "-")
        return _once(f"\n{text}", f"\n{before}", f"\n{after}", change.path)[1:]
    raise GuideError(f"{change.path}: say whether the block is new, at the end, imports or a diff")


def _once(text: str, old: str, new: str, path: str) -> str:
    if text.count(old) != 1:
        raise GuideError(f"{path} has this {text.count(old)} times, not once:\n{old}")
    return text.replace(old, new)


def apply_guide(page: str, tree: Path, stands_for: Mapping[str, str]) -> list[str]:
    """Apply all changes of a guide. Returns the files changed.

    Args: stands_for: the text that readers put in place of another, such as the next number for `0901`.
    """
    for name, value in stands_for.items():
        page = page.replace(name, value)
    made = list(changes(page))
    for change in made:
        apply(change, tree)
    return list(dict.fromkeys(change.path for change in made))
