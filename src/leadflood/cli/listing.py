"""Options, fetching and printing that all lists share."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import typer

from leadflood.cli.output import TableColumn, note, print_json, print_table

if TYPE_CHECKING:
    from pydantic import BaseModel

    from leadflood.kernel.pagination import Page, Position

T = TypeVar("T")
V = TypeVar("V", bound="BaseModel")
Fetch = Callable[..., Awaitable["Page[T]"]]
"""Reads one page of a list: takes `after` and `limit` by name."""

PAGE = 200

WORKSPACE = typer.Option(
    None, "--workspace", metavar="ID|NAME", help="Workspace ID or name (required if there is more than one)."
)
AS_JSON = typer.Option(False, "--json", help="JSON output, one object per line.")
LIMIT = typer.Option(50, "--limit", min=1, help="Maximum number of rows.")
FILTER = typer.Option(None, "--filter", metavar="JSON", help="Filter as JSON, as in the API.")
EVERYTHING = typer.Option(False, "--all", help="Print all rows.")


def filter_json(text: str | None) -> dict[str, object]:
    """The filter in `--filter`. Raises: InvalidInput."""
    if text is None:
        return {}
    from leadflood.domains.leads.contracts.filters import read_filter
    from leadflood.kernel.filters import written

    return dict(written(read_filter(text, "--filter").whole))


async def pages(fetch: "Fetch[T]", limit: int | None) -> "AsyncIterator[Page[T]]":
    """The pages of a list, up to `limit` rows in all; None: no limit."""
    after: Position | None = None
    left = limit
    while left is None or left > 0:
        page = await fetch(after=after, limit=PAGE if left is None else min(PAGE, left))
        yield page
        after = page.after
        left = None if left is None else left - len(page.items)
        if after is None:
            return


async def print_pages(
    fetch: "Fetch[V]",
    columns: Sequence[TableColumn],
    row: Callable[[V], Sequence[object]],
    *,
    limit: int | None,
    as_json: bool,
) -> None:
    """Print a list page by page, and note if it was cut off. `limit`: None prints everything."""
    header, more, shown = True, False, 0
    async for page in pages(fetch, limit):
        if as_json:
            print_json(*page.items)
        elif page.items:
            print_table(columns, map(row, page.items), header=header, one_line=True)
        header, more, shown = False, page.after is not None, shown + len(page.items)
    if more:
        note(f"Showing {shown}. Use --all for more.")
