"""Cleaning of cells: placeholders, decorations around a value, and several values in one cell. Pure functions."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from leadflood.domains.imports.models.fields import Target
from leadflood.domains.imports.models.header_names import match_header
from leadflood.kernel.email_address import EmailAddress, parse_email
from leadflood.kernel.email_domains import public_suffixes
from leadflood.kernel.text import InvalidValue
from leadflood.kernel.word_lists import name_particles

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
_ADDRESS_SEPARATORS: Final = re.compile(f"{_SEPARATORS.pattern}|\\s+[&+]\\s+", re.IGNORECASE)
_SLASH: Final = re.compile(r"\s*/\s*")
_DISPLAYED: Final = re.compile(r"[^<>]*<\s*([^<>]*?)\s*>[^<>]*", re.DOTALL)
_REMARK: Final = re.compile(r"\s*\([^()@]*\)\s*$|^\s*\([^()@]*\)\s*|\s*\[[^\[\]@]*\]\s*$")
_LABEL: Final = re.compile(r"^(?:[^\W\d_][\w .()-]{0,30}:\s*)+(?=\S)", re.IGNORECASE)
_BESIDE_ADDRESS: Final = re.compile("(@[^\\s@\\\\/&+|=:~>\u2000-\u2bff]+)[\\\\/&+|=:~>\u2000-\u2bff]++(?=[^\\s@]*@)")
"""Signs between two addresses that cannot be part of a domain."""
_QUERY: Final = re.compile(r"\?[\w-]+=\S*")
_ITEM: Final = re.compile(r"[^\w@]+|[(\[#]?(?:[0-9]{1,3}|[a-z])[.):\]]+", re.IGNORECASE)
"""A bullet or number before an item of a list."""
_MAX_LABEL: Final = 6
"""Maximum words of a label."""
_ENCODED_SPACE: Final = re.compile("^(?:%20)+")
_LINK: Final = re.compile(r"""\[([^\[\]]*)\]\(([^()]*)\)""")
_TAGS: Final = re.compile(r"</?[a-z][^<>@]*>|<a\s[^<>]*>", re.IGNORECASE)
_OWN_SIGNS: Final = "_{"
"""Signs that an address may begin with: an underscore, and that of a template."""
_QUOTED: Final = re.compile('"[^"]*"@')
_MAX: Final = 2000
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
    """The distinct email addresses of a cell without decorations; empty if it contains other words before one.

    `Ada <ada@acme.com>; bob@acme.com`, `mailto:ada@acme.com`, `"ada@acme.com" (work)`, `1. ada@acme.com - private`.
    Signs around an address, as in `*ada@acme.com`, are none of its own, though the rules of addresses allow some.
    """
    if "@" not in cell or len(cell) > _MAX:
        return []
    plain = _ANYWHERE.sub("", cell).strip()
    if not begins_with_sign(plain) and (whole := _address(plain)) is not None:
        return [whole]
    plain = _QUERY.sub("", _TAGS.sub(" ", _LINK.sub(r" \2 ", plain)))
    plain = _BESIDE_ADDRESS.sub(r"\1 , ", plain).strip()
    found: dict[str, EmailAddress] = {}
    for part in _ADDRESS_SEPARATORS.split(plain):
        for address in _in_part(part):
            found.setdefault(address.norm, address)
    return list(found.values())


def begins_with_sign(text: str) -> bool:
    """Whether text that may be an address begins with a sign, such as a bullet."""
    return not (text[:1].isalnum() or text[:1] in _OWN_SIGNS or _QUOTED.match(text))


def parts_of(cell: str) -> list[str]:
    """The parts of a cell with several values, such as two phone numbers."""
    if len(cell) > _MAX:
        return []
    parts = [item.strip() for part in _SEPARATORS.split(cell) for item in _SLASH.split(part)]
    return [part for part in parts if part]


def _in_part(part: str) -> list[EmailAddress]:
    bare = _bare(part)
    if (whole := _address(bare)) is not None:
        return [whole]
    words = bare.split()
    places = [place for place, word in enumerate(words) if "@" in word]
    if not places or not _is_label(words[: places[0]]):
        return []
    found = [_address(_bare(words[place])) for place in places]
    ends = [*places[1:], len(words)]
    remarks = [words[place + 1 : end] for place, end in zip(places, ends, strict=True)]
    addresses = [address for address in found if address is not None]
    if len(addresses) < len(found) or not all(map(_is_remark, addresses, remarks)):
        return []
    return addresses


def _is_label(words: Sequence[str]) -> bool:
    """Whether words before an address say what it is: bullets, a number in a list, or names of the field."""
    named = [word for word in words if not _ITEM.fullmatch(word)]
    if not named:
        return True
    if len(named) > _MAX_LABEL:
        return False
    match = match_header(" ".join(named)) if named[-1].lower() not in name_particles() else None
    return match is not None and match.sure and match.target == Target.EMAIL


def _is_remark(address: EmailAddress, words: Sequence[str]) -> bool:
    """Whether words behind an address cannot be the rest of it: its domain may be broken by a space, as in `.co m`."""
    if any("@" in word or "." in word.rstrip(".") for word in words):
        return False
    ending = address.norm.rpartition(".")[2]
    return not words or public_suffixes().publicsuffix(ending + words[0].lower(), accept_unknown=False) is None


def _bare(part: str) -> str:
    text = displayed[1] if (displayed := _DISPLAYED.fullmatch(part)) and "@" in displayed[1] else part
    text = _LABEL.sub("", _trimmed(_REMARK.sub("", text))).lstrip("/")
    text = _trimmed(_ENCODED_SPACE.sub("", text))
    return text.partition("?")[0] if text.count("@") == 1 and "?" in text.partition("@")[2] else text


def _trimmed(text: str) -> str:
    """Text without signs at its ends. Those of a template, as in `{name}@acme.com`, stay: it is no address."""
    start, end = 0, len(text)
    while end > start and unicodedata.category(text[end - 1])[0] not in "LNM":
        end -= 1
    while start < end and begins_with_sign(text[start:]):
        start += 1
    return text[start:end]


def _address(text: str) -> EmailAddress | None:
    if "@" not in text:
        return None
    try:
        return parse_email(text)
    except InvalidValue:
        return None
