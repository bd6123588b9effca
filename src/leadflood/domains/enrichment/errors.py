"""Errors of enrichment."""

from collections.abc import Collection

from leadflood.kernel.errors import AppError, Conflict, FieldError, NotFound


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


class FoundValueChanged(Conflict):
    """A value to accept is not, or no longer, the effective value of its field."""

    code = "found_value_changed"
    title = "Found value changed"
    remedy = "Read `effectiveValues` of the lead again."

    def __init__(self, fields: Collection[str]) -> None:
        """Args: fields: their names in the API."""
        message = "Another value is chosen now, or none."
        super().__init__(
            "The found values have changed since you read them. Nothing was accepted.",
            errors=[FieldError(f"/values/{name}", "found_value_changed", message) for name in fields],
        )


class BatchNotFound(NotFound):
    """No batch with this ID in the workspace."""

    code = "enrichment_not_found"
    title = "Enrichment not found"

    def __init__(self) -> None:
        super().__init__("No enrichment with this ID in your workspace.")


class BatchNotReady(Conflict):
    """The batch is in a state that does not allow this."""

    code = "enrichment_not_ready"
    title = "Not possible now"
    remedy = "Read its `status`."


class SourceNotFound(NotFound):
    """Workers ask no source of this name."""

    code = "source_not_found"
    title = "Source not found"

    def __init__(self) -> None:
        super().__init__("No source with this name is asked. See `GET /v1/sources`.")


class NothingToEnrich(Conflict):
    """No leads found."""

    code = "nothing_to_enrich"
    title = "Nothing to enrich"
    remedy = "Choose other leads."

    def __init__(self) -> None:
        super().__init__("No leads found, so nothing was started.")


class RetractionNotFound(NotFound):
    """No retraction with this ID in the workspace."""

    code = "retraction_not_found"
    title = "Retraction not found"

    def __init__(self) -> None:
        super().__init__("No retraction with this ID in your workspace.")


class NothingToRetract(Conflict):
    """The source wrote nothing of that kind in the period, or it is retracted already."""

    code = "nothing_to_retract"
    title = "Nothing to retract"
    remedy = "Choose another period."

    def __init__(self) -> None:
        super().__init__("The source has no such values of that period, so nothing was retracted.")


class ValueCountExceeded(Conflict):
    """The count changed: it is above `expectedCount`. Nothing was retracted."""

    code = "value_limit_exceeded"
    title = "Count of values changed"
    remedy = "Count the values again with `dryRun`, and repeat with that `expectedCount`."

    def __init__(self, expected: int) -> None:
        """Args: expected: the caller's number."""
        super().__init__(
            f"The count changed: it is above {expected} now. Count again, and repeat with that count.",
            errors=[FieldError("/expectedCount", "value_limit_exceeded", "The count changed since then.")],
        )


class FactFieldNotFound(NotFound):
    """No field of this name can be found about such a subject."""

    code = "fact_field_not_found"
    title = "Field not found"

    def __init__(self, known: Collection[str]) -> None:
        """Args: known: the fields that there are."""
        super().__init__(f"No such field. Use one of: {', '.join(sorted(known))}.")


class FactNotFound(Conflict):
    """No source has this value of the field, or not any longer."""

    code = "fact_not_found"
    title = "Value not found"
    remedy = "Read the found values again."

    def __init__(self) -> None:
        super().__init__("No source has this value now. Read the values again.")


class OwnField(Conflict):
    """The field is one of the lead itself, which people edit."""

    code = "own_field"
    title = "Edit the lead instead"
    remedy = "Update the lead."

    def __init__(self, field: str) -> None:
        """Args: field: its name in the database."""
        super().__init__(
            f"The field {field} is one of the lead itself: edit the lead. What people write always counts."
        )


class SourceWithoutKey(Conflict):
    """The source needs no key: an operator chooses it for the installation."""

    code = "source_without_key"
    title = "No key needed"
    remedy = "An operator chooses it with `LEADFLOOD_ENRICHMENT_SOURCES`."

    def __init__(self) -> None:
        super().__init__("This source needs no key, and is chosen for the whole installation.")


class KeyMissing(Conflict):
    """The workspace has no key of the source's provider."""

    code = "source_key_missing"
    title = "No key"
    remedy = "Set the key of the source first."

    def __init__(self) -> None:
        super().__init__("Your workspace has no key of this provider. Enter its key first.")


class ModelMissing(Conflict):
    """The workspace has set up no language model."""

    code = "language_model_missing"
    title = "No language model"
    remedy = "Set the address and the name of a model first."

    def __init__(self) -> None:
        super().__init__("Your workspace has set up no language model. Set its address and its name first.")


class PriceMissing(Conflict):
    """The source charges, and no price is set for it."""

    code = "source_price_missing"
    title = "No price"
    remedy = "Set the price of the source first."

    def __init__(self, label: str) -> None:
        """Args: label: of the source."""
        super().__init__(f"{label} charges for its answers. Set its price first, so that budgets can limit it.")


class SourceNotTestable(Conflict):
    """The source is not tested alone."""

    code = "source_not_testable"
    title = "Not tested alone"
    remedy = "Enrich a lead or company instead, and read its steps."

    def __init__(self) -> None:
        super().__init__("Only sources that ask a provider on their own are tested. Enrich a lead or company instead.")


class SourceTestNotFound(NotFound):
    """The source was not tested, or not lately."""

    code = "source_test_not_found"
    title = "No test"

    def __init__(self) -> None:
        super().__init__("This source was not tested lately in your workspace.")


class SourceNameInvalid(Conflict):
    """A source of a workspace has a name that begins with `custom_`."""

    code = "source_name_invalid"
    title = "Choose another name"
    remedy = "Use a name such as `custom_acme_data`."

    def __init__(self) -> None:
        super().__init__("The name of a source of your own begins with custom_, with small letters, digits and _.")
