"""Lines of short lists that people paste or keep in a file. Files of leads are read by the imports domain."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from leadflood.kernel.formulas import restore

_MAX_LINE: Final = 10_000
"""Characters of a line that are read."""
_MAX_LINES: Final = 50
"""Lines of one row. A quote that is not closed within them is an ordinary character."""
_SEPARATORS: Final = ",;\t"


class MissingColumns(ValueError):
    """The first row does not name all columns that are needed."""

    def __init__(self, names: Sequence[str]) -> None:
        """Args: names: of the missing columns."""
        super().__init__(", ".join(names))
        self.names = names


def cells_of(line: str) -> list[str]:
    """The cells of a line, between commas, semicolons or tabs, whichever it has most of.

    A line that is no CSV is one cell.
    """
    return _cells(line, _separator(line)) or [line]


def named_cells(
    lines: Iterable[str], columns: Mapping[str, Collection[str]], *, optional: Collection[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a list whose first row names the columns: number of the line, and cells by name.

    The first row decides on the separator: comma, semicolon or tab. A cell in quotes can have line breaks. Blank lines
    are skipped.

    Args:
        lines: of the file.
        columns: what the first row can call each column, in lower case.
        optional: names of columns that need not be there.

    Raises: MissingColumns.
    """
    numbered = ((number, line.strip("\r\n\ufeff")[:_MAX_LINE]) for number, line in enumerate(lines, 1))
    filled = ((number, line) for number, line in numbered if line.strip())
    _, first = next(filled, (0, ""))
    separator = _separator(first)
    named = [cell.strip().casefold() for cell in _cells(first, separator) or [first]]
    places = {name: place for name, words in columns.items() for place in [_first(named, words)] if place is not None}
    missing = [name for name in columns if name not in places and name not in optional]
    if missing:
        raise MissingColumns(missing)
    for number, cells in _rows(filled, separator):
        yield number, {name: restore(cells[at].strip()) for name, at in places.items() if at < len(cells)}


def _rows(lines: Iterator[tuple[int, str]], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, with the number of its first line."""
    for number, line in lines:
        if line.count('"') % 2 == 0:
            yield number, _cells(line, separator) or [line]
            continue
        held = [(number, line)]
        for following in lines:
            held.append(following)
            if following[1].count('"') % 2 or len(held) == _MAX_LINES:
                break
        if cells := _cells("\n".join(text for _, text in held), separator):
            yield number, cells
        else:
            yield from ((at, _cells(text, separator) or [text]) for at, text in held)


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _cells(text: str, separator: str) -> list[str] | None:
    """The cells of one row; None if it is no CSV, or more than one row."""
    try:
        return next(csv.reader([text], delimiter=separator, strict="\n" in text))
    except csv.Error:
        return None


def _first(cells: Sequence[str], words: Collection[str]) -> int | None:
    return next((place for place, cell in enumerate(cells) if cell in words), None)
