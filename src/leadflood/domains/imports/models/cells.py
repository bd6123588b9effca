"""Cleaning of cells: placeholders, decorations around a value, and several values in one cell. Pure functions."""

import re
from typing import Final

from leadflood.kernel.email_address import EmailAddress, parse_email
from leadflood.kernel.text import InvalidValue

_INVISIBLE: Final = "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_EDGES: Final = re.compile(f"^[\\s{_INVISIBLE}]+|[\\s{_INVISIBLE}]+$")
_ANYWHERE: Final = re.compile(f"[{_INVISIBLE}]")
_AS_TEXT: Final = re.compile('="(.*)"', re.DOTALL)
"""A formula by which exports protect digits from spreadsheet programs: `="01067"`."""

_NOTHING: Final = frozenset(
    {"-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "?", "??", "_", "/", "n/a", "#n/a", "#n/v", "#nv", "#nd"}
    | {"#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#wert!", "#bezug!", "#valeur!", "\\n", "<null>"}
    | {"(null)", "(none)", "(blank)", "(empty)", "(leer)", "[null]", "k.a.", "k. a.", "n.a.", "n. a."}
)
"""Placeholders in any field, in lower case."""
EMPTY_WORDS: Final = (
    _NOTHING
    | {variant for word in _NOTHING for variant in (word.upper(), word.capitalize())}
    | {"NULL", "k.A.", "k. A."}
)
"""Placeholders in any field. Null is also a last name; in capitals it is the output of databases."""
_NO_VALUE: Final = _NOTHING | frozenset(
    {"0", "none", "null", "nil", "na", "nan", "nv", "no", "nein", "non", "unknown", "unbekannt", "inconnu", "tbd"}
    | {"tba", "keine", "kein", "keine angabe", "ninguno", "nessuno", "undefined", "not set", "xxx"}
    | {"desconocido", "aucun", "geen", "brak", "nincs", "yok", "missing", "no data", "not given"}
)
"""Placeholders in fields other than text, in lower case. Some are also codes of countries."""

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

_SEPARATORS: Final = re.compile(
    r"\s*(?::::|[,;|\n\r\t]|\s/\s|\s(?:and|or|und|oder|et|ou|y|o|e|en|of)\s)\s*", re.IGNORECASE
)
_SLASH: Final = re.compile(r"\s*/\s*")
_DISPLAYED: Final = re.compile(r"[^<>]*<\s*([^<>]*?)\s*>[^<>]*", re.DOTALL)
_REMARK: Final = re.compile(r"\s*\([^()@]*\)\s*$|^\s*\([^()@]*\)\s*|\s*\[[^\[\]@]*\]\s*$")
_LABEL: Final = re.compile(r"^(?:[^\W\d_][\w .()-]{0,30}:\s*)+(?=\S)", re.IGNORECASE)
_MARKS: Final = " \t\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb()[]{}<>*\u2022\u00b7\u25cf,;:.!"
_LINK: Final = re.compile(r"""\[([^\[\]]*)\]\(([^()]*)\)""")
_TAGS: Final = re.compile(r"</?[a-z][^<>@]*>|<a\s[^<>]*>", re.IGNORECASE)
_MOST: Final = 2000
"""Maximum characters of a cell that is searched for values."""


def strip_cell(cell: str) -> str:
    """A cell without surrounding spaces and invisible characters, and without a formula that protects digits."""
    stripped = cell.strip()
    if not stripped.isascii():
        stripped = _EDGES.sub("", stripped)
    if stripped[:2] == '="' and (found := _AS_TEXT.fullmatch(stripped)):
        return found[1].strip()
    return stripped


def says_nothing(cell: str) -> bool:
    """Whether a cell that is invalid in a field other than text is a placeholder."""
    return cell in EMPTY_WORDS or cell.lower() in _NO_VALUE


def without_controls(text: str) -> str:
    """Text with spaces instead of control characters and noncharacters."""
    return _CONTROLS.sub(" ", text)


def addresses_in(cell: str) -> list[EmailAddress]:
    """The distinct email addresses of a cell without decorations; empty if it contains other words.

    `Ada <ada@acme.com>; bob@acme.com`, `mailto:ada@acme.com`, `"ada@acme.com" (work)`.
    """
    if "@" not in cell or len(cell) > _MOST:
        return []
    plain = _ANYWHERE.sub("", cell).strip()
    if (whole := _address(plain)) is not None:
        return [whole]
    plain = _TAGS.sub(" ", _LINK.sub(r" \2 ", plain)).strip()
    found: dict[str, EmailAddress] = {}
    for part in _SEPARATORS.split(plain):
        for address in _in_part(part):
            found.setdefault(address.norm, address)
    return list(found.values())


def parts_of(cell: str) -> list[str]:
    """The parts of a cell with several values, such as two phone numbers."""
    if len(cell) > _MOST:
        return []
    parts = [item.strip() for part in _SEPARATORS.split(cell) for item in _SLASH.split(part)]
    return [part for part in parts if part]


def _in_part(part: str) -> list[EmailAddress]:
    bare = _bare(part)
    if (whole := _address(bare)) is not None:
        return [whole]
    words = [_address(_bare(word)) for word in (bare.split() if " " in bare else _SLASH.split(bare))]
    found = [word for word in words if word is not None]
    return found if len(found) == len(words) else []


def _bare(part: str) -> str:
    text = displayed[1] if (displayed := _DISPLAYED.fullmatch(part)) and "@" in displayed[1] else part
    text = _LABEL.sub("", _REMARK.sub("", text).strip(_MARKS)).strip(_MARKS)
    return text.partition("?")[0] if text.count("@") == 1 and "?" in text.partition("@")[2] else text


def _address(text: str) -> EmailAddress | None:
    if "@" not in text:
        return None
    try:
        return parse_email(text)
    except InvalidValue:
        return None
