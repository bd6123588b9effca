"""Lines of short lists that people paste or keep in a file. Files of leads are read by the imports domain."""

import csv


def cells_of(line: str) -> list[str]:
    """The cells of a line, between commas, semicolons or tabs, whichever it has most of.

    A line that is no CSV is one cell.
    """
    try:
        return next(csv.reader([line], delimiter=max(",;\t", key=line.count)))
    except csv.Error:
        return [line]
