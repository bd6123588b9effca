"""Detection of columns, by their headers and contents."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.domains.imports.models.fields import CUSTOM, Target, about_permission
from leadflood.domains.imports.models.format import FileFormat
from leadflood.kernel.country_names import normalise_country
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.text import InvalidValue, search_key
from leadflood.kernel.web_address import normalise_website

MAX_CUSTOM: Final = 40
REASON_COLUMN: Final = "leadflood_error"
"""Column of the error in a file of rejected rows; not a field of a lead."""
_OURS: Final = REASON_COLUMN.replace("_", " ")
_EXPORTED: Final = frozenset({"id", "version", "status", "createdAt", "updatedAt", "enrichedAt", "error"})
"""Columns of our exports that an import cannot set."""
_EXPORTED_CUSTOM: Final = "custom."
_EXPORTED_ENRICHED: Final = "enriched."
_EXPORTED_OWNER: Final = "ownerId"
_ENOUGH: Final = 0.5
_CUSTOM_CONFIDENCE: Final = 0.3
_NAMES: Final[Mapping[Target, str]] = {
    Target.EMAIL: "email|e mail|mail|email address|e mail address|mail address|emailadresse|e mail adresse|mailadresse|"
    "correo|correo electronico|direccion de correo|courriel|adresse email|adresse e mail|adresse mail|posta|"
    "indirizzo email|posta elettronica|e mailadres|emailadres|adres email|adres e mail|e post|epost|e postadress|"
    "endereco de email|email pro|work email|business email|contact email|primary email|email 1|e mail 1",
    Target.FIRST_NAME: "first name|firstname|first|given name|givenname|forename|fname|vorname|prenom|nombre|nome|"
    "primeiro nome|voornaam|imie|fornamn|fornavn|etunimi|contact first name",
    Target.LAST_NAME: "last name|lastname|last|surname|family name|familyname|lname|nachname|familienname|zuname|"
    "nom de famille|nom|apellido|apellidos|cognome|sobrenome|apelido|achternaam|nazwisko|efternamn|etternavn|"
    "efternavn|sukunimi|contact last name",
    Target.FULL_NAME: "name|full name|fullname|contact|contact name|person|display name|vollstandiger name|"
    "vor und nachname|ansprechpartner|kontakt|nom complet|nombre completo|nombre y apellidos|nome completo|"
    "nome e cognome|volledige naam|naam|imie i nazwisko|namn|navn|lead name|customer name|kunde",
    Target.COMPANY: "company|company name|organization|organisation|organization name|account|account name|employer|"
    "business|business name|firma|firmenname|unternehmen|entreprise|societe|raison sociale|empresa|compania|azienda|"
    "ditta|bedrijf|bedrijfsnaam|przedsiebiorstwo|nazwa firmy|foretag|selskap|virksomhed|yritys",
    Target.JOB_TITLE: "job title|jobtitle|title|position|role|job|job position|function|occupation|beruf|funktion|"
    "stelle|berufsbezeichnung|poste|fonction|intitule du poste|cargo|puesto|ruolo|posizione|functie|stanowisko|"
    "befattning|stilling",
    Target.PHONE: "phone|phone number|telephone|tel|mobile|mobile phone|cell|cell phone|work phone|business phone|"
    "telefon|telefonnummer|handy|mobil|rufnummer|telephone portable|portable|numero de telephone|telefono|movil|"
    "numero de telefono|cellulare|telefone|celular|telemovel|telefoon|telefoonnummer|numer telefonu|puhelin|"
    "phone 1|contact phone number",
    Target.WEBSITE: "website|web site|web|url|homepage|home page|company website|domain|company domain|webseite|"
    "internetseite|site|site web|site internet|sitio web|pagina web|sito|sito web|strona www|hemsida|hjemmeside",
    Target.COUNTRY: "country|country code|land|landercode|pays|pais|paese|kraj|nation|staat|country region",
    Target.SOURCE: "source|lead source|origin|channel|quelle|leadquelle|herkunft|origine|fuente|origen|canal|fonte|"
    "bron|zrodlo|kalla|kilde",
    Target.OWNER: "owner|lead owner|account owner|owner email|assigned to|contact owner|besitzer|inhaber|betreuer|"
    "zustandig|proprietaire|propietario|proprietario|responsable|eigenaar|wlasciciel",
}
_BY_NAME: Final = {name: target for target, names in _NAMES.items() for name in names.split("|")}
_PHONE: Final = re.compile(r"\+?[\d\s().x/-]{7,30}")
_MIN_DIGITS: Final = 7
_WORDS: Final = re.compile(r"[^a-z0-9]+")
_EXPORTED_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class DetectedColumn:
    """A column of the file: header, detected target, and confidence (0 to 1)."""

    header: str
    target: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of reading the first rows."""

    format: FileFormat
    sheets: list[str]
    columns: list[DetectedColumn]
    sample: list[list[str]]
    fingerprint: str


