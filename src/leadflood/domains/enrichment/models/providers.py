"""Providers: services with a key, and the sources that ask them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leadflood.domains.enrichment.models.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A service that is asked with a key of the workspace. One key serves all of its sources.

    Attributes:
        name: stored with the key.
        label: for people.
        origin: scheme, host and port that the key is for. It is used nowhere else.
        unit: what the provider counts and charges, in the singular.
        help: where a user finds the key, in a sentence.
        sources: makes its sources with a key.
        needs_key: whether it answers with a key only.
    """

    name: str
    label: str
    origin: str
    unit: str
    help: str
    sources: Callable[[str], Sequence[Source]]
    needs_key: bool = True
