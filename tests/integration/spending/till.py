"""A workspace with prices and budgets, whose purchases tests make."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.spending import invariants, queries, service
from leadflood.domains.spending.contracts import BudgetView, ChangeBudget, CreateBudget, SetPrice
from leadflood.domains.spending.models import BudgetState, Declined, Order, Period, Reserved, Scope, Settlement
from leadflood.domains.spending.service import purchases
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id

PRICE = 10
SOURCE = "provider"


@dataclass
class Till:
    """Prices, budgets and purchases of one workspace. Amounts are in micros; a unit of `SOURCE` costs `PRICE`."""

    database: Database
    actor: Actor

    async def price(self, micros: int = PRICE, *, source: str = SOURCE, most_per_hit: int | None = None) -> None:
        """Set the price of a source."""
        command = SetPrice.model_validate({"priceMicros": micros, "mostPerHitMicros": most_per_hit})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await service.set_price(tx, self.actor, source=source, command=command)

    async def budget(
        self,
        limit: int,
        *,
        scope: Scope = Scope.WORKSPACE,
        period: Period = Period.TOTAL,
        subject: str | None = None,
    ) -> UUID:
        """Create a budget."""
        command = CreateBudget.model_validate(
            {"scope": scope, "subject": subject, "period": period, "limitMicros": limit}
        )
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return (await service.create_budget(tx, self.actor, command=command)).id

    async def change(self, budget_id: UUID, *, limit: int | None = None, state: BudgetState | None = None) -> None:
        """Change a budget."""
        given = {"limitMicros": limit, "state": state}
        command = ChangeBudget.model_validate({name: value for name, value in given.items() if value is not None})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            version = (await queries.get_budget(tx, self.actor, budget_id=budget_id)).version
            await service.change_budget(tx, self.actor, budget_id=budget_id, command=command, expected_version=version)

    def order(
        self, units: int = 1, *, source: str = SOURCE, subject_id: UUID | None = None, batch_id: UUID | None = None
    ) -> Order:
        """An order about a lead of its own, unless one is given."""
        return Order(new_id(), new_id(), source, units, subject_id or new_id(), batch_id)

    async def buy(self, *orders: Order) -> list[Reserved | Declined]:
        """Reserve the orders in one transaction."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await purchases.reserve(tx, self.actor, orders)

    async def bought(self, units: int = 1) -> UUID:
        """A purchase that is reserved."""
        (answer,) = await self.buy(self.order(units))
        assert isinstance(answer, Reserved), answer
        return answer.purchase_id

    async def settle(self, purchase_id: UUID, units: int, *, hit: bool = True) -> bool:
        """Settle a purchase. Returns whether it was open."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return bool(await purchases.settle(tx, self.actor, [Settlement(purchase_id, units, hit)]))

    async def hold(self, purchase_id: UUID) -> None:
        """Lose the answer of a purchase."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await purchases.hold(tx, self.actor, [purchase_id], sentence="The answer was lost.")

    async def write_off(self, purchase_id: UUID) -> bool:
        """Write a purchase off. Returns whether it was in doubt."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return bool(await purchases.write_off(tx, self.actor, [purchase_id], sentence="Lost."))

    async def show(self, budget_id: UUID) -> BudgetView:
        """A budget."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await queries.get_budget(tx, self.actor, budget_id=budget_id)

    async def sums(self, budget_id: UUID) -> Sequence[int]:
        """The reserved, doubtful and spent amounts of a budget."""
        window = (await self.show(budget_id)).window
        assert window is not None
        return window.reserved_micros, window.in_doubt_micros, window.spent_micros

    async def violations(self) -> list[str]:
        """Contradictions in the books of this workspace."""
        async with self.database.system(read_only=True) as tx:
            return [line for line in await invariants.violations(tx) if str(self.actor.workspace_id) in line]
