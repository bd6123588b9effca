"""Errors of enrichment."""

from leadflood.kernel.errors import AppError


class UnknownAdapter(AppError):
    """A setting names an adapter that does not exist."""

    code = "unknown_adapter"
    title = "Unknown enrichment adapter"

    def __init__(self, name: str, known: list[str]) -> None:
        """Args: name: the unknown one. known: the existing ones."""
        names = ", ".join(known)
        super().__init__(
            f"There is no enrichment adapter {name!r}. Set LEADFLOOD_ENRICHMENT_ADAPTERS to some of: {names}."
        )
