"""Mapping form of the columns, and its parsing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.domains.imports.contracts import ImportDetail, MapColumns
from leadflood.domains.imports.models.column_detection import REASON_COLUMN, custom_key
from leadflood.domains.imports.models.fields import CUSTOM, OTHER_EMAIL, Target, about_permission, custom_key_of
from leadflood.domains.imports.models.fields import TARGETS as FIELD_TARGETS
from leadflood.domains.imports.models.states import Duplicates, FieldPolicy, ImportMode, InvalidValues
from leadflood.kernel.name_lists import join_names, split_names
from leadflood.web import labels
from leadflood.web.forms import Form, validated

OWN_FIELD: Final = "custom"
OTHER: Final = "otherEmail"
_NAMED: Final[Mapping[str, str]] = {
    Target.FULL_NAME.value: "Full name (split automatically)",
    Target.OWNER.value: "Owner (email)",
    Target.TAGS.value: "Tags",
    Target.LISTS.value: "Lists",
    Target.FOUND_FIELDS.value: "Found fields (not imported)",
}
TARGETS: Final = (
    *((name, _NAMED.get(name) or labels.field(name)) for name in FIELD_TARGETS if name != Target.IGNORE),
    (OTHER, "Email, if the first is empty"),
    (OWN_FIELD, "Custom field…"),
    (Target.IGNORE.value, "Don’t import"),
)
"""Options of the `select` of a column."""

MODES: Final = (
    (
        ImportMode.CREATE_AND_UPDATE.value,
        "Create and update",
        "Adds new leads and updates existing ones.",
    ),
    (ImportMode.CREATE_ONLY.value, "Create only", "Existing leads are skipped."),
    (ImportMode.UPDATE_ONLY.value, "Update only", "New emails are skipped."),
)
POLICIES: Final = (
    (FieldPolicy.FILL_EMPTY.value, "Fill empty fields only", "Keeps existing values."),
    (FieldPolicy.OVERWRITE.value, "Overwrite with file values", "Replaces existing values."),
    (FieldPolicy.KEEP.value, "Don’t change", "Keeps existing leads as they are."),
)
FIELD_POLICIES: Final = (("", "Same as above"), *((value, text) for value, text, _ in POLICIES))
DUPLICATES: Final = (
    (Duplicates.COMBINE.value, "Combine"),
    (Duplicates.FIRST.value, "Keep first"),
    (Duplicates.LAST.value, "Keep last"),
    (Duplicates.REPORT.value, "Keep first, reject others"),
)
INVALID: Final = (
    (InvalidValues.DROP.value, "Leave out the value", "Import the rest. Rows without a valid email are rejected."),
    (InvalidValues.REJECT.value, "Reject the row", "Download rejected rows later."),
)

_UNNAMED: Final = {OTHER: "other_email"}
"""Key for a column without a name."""
_NAMES: Final = ("tags", "lists")
"""Options with names, in one input each."""
_SAMPLES: Final = 3
_SURE: Final = 0.9
_LIKELY: Final = 0.6
_PERMISSION: Final = "Consent column: not imported."
_OURS: Final = "Error column from an earlier import: ignored."


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
    """The form with the stored mapping."""
    options = found.options.model_dump(mode="json", by_alias=True, exclude={"fields", "enrich"})
    values: dict[str, object] = {**options, "enrich": "on" if found.options.enrich else None}
    values |= {name: join_names(getattr(found.options, name)) for name in _NAMES}
    values |= {f"fields.{name}": policy.value for name, policy in found.options.fields.items()}
    for index, column in enumerate(found.columns):
        key = custom_key_of(column.target)
        values[f"targets.{index}"] = column.target if key is None else column.target.partition(":")[0]
        values[f"keys.{index}"] = custom_key(column.header) if key is None else key
    return Form.of(values)


def read_mapping(form: Form, width: int) -> MapColumns:
    """The mapping of `width` columns and the options from the form. Raises: InvalidInput."""
    given = form.given(MapColumns)
    given["targets"] = [_target(form, index) for index in range(width)]
    given["enrich"] = form.checked("enrich")
    given |= {name: split_names(form.value(name)) for name in _NAMES}
    return validated(MapColumns, given)


def column_rows(found: ImportDetail, form: Form) -> list[ColumnRow]:
    """The columns in order, with the form's choices."""
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
    prefix = {OWN_FIELD: CUSTOM, OTHER: OTHER_EMAIL}.get(target)
    return target if prefix is None else prefix + (form.value(f"keys.{index}").strip() or _UNNAMED.get(target, ""))


def _samples(rows: Sequence[Sequence[str]], index: int) -> list[str]:
    cells = (row[index].strip() for row in rows if index < len(row))
    return [cell for cell in dict.fromkeys(cells) if cell][:_SAMPLES]


def _guess(target: str, confidence: float) -> tuple[str, str] | None:
    if target == Target.IGNORE:
        return None
    if confidence >= _SURE:
        return "ok", "High"
    if target.startswith(CUSTOM):
        return "neutral", "New field"
    return ("info", "Medium") if confidence >= _LIKELY else ("warn", "Review")


def _note(header: str) -> str:
    if about_permission(header):
        return _PERMISSION
    return _OURS if header == REASON_COLUMN else ""
