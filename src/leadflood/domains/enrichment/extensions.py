"""Extensions of enrichment by domains above, which `bootstrap` adds."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from uuid import UUID

from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.worth import Stakes
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

ReadStakes: TypeAlias = Callable[[Transaction, Actor, SubjectKind, UUID], Awaitable[Stakes | None]]
"""Reads what depends on answers about a lead or company; None if nothing does, so that all sources are asked."""


class StakesRegistry:
    """The reader of stakes. Without one, all sources are asked."""

    def __init__(self) -> None:
        self.read: ReadStakes | None = None

    def add(self, read: ReadStakes | None) -> None:
        """Add the reader of a domain, if it has one; again is allowed. Raises: ValueError: there is another one."""
        if read is None:
            return
        if self.read not in (None, read):
            message = "Two domains say what is worth asking."
            raise ValueError(message)
        self.read = read


STAKES: Final = StakesRegistry()
"""The registry; empty until `bootstrap` is imported."""
