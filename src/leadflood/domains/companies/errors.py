"""Errors of companies."""

from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class CompanyNotFound(NotFound):
    """No company with this ID in the workspace."""

    code = "company_not_found"
    title = "Company not found"

    def __init__(self, merged_into: UUID | None = None) -> None:
        """Args: merged_into: the company that it is part of."""
        if merged_into is None:
            super().__init__("No company with this ID in your workspace.")
        else:
            message = "This company was merged into another one (`mergedInto`)."
            super().__init__(message, extra={"mergedInto": str(merged_into)})


class DuplicateCompany(Conflict):
    """A company has this domain already."""

    code = "duplicate_company"
    title = "Duplicate company"
    remedy = "Use the existing company (`existingId`), restore it if it is deleted, or merge the two."

    def __init__(self, domain: str, existing_id: UUID, *, deleted: bool = False) -> None:
        """Args: existing_id: the company of the domain. deleted: whether it can be restored."""
        state = "a deleted company" if deleted else "another company"
        super().__init__(
            f"The domain {domain} belongs to {state}.",
            errors=[FieldError("/domain", "duplicate", f"Belongs to {state}.")],
            extra={"existingId": str(existing_id), "deleted": deleted},
        )


class CompanyVersionConflict(PreconditionFailed):
    """`If-Match` doesn't match the current version."""

    code = "company_changed"
    title = "Version conflict"

    def __init__(self, version: int) -> None:
        """Args: version: the stored one."""
        message = f"The company was updated since you read it (version {version}). Read it again and retry."
        super().__init__(message, extra={"currentVersion": version})


class UnknownDomain(InvalidInput):
    """The company doesn't have a domain."""

    code = "unknown_domain"
    title = "Unknown domain"

    def __init__(self, pointer: str) -> None:
        """Args: pointer: JSON pointer to the domain."""
        fault = FieldError(pointer, "unknown_domain", "The company doesn't have this domain. Add it first.")
        super().__init__("The company doesn't have this domain.", errors=[fault])


class DomainInUse(Conflict):
    """A domain can't be removed."""

    code = "domain_in_use"
    title = "Domain in use"
    remedy = "Split the domain off into a company of its own, or choose another main domain first."

    def __init__(self, reason: str) -> None:
        """Args: reason: a sentence."""
        super().__init__(reason)


class TooManyDomains(Conflict):
    """The company has the maximum number of domains."""

    code = "too_many_domains"
    title = "Domain limit reached"
    remedy = "Remove a domain first."

    def __init__(self, most: int) -> None:
        """Args: most: how many there can be."""
        super().__init__(f"A company can have {most} domains. Remove one first.")


class UnknownCompany(InvalidInput):
    """No company with this ID in the workspace."""

    code = "unknown_company"
    title = "Unknown company"

    def __init__(self, pointer: str) -> None:
        """Args: pointer: JSON pointer to the ID."""
        fault = FieldError(pointer, "unknown_company", "No such company. Choose another one.")
        super().__init__("The company doesn't exist.", errors=[fault])


class CompanyMergedIntoItself(InvalidInput):
    """A company can't be merged into itself."""

    code = "invalid_input"

    def __init__(self) -> None:
        fault = FieldError("/otherId", "not_allowed", "Choose another company.")
        super().__init__("A company can't be merged into itself.", errors=[fault])


class SplitOfEverything(InvalidInput):
    """A split must leave a domain."""

    code = "invalid_input"

    def __init__(self) -> None:
        fault = FieldError("/domains", "not_allowed", "Leave at least one domain with this company.")
        super().__init__("A company needs a domain.", errors=[fault])


class CompanyMergeNotFound(NotFound):
    """No merge or split with this ID in the workspace."""

    code = "company_merge_not_found"
    title = "Merge not found"

    def __init__(self) -> None:
        super().__init__("No merge or split with this ID in your workspace. They can be undone for 30 days.")


class CompanyMergeNotUndoable(Conflict):
    """A merge or split can't be undone in the current state of the companies."""

    code = "company_merge_not_undoable"
    title = "Not undoable"
    remedy = "Undo later merges, splits and deletions of these companies first."

    def __init__(self, reason: str) -> None:
        """Args: reason: a sentence."""
        super().__init__(reason)
