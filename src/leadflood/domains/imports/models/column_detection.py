"""Detection of columns, by their headers and contents."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from anyascii import anyascii

from leadflood.domains.imports.models.cells import EMPTY_WORDS, says_nothing, strip_cell
from leadflood.domains.imports.models.column_tests import (
    BY_CONTENT,
    BY_CONTENT_WITH_COUNTRY,
    PLAUSIBLE,
    TESTS,
    ByContent,
    content_kind,
    has_several_words,
)
from leadflood.domains.imports.models.export_headers import exported_targets
from leadflood.domains.imports.models.fields import CUSTOM, OTHER_EMAIL, Target, about_permission, custom_key_of
from leadflood.domains.imports.models.format import FileFormat
from leadflood.domains.imports.models.header_names import is_of_company, match_header, name_key
from leadflood.kernel.formulas import restore

MAX_CUSTOM: Final = 50
"""Maximum columns that become custom fields automatically: as many as a lead can have."""
REASON_COLUMN: Final = "leadflood_error"
"""Column of the error in a file of rejected rows; not a field of a lead."""
_OURS: Final = REASON_COLUMN.replace("_", " ")
_CUSTOM_CONFIDENCE: Final = 0.3
_KNOWN_FIELD: Final = 0.9
_UNSEEN: Final = 0.8
"""Assumed share of fitting cells in a column without values."""
_FULLNESS: Final = 0.12
"""Bonus of a completely filled column over an empty one."""
_SPARSE: Final = 0.2
"""Share of usable cells below which a column ranks after all others."""
_SURELY_EMAIL: Final = 0.85
"""Strength of a header of addresses that aren't only additional ones."""
_FITS: Final = 0.5
"""Minimum share of cells that fit a target."""
_HARDLY: Final = 0.2
"""Share of cells below which a column is kept as a custom field, though its header names a field."""
_A_CODE: Final = 2
"""Characters of a cell that say little of what a column has."""
_TYPED: Final = frozenset({Target.EMAIL, Target.PHONE, Target.WEBSITE, Target.COUNTRY, Target.OWNER})
_LAST_RESORT: Final = 0.5
_NOT_A_LETTER: Final = re.compile("[^a-z0-9]+")
_MAX_KEY: Final = 64


