"""Errors of companies."""

from leadflood.kernel.errors import NotFound


class CompanyNotFound(NotFound):
    """No company with this ID in the workspace."""

    code = "company_not_found"
    title = "Company not found"

    def __init__(self) -> None:
        super().__init__("No company with this ID in your workspace.")
