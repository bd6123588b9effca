"""Errors of enrichment."""

from leadflood.kernel.errors import AppError


class UnknownSource(AppError):
    """A setting names a source that does not exist."""

    code = "unknown_source"
    title = "Unknown enrichment source"

    def __init__(self, name: str, known: list[str]) -> None:
        """Args: name: the unknown one. known: the existing ones."""
        names = ", ".join(known)
        super().__init__(
            f"There is no enrichment source {name!r}. Set LEADFLOOD_ENRICHMENT_SOURCES to some of: {names}."
        )
