"""Output of commands: tables and facts for people, one JSON object per line for programs.

Results go to standard output, progress and messages to standard error. Without a terminal there are no control
sequences, no frames and no line breaks inside a row.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from leadflood.kernel.errors import AppError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

_PIPE_WIDTH = 100_000
_ISOLATE, _POP = "\u2068", "\u2069"  # FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (Unicode annex 9)
_REPLACED = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
_UNSEEN = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table. `whole`: never wrapped, because it is meant to be copied."""

    title: str
    whole: bool = False


def say(text: str = "") -> None:
    """Print a line of the result."""
    print(text, flush=True)


def note(text: str) -> None:
    """Print a message next to the result."""
    print(text, file=sys.stderr, flush=True)


def console(stream: TextIO | None = None) -> "Console":
    """A Rich console for standard output, or another stream: as wide as its content unless that is a terminal."""
    from rich.console import Console

    stream = stream or sys.stdout
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=None if terminal else False,
        color_system="auto" if terminal else None,
        width=None if terminal else _PIPE_WIDTH,
        markup=False,
        emoji=False,
        highlight=False,
    )


def print_table(
    columns: Sequence[TableColumn], rows: Iterable[Sequence[object]], *, header: bool = True, one_line: bool = False
) -> None:
    """Print rows in aligned columns. Wide characters take two cells; external text cannot move the cursor.

    `one_line`: on a terminal, long values are cut so that a row is one line.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    screen = console()
    frame = box.SIMPLE_HEAD if screen.is_terminal else None
    table = Table(box=frame, show_header=header, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column.title, no_wrap=column.whole or not screen.is_terminal, overflow="fold")
    cut = one_line and screen.is_terminal
    for row in rows:
        cells = (_cell(value, terminal=screen.is_terminal) for value in row)
        table.add_row(*(Text(cell, no_wrap=cut or None, overflow="ellipsis" if cut else None) for cell in cells))
    if screen.is_terminal:
        screen.print(table)
        return
    with screen.capture() as captured:
        screen.print(table)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names with their values, one per line, without empty ones."""
    print_table(
        [TableColumn("", whole=True), TableColumn("")],
        [fact for fact in facts if fact[1] not in (None, "", {})],
        header=False,
    )


def print_json(*views: "BaseModel | Mapping[str, object]") -> None:
    """Each view as one line of JSON."""
    for view in views:
        plain = view if isinstance(view, Mapping) else view.model_dump(mode="json")
        say(json.dumps(plain, ensure_ascii=False))


def error_lines(error: AppError) -> str:
    """Print an error as `error: …`, with the invalid fields below it."""
    lines = [f"error: {visible(error.detail, breaks=True)}"]
    lines += [f"  {visible(f'{fault.pointer} {fault.message}'.strip())}" for fault in error.errors]
    existing = error.extra.get("existingId")
    return "\n".join([*lines, f"  existing id: {existing}"] if existing else lines)


def visible(text: str, *, breaks: bool = False) -> str:
    """Text without terminal control characters. `breaks`: keep line feeds."""
    return "".join(
        char if _harmless(char) or (breaks and char == "\n") else "\ufffd" for char in text if char not in _UNSEEN
    )


def moment(time: datetime | None) -> str:
    """A time in UTC, to the second."""
    return "" if time is None else time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _harmless(char: str) -> bool:
    return unicodedata.category(char) not in _REPLACED


def _cell(value: object, *, terminal: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    text = visible(" ".join(str(value).split("\n")))
    # A right-to-left name must not reverse the columns after it.
    turns = terminal and any(unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in text)
    return f"{_ISOLATE}{text}{_POP}" if turns else text
