"""Lines of short lists that people paste or keep in a file. Files of leads are read by the imports domain."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from leadflood.kernel.formulas import restore

_MAX_LINE: Final = 10_000
"""Characters of a line that are read."""


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
    try:
        return next(csv.reader([line], delimiter=max(",;\t", key=line.count)))
    except csv.Error:
        return [line]


def named_cells(
    lines: Iterable[str], columns: Mapping[str, Collection[str]], *, optional: Collection[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a list whose first row names the columns: number of the line, and cells by name.

    Blank lines are skipped.

    Args:
        lines: of the file.
        columns: what the first row can call each column, in lower case.
        optional: names of columns that need not be there.

    Raises: MissingColumns.
    """
    places: dict[str, int] | None = None
    for number, line in enumerate(lines, 1):
        text = line.strip("\r\n\ufeff")[:_MAX_LINE]
        if not text.strip():
            continue
        cells = [restore(cell.strip()) for cell in cells_of(text)]
        if places is None:
            named = [cell.casefold() for cell in cells]
            places = {
                name: place for name, words in columns.items() for place in [_first(named, words)] if place is not None
            }
            missing = [name for name in columns if name not in places and name not in optional]
            if missing:
                raise MissingColumns(missing)
        else:
            yield number, {name: cells[at] for name, at in places.items() if at < len(cells)}


def _first(cells: Sequence[str], words: Collection[str]) -> int | None:
    return next((place for place, cell in enumerate(cells) if cell in words), None)
