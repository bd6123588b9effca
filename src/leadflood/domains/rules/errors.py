"""Errors of rules."""

from uuid import UUID

from leadflood.kernel.errors import Conflict, FieldError, InvalidInput, NotFound, PreconditionFailed


class RuleNotFound(NotFound):
    """No such rule in the workspace."""

    code = "rule_not_found"
    title = "Rule not found"

    def __init__(self) -> None:
        super().__init__("No such rule in your workspace.")


class UnknownProfile(InvalidInput):
    """The rule names a profile that the workspace does not have."""

    code = "unknown_profile"
    title = "Unknown profile"

    def __init__(self) -> None:
        fault = FieldError("/icpId", "unknown_profile", "No such profile. Choose another one.")
        super().__init__("The profile doesn't exist, or was deleted.", errors=[fault])


class UnknownRuleTier(InvalidInput):
    """The profile of the rule does not have its tier."""

    code = "unknown_rule_tier"
    title = "Unknown tier"

    def __init__(self, names: str) -> None:
        """Args: names: those that it has."""
        fault = FieldError("/tier", "unknown_tier", f"Provide one of: {names}.")
        super().__init__("The profile has no such tier.", errors=[fault])


class UnknownTarget(InvalidInput):
    """An action names a member, list, tag or stage that the workspace does not have."""

    code = "unknown_target"
    title = "Unknown target of an action"

    def __init__(self, place: int, message: str) -> None:
        """Args: place: of the action in the rule. message: what to do."""
        fault = FieldError(f"/actions/{place}/target", "unknown_target", message)
        super().__init__("An action of the rule cannot be done.", errors=[fault])


class DuplicateRule(Conflict):
    """A rule with this name exists already."""

    code = "duplicate_rule"
    title = "Duplicate rule"
    remedy = "Use the existing rule (`existingId`), or another name."

    def __init__(self, name: str, existing_id: UUID) -> None:
        """Args: name: the one that is taken. existing_id: of the rule that has it."""
        super().__init__(
            f"A rule named “{name}” already exists.",
            errors=[FieldError("/name", "duplicate", "Already exists. Use another name.")],
            extra={"existingId": str(existing_id)},
        )


class TooManyRules(Conflict):
    """The workspace has reached the limit of rules."""

    code = "too_many_rules"
    title = "Rule limit reached"
    remedy = "Delete rules first."

    def __init__(self, limit: int) -> None:
        """Args: limit: how many there can be."""
        super().__init__(f"A workspace can have up to {limit} rules.")


class RuleVersionConflict(PreconditionFailed):
    """The rule was changed since it was read."""

    code = "rule_version_conflict"
    title = "Version conflict"
    remedy = "Get the rule again and repeat the change with its new ETag."

    def __init__(self, current: int) -> None:
        """Args: current: the stored version."""
        super().__init__("The rule was changed since you read it.", extra={"currentVersion": current})
