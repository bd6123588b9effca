"""IDs as values of commands."""

from uuid import UUID

import typer


def parse_id(text: str | UUID) -> UUID:
    """The ID in a text; other texts are refused as invalid usage."""
    try:
        return UUID(str(text))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not an ID. Copy it from a list or a page.") from error
