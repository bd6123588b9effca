"""Errors of spending."""

from leadflood.kernel.errors import Conflict, NotFound, PreconditionFailed


class BudgetNotFound(NotFound):
    """No budget with this ID in the workspace."""

    code = "budget_not_found"
    title = "Budget not found"

    def __init__(self) -> None:
        super().__init__("No budget with this ID in your workspace.")


class BudgetVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version."""

    code = "budget_changed"
    title = "Version conflict"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The budget was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})


class DuplicateBudget(Conflict):
    """There is a budget for the same purchases and the same period."""

    code = "duplicate_budget"
    title = "Budget exists"
    remedy = "Change its limit instead."

    def __init__(self) -> None:
        super().__init__("There is a budget for the same purchases and the same period.")


class BudgetClosed(Conflict):
    """A closed budget can't be changed."""

    code = "budget_closed"
    title = "Budget closed"
    remedy = "Create another one."

    def __init__(self) -> None:
        super().__init__("The budget is closed.")


class PriceNotFound(NotFound):
    """No price is set for the source."""

    code = "price_not_found"
    title = "Price not found"

    def __init__(self) -> None:
        super().__init__("No price is set for this source.")


class PurchaseNotFound(NotFound):
    """No purchase with this ID in the workspace."""

    code = "purchase_not_found"
    title = "Purchase not found"

    def __init__(self) -> None:
        super().__init__("No purchase with this ID in your workspace.")


class PurchaseNotReady(Conflict):
    """The purchase is in a state that does not allow this."""

    code = "purchase_not_ready"
    title = "Not possible now"
    remedy = "Read its `state`."


class CurrencyInUse(Conflict):
    """The currency can't change while there are prices, budgets or purchases."""

    code = "currency_in_use"
    title = "Currency in use"
    remedy = "Keep the currency. It can be changed only before the first price, budget or purchase."

    def __init__(self) -> None:
        super().__init__("There are prices, budgets or purchases in the present currency.")