@dataclass(frozen=True, slots=True)
class DetectedColumn:
    """A column of the file: header, detected target, and confidence (0 to 1)."""

    header: str
    target: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know about how a file is read: stable code and message."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of reading the first rows."""

    format: FileFormat
    sheets: list[str]
    columns: list[DetectedColumn]
    sample: list[list[str]]
    fingerprint: str
    notices: list[Notice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column with its non-empty cells. `rows`: number of rows in the sample."""

    index: int
    name: str
    cells: list[str]
    rows: int


@dataclass(frozen=True, slots=True, order=True)
class _Wish:
    """A candidate target of a column, ordered by `rank`, then from left to right."""

    rank: float
    place: int
    target: str
    confidence: float


def detect_columns(
    header: Sequence[str] | None,
    rows: Sequence[Sequence[str]],
    *,
    width: int,
    export_only: Mapping[str, str] | None = None,
) -> list[DetectedColumn]:
    """A target for each of `width` columns. Each target is used once, for the column that fits best.

    Args: export_only: see `exported_targets`.
    """
    columns = _columns(header, rows, width)
    ours = exported_targets([(column.name, column.cells) for column in columns], export_only)
    given: dict[int, tuple[str, float]] = {index: (target, 1.0) for index, target in ours.items()}
    taken = {target for target, _ in given.values()} - {Target.IGNORE}
    national = any((named := match_header(column.name)) and named.target == Target.COUNTRY for column in columns)
    by_content = BY_CONTENT_WITH_COUNTRY if national else BY_CONTENT
    wishes = [wish for column in columns if column.index not in given for wish in _wishes(column, by_content)]
    for wish in sorted(wishes, reverse=True):
        if -wish.place not in given and wish.target not in taken:
            given[-wish.place] = (wish.target, round(wish.confidence, 2))
            taken.add(wish.target)
    if Target.EMAIL not in taken:
        _settle_email(columns, given)
    _settle_names(columns, given)
    own = _custom_keys(columns, set(given))
    if any(target == Target.EMAIL for target, _ in given.values()):
        own |= _other_emails([columns[index] for index in own], own)
    return [DetectedColumn(column.name, *given.get(column.index, own[column.index])) for column in columns]


def fits(targets: Sequence[str], header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> bool:
    """Whether the contents of the columns fit the targets of a remembered mapping. Any stage does."""
    for column in _columns(header, rows, len(targets)):
        target = targets[column.index]
        kind = Target.EMAIL if target.startswith(OTHER_EMAIL) else target
        test = PLAUSIBLE.get(kind) if kind != Target.STAGE else None
        cells = _telling(kind, column.cells)
        if test is not None and cells and _share(test, cells) < _FITS:
            return False
    return True


def with_known_fields(columns: Sequence[DetectedColumn], labels: Mapping[str, str]) -> list[DetectedColumn]:
    """Columns with the targets of existing custom fields of the same name. `labels`: keys of fields by label.

    Such a name is better evidence than the kind of a column's cells, except for the only column of addresses.
    """
    keys = {name_key(label): key for label, key in labels.items()}
    used = {custom_key_of(column.target) for column in columns}
    found: list[DetectedColumn] = []
    for column in columns:
        guessed = custom_key_of(column.target) is not None or (
            column.target not in (Target.EMAIL, Target.IGNORE) and match_header(column.header) is None
        )
        key = keys.get(name_key(column.header)) if guessed else None
        if key is not None and key not in used:
            used.add(key)
            prefix = OTHER_EMAIL if column.target.startswith(OTHER_EMAIL) else CUSTOM
            found.append(replace(column, target=prefix + key, confidence=_KNOWN_FIELD))
        else:
            found.append(column)
    return found


def fingerprint(header: Sequence[str] | None, rows: Sequence[Sequence[str]], *, width: int) -> str:
    """A hash of the headers; without a header, of the kinds of values in the columns."""
    if header:
        named = [name_key(name) for name in header]
    else:
        named = ["", *(content_kind(column.cells) for column in _columns(None, rows, width))]
    return hashlib.sha256("\x1f".join(named).encode()).hexdigest()


def custom_key(name: str) -> str:
    """The key of a custom field for a column; empty if its name has no letter or digit.

    Other scripts are transliterated to Latin letters.
    """
    plain = name_key(name)
    latin = plain if plain.isascii() else anyascii(plain).lower()
    key = "_".join(_NOT_A_LETTER.sub(" ", latin).split())[:_MAX_KEY].rstrip("_")
    return key if not key or key[0].isalpha() else f"c_{key}"[:_MAX_KEY]


def _columns(header: Sequence[str] | None, rows: Sequence[Sequence[str]], width: int) -> list[_Column]:
    found: list[_Column] = []
    for index in range(width):
        cells = [strip_cell(row[index]) for row in rows if index < len(row)]
        cells = [cell for cell in cells if cell and cell not in EMPTY_WORDS]
        name = restore(strip_cell(header[index])) if header and index < len(header) else ""
        found.append(_Column(index, name, cells, max(len(rows), 1)))
    return found


def _wishes(column: _Column, by_content: Mapping[str, ByContent]) -> list[_Wish]:
    if _is_kept_out(column.name):
        return []
    wishes: list[_Wish] = []
    named = match_header(column.name)
    if named is not None:
        cells = _telling(named.target, column.cells)
        share = _share(TESTS.get(named.target, bool), cells) if cells else _UNSEEN
        hardly = share < _HARDLY and any(len(cell) > _A_CODE for cell in cells)
        plausible = named.sure and not hardly and _share(PLAUSIBLE.get(named.target, bool), cells) >= _FITS
        if share >= _FITS or plausible:
            wishes.append(_wish(column, named.target, named.strength, share))
    for target, found in by_content.items():
        weaker = named is not None and named.target == target and named.strength >= found.confidence
        if column.cells and not weaker and not (found.unnamed_only and column.name):
            share = _share(found.test, column.cells) if found.plausible(column.name, column.cells) else 0.0
            if share >= found.least:
                wishes.append(_wish(column, target, found.confidence, share))
    return wishes


def _wish(column: _Column, target: str, strength: float, share: float) -> _Wish:
    """Args: strength: of the evidence for the target. share: of cells that fit it."""
    usable = share * len(column.cells) / column.rows
    fit, full = share, usable
    if target == Target.EMAIL and strength >= _SURELY_EMAIL and share >= _FITS and usable >= _SPARSE:
        fit = full = 1.0  # rows without an address get one from other columns
    rank = strength * (0.8 + fit / 5) + _FULLNESS * full - (_SPARSE if usable < _SPARSE else 0.0)
    return _Wish(rank, -column.index, target, strength * (0.5 + share / 2))


def _telling(target: str, cells: list[str]) -> list[str]:
    """The cells without placeholders for such a field."""
    return cells if target not in _TYPED else [cell for cell in cells if not says_nothing(cell)]


def _is_kept_out(name: str) -> bool:
    return about_permission(name) or name_key(name) == _OURS


def _share(test: Callable[[str], bool], cells: Sequence[str]) -> float:
    return sum(map(test, cells)) / len(cells) if cells else 0.0


def _settle_email(columns: Sequence[_Column], given: dict[int, tuple[str, float]]) -> None:
    """Without a column of addresses, choose one with such a name: then each row reports its invalid address."""
    for column in columns:
        named = match_header(column.name)
        if column.index not in given and named and named.target == Target.EMAIL:
            given[column.index] = (Target.EMAIL, _LAST_RESORT)
            return


def _settle_names(columns: Sequence[_Column], given: dict[int, tuple[str, float]]) -> None:
    """Correct the targets of names: a name beside a first name is the last name, several words are a full name."""
    places = {target: index for index, (target, _) in given.items()}
    full, first, last = (places.get(part) for part in (Target.FULL_NAME, Target.FIRST_NAME, Target.LAST_NAME))
    if full is not None and first is not None and last is None and not has_several_words(columns[full].cells):
        given[full] = (Target.LAST_NAME, min(given[full][1], 0.7))
    lone = first if last is None else last if first is None else None
    if full is None and lone is not None and has_several_words(columns[lone].cells):
        given[lone] = (Target.FULL_NAME, min(given[lone][1], 0.7))


def _custom_keys(columns: Sequence[_Column], given: set[int]) -> dict[int, tuple[str, float]]:
    """Unknown columns as custom fields with their own names; columns without a name are ignored.

    Repeated names are numbered. If there are more than a lead can have, filled columns come first.
    """
    found: dict[int, tuple[str, float]] = {}
    kept = [column for column in columns if column.index not in given and not _is_kept_out(column.name)]
    kept = [column for column in kept if custom_key(column.name)]
    first = {column.index for column in sorted(kept, key=lambda column: not column.cells)[:MAX_CUSTOM]}
    used: set[str] = set()
    for column in columns:
        key = custom_key(column.name)
        if column.index in first:
            key = _free_key(key, used)
            found[column.index] = (CUSTOM + key, _CUSTOM_CONFIDENCE)
        else:
            found[column.index] = (Target.IGNORE, 0.0)
        used.add(key)
    return found


def _other_emails(columns: Sequence[_Column], own: Mapping[int, tuple[str, float]]) -> dict[int, tuple[str, float]]:
    """Further columns of a person's addresses, which are used where the first has none."""
    found: dict[int, tuple[str, float]] = {}
    for column in columns:
        key = custom_key_of(own[column.index][0])
        named = match_header(column.name)
        if key is None or named is None or named.target != Target.EMAIL or is_of_company(column.name):
            continue
        cells = _telling(Target.EMAIL, column.cells)
        if not cells or _share(PLAUSIBLE[Target.EMAIL], cells) >= _FITS:
            found[column.index] = (OTHER_EMAIL + key, round(named.strength, 2))
    return found


def _free_key(key: str, used: set[str]) -> str:
    number, free = 1, key
    while free in used:
        number += 1
        ending = f"_{number}"
        free = key[: _MAX_KEY - len(ending)] + ending
    return free
