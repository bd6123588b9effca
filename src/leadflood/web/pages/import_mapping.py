"""What the columns of a file become: the form that says it, and what it is read into."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.domains.imports.contracts import ImportDetail, MapColumns
from leadflood.domains.imports.models.column_detection import REASON_COLUMN, custom_key
from leadflood.domains.imports.models.fields import CUSTOM, Target, about_permission
from leadflood.domains.imports.models.states import Duplicates, FieldPolicy, ImportMode, InvalidValues
from leadflood.web.forms import Form, validated

OWN_FIELD: Final = "custom"
TARGETS: Final = (
    (Target.EMAIL.value, "E-mail"),
    (Target.FIRST_NAME.value, "First name"),
    (Target.LAST_NAME.value, "Last name"),
    (Target.FULL_NAME.value, "Full name, to be split"),
    (Target.COMPANY.value, "Company"),
    (Target.JOB_TITLE.value, "Job title"),
    (Target.PHONE.value, "Phone"),
    (Target.WEBSITE.value, "Website"),
    (Target.COUNTRY.value, "Country"),
    (Target.SOURCE.value, "Source"),
    (Target.OWNER.value, "Owner, by e-mail"),
    (OWN_FIELD, "Custom field…"),
    (Target.IGNORE.value, "Do not import"),
)
"""What a `select` offers for a column."""

MODES: Final = (
    (
        ImportMode.CREATE_AND_UPDATE.value,
        "Create and change",
        "New addresses become leads; leads that are there get what the file says.",
    ),
    (ImportMode.CREATE_ONLY.value, "Only create", "Leads that are there are left alone."),
    (ImportMode.UPDATE_ONLY.value, "Only change", "Rows with a new address are left out."),
)
POLICIES: Final = (
    (FieldPolicy.FILL_EMPTY.value, "Fill in what is empty", "What is known stays; gaps are filled from the file."),
    (FieldPolicy.OVERWRITE.value, "Overwrite", "The file is right; its values replace others."),
    (FieldPolicy.KEEP.value, "Keep", "Nothing of a lead that is there changes."),
)
FIELD_POLICIES: Final = (("", "As above"), *((value, text) for value, text, _ in POLICIES))
DUPLICATES: Final = ((Duplicates.FIRST.value, "The first counts"), (Duplicates.LAST.value, "The last counts"))
INVALID: Final = (
    (InvalidValues.REJECT.value, "Reject the row", "You get it back as a file, with the reason."),
    (
        InvalidValues.DROP.value,
        "Leave the value out",
        "The rest is imported. Without a valid address a row is always rejected.",
    ),
)

_SAMPLES: Final = 3
_SURE: Final = 0.9
_LIKELY: Final = 0.6
_PERMISSION: Final = "Says who may be contacted. No import sets or clears that, so the column is left out."
_OURS: Final = "Why a row was rejected before. It is no part of a lead."


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column of the file as the form shows it.

    Attributes:
        guess: how sure its target is: a tone and a word; None where nothing was guessed, or something else is chosen.
        note: why it is left out, where that is not plain.
    """

    index: int
    header: str
    samples: list[str]
    target: str
    key: str
    guess: tuple[str, str] | None
    note: str


def mapping_form(found: ImportDetail) -> Form:
    """The form as it is stored."""
    options = found.options.model_dump(mode="json", by_alias=True, exclude={"fields", "enrich"})
    values: dict[str, object] = {**options, "enrich": "on" if found.options.enrich else None}
    values |= {f"fields.{name}": policy.value for name, policy in found.options.fields.items()}
    for index, column in enumerate(found.columns):
        own = column.target.startswith(CUSTOM)
        values[f"targets.{index}"] = OWN_FIELD if own else column.target
        values[f"keys.{index}"] = column.target.removeprefix(CUSTOM) if own else custom_key(column.header)
    return Form.of(values)


def read_mapping(form: Form, width: int) -> MapColumns:
    """What the form says of each of `width` columns, and the options. Raises: InvalidInput."""
    given = form.given(MapColumns)
    given["targets"] = [_target(form, index) for index in range(width)]
    given["enrich"] = form.checked("enrich")
    return validated(MapColumns, given)


def column_rows(found: ImportDetail, form: Form) -> list[ColumnRow]:
    """The columns in their order, with what the form says of each."""
    return [
        ColumnRow(
            index=index,
            header=column.header or f"Column {index + 1}",
            samples=_samples(found.sample, index),
            target=form.value(f"targets.{index}", Target.IGNORE),
            key=form.value(f"keys.{index}"),
            guess=_guess(column.target, column.confidence) if _target(form, index) == column.target else None,
            note=_note(column.header),
        )
        for index, column in enumerate(found.columns)
    ]


def _target(form: Form, index: int) -> str:
    target = form.value(f"targets.{index}", Target.IGNORE)
    return CUSTOM + form.value(f"keys.{index}").strip() if target == OWN_FIELD else target


def _samples(rows: Sequence[Sequence[str]], index: int) -> list[str]:
    cells = (row[index].strip() for row in rows if index < len(row))
    return [cell for cell in dict.fromkeys(cells) if cell][:_SAMPLES]


def _guess(target: str, confidence: float) -> tuple[str, str] | None:
    if target == Target.IGNORE:
        return None
    if confidence >= _SURE:
        return "ok", "Sure"
    if target.startswith(CUSTOM):
        return "neutral", "New field"
    return ("info", "Likely") if confidence >= _LIKELY else ("warn", "Please check")


def _note(header: str) -> str:
    if about_permission(header):
        return _PERMISSION
    return _OURS if header == REASON_COLUMN else ""