def detect_columns(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> list[DetectedColumn]:
    """A target for each column. Each target is used once, for the column that fits best."""
    width = max(map(len, [header or [], *rows]), default=0)
    names = [header[index] if header and index < len(header) else "" for index in range(width)]
    ours = exported_targets(names)
    cells = [[row[index].strip() for row in rows if index < len(row) and row[index].strip()] for index in range(width)]
    wishes = sorted(
        (
            (confidence, -index, target)
            for index in range(width)
            for target, confidence in (
                {ours[index]: 1.0} if index in ours else _wishes(names[index], cells[index])
            ).items()
        ),
        reverse=True,
    )
    given: dict[int, tuple[str, float]] = {}
    taken: set[str] = set()
    for confidence, place, target in wishes:
        if -place not in given and target not in taken and confidence >= _ENOUGH:
            given[-place] = (target, round(confidence, 2))
            taken |= {target} - {Target.IGNORE}
    _settle_names(given)
    keys = _custom_keys([name if index not in given and cells[index] else "" for index, name in enumerate(names)])
    return [DetectedColumn(name, *given.get(index, keys[index])) for index, name in enumerate(names)]


def exported_targets(names: Sequence[str]) -> dict[int, str]:
    """Targets of the columns that only our own exports have, by position: importing an export changes nothing."""
    found: dict[int, str] = {}
    whole = {"email", "createdAt"} <= set(names)
    for index, name in enumerate(names):
        key = name.removeprefix(_EXPORTED_CUSTOM)
        if name == _EXPORTED_OWNER:
            found[index] = Target.OWNER
        elif name.startswith(_EXPORTED_ENRICHED) or (whole and name in _EXPORTED):
            found[index] = Target.IGNORE
        elif name != key and _EXPORTED_KEY.fullmatch(key):
            found[index] = Target.IGNORE if about_permission(key) else CUSTOM + key
    return found


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first record is a header: it is unless it contains a value of a lead."""
    if not rows:
        return True
    first = [cell.strip() for cell in rows[0]]
    if any(_BY_NAME.get(name_key(cell)) for cell in first):
        return True
    return not any(_is_email(cell) or (_is_phone(cell) and cell.startswith("+")) for cell in first)


def fingerprint(header: Sequence[str] | None, width: int) -> str:
    """A hash that is equal for files with the same columns: of the headers, or of their number if there are none."""
    named = [name_key(name) for name in header] if header else [str(width)]
    return hashlib.sha256("\x1f".join(named).encode()).hexdigest()


def name_key(name: str) -> str:
    """A header without case, accents and punctuation."""
    return _WORDS.sub(" ", search_key(name)).strip()


def custom_key(name: str) -> str:
    """The key of the custom field for a column with this name; empty if the name has no letter or digit."""
    key = "_".join(name_key(name).split())[:64].rstrip("_")
    return key if not key or key[0].isalpha() else f"c_{key}"[:64]


def _wishes(name: str, cells: Sequence[str]) -> dict[str, float]:
    if about_permission(name) or name_key(name) == _OURS:
        return {}
    wishes: dict[str, float] = {}
    named = _BY_NAME.get(name_key(name))
    if named is not None:
        test = _TESTS.get(named)
        wishes[named] = 0.95 if test is None or not cells else 0.45 + 0.5 * min(1.0, 2 * _share(test, cells))
    for target, (test, weight) in _BY_CONTENT.items():
        if cells and target not in wishes:
            share = _share(test, cells)
            if share >= weight:
                wishes[target] = 0.8 * share
    return wishes


def _share(test: Callable[[str], bool], cells: Sequence[str]) -> float:
    return sum(map(test, cells)) / len(cells)


def _is_email(cell: str) -> bool:
    try:
        parse_email(cell)
    except InvalidValue:
        return False
    return True


def _is_phone(cell: str) -> bool:
    return bool(_PHONE.fullmatch(cell)) and sum(char.isdigit() for char in cell) >= _MIN_DIGITS


def _is_website(cell: str) -> bool:
    try:
        normalise_website(cell)
    except InvalidValue:
        return False
    return not _is_email(cell)


def _is_country(cell: str) -> bool:
    """Whether a cell names a country by more than one letter, which may mean anything."""
    try:
        normalise_country(cell)
    except InvalidValue:
        return False
    return len(cell) > 1


def _is_no_email(cell: str) -> bool:
    return "@" not in cell or not _is_email(cell)


_TESTS: Final[Mapping[Target, Callable[[str], bool]]] = {
    Target.EMAIL: _is_email,
    Target.FIRST_NAME: _is_no_email,
    Target.LAST_NAME: _is_no_email,
    Target.FULL_NAME: _is_no_email,
    Target.COMPANY: _is_no_email,
    Target.WEBSITE: _is_website,
    Target.OWNER: _is_email,
}
_BY_CONTENT: Final[Mapping[Target, tuple[Callable[[str], bool], float]]] = {
    Target.EMAIL: (_is_email, 0.6),
    Target.WEBSITE: (_is_website, 0.8),
    Target.COUNTRY: (_is_country, 0.9),
}
"""Targets that cells alone can identify, with the share of cells that must match."""


def _settle_names(given: dict[int, tuple[str, float]]) -> None:
    """A full name next to first and last name adds nothing; "Name" next to a first name is the last name."""
    places = {target: index for index, (target, _) in given.items()}
    full = places.get(Target.FULL_NAME)
    if full is None or Target.FIRST_NAME not in places:
        return
    confidence = given[full][1]
    target = Target.IGNORE if Target.LAST_NAME in places else Target.LAST_NAME
    given[full] = (target, min(confidence, 0.7))


def _custom_keys(names: Sequence[str]) -> list[tuple[str, float]]:
    """Unknown columns become custom fields under their own names; those without a name are skipped."""
    found: list[tuple[str, float]] = []
    used: set[str] = set()
    for name in names:
        key = custom_key(name)
        if not key or key in used or about_permission(name) or name_key(name) == _OURS or len(used) >= MAX_CUSTOM:
            found.append((Target.IGNORE, 0.0))
            continue
        used.add(key)
        found.append((CUSTOM + key, _CUSTOM_CONFIDENCE))
    return found
