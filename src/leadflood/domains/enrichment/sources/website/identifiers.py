"""Official numbers of a company in the text of its pages: VAT id, register number, LEI and others.

A number counts with its label, or by its check digits. The formats are those of the registers; python-stdnum checks the
check digits. A number with a wrong check digit is a typing error or an example, so it is only a weak sign.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stdnum import lei
from stdnum.at import businessid
from stdnum.au import abn, acn
from stdnum.br import cnpj
from stdnum.ch import uid
from stdnum.cz import dic
from stdnum.dk import cvr
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.fi import ytunnus
from stdnum.fr import siren, siret
from stdnum.gb import vat as gb_vat
from stdnum.no import orgnr as no_orgnr
from stdnum.pl import nip, regon
from stdnum.se import orgnr as se_orgnr

from leadflood.domains.enrichment.sources.website.digits import DigitPattern
from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, quote_of

_MAX_LINE: Final = 1000
_NUMBER: Final = DigitPattern(r"\d{3}")
_WRONG_CHECK_DIGIT: Final = 0.4
_GAP: Final = r"[^0-9A-Za-z\n]{0,6}(?:(?:nr|no|number|nummer|numero|num[eé]ro|n|id|code|kod)[^0-9A-Za-z]{0,4})?"
"""Between a label and its number."""

Normalise = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class IdentifierRule:
    """A kind of number.

    Attributes:
        field: of the number.
        pattern: how it is written.
        normalise: its normalized form; None: it is wrong.
        confidence: probability that it is right, 0 to 1.
        words: one of them is in each text that the pattern finds, in lower case without dots; empty: any text may fit.
            To look for a word is a hundred times as fast as the pattern.
    """

    field: PageField
    pattern: re.Pattern[str]
    normalise: Normalise
    confidence: float
    words: tuple[str, ...]

    def may_fit(self, plain: str) -> bool:
        """Whether the pattern may fit a text. Args: plain: the text in lower case without dots."""
        for word in self.words:  # not `any`, which takes three times as long: this is asked 30 times for each line
            if word in plain:
                return True
        return not self.words


def identifiers_in(lines: Sequence[str]) -> Iterator[PageFact]:
    """The numbers in the visible text of a page, each kind and number once, the surest first found."""
    seen: set[tuple[PageField, str]] = set()
    for place, line in enumerate(lines):
        if not _NUMBER.for_text(line).search(line):
            continue
        text = line[:_MAX_LINE]
        plain = text.lower().replace(".", "")
        around = lines[max(0, place - 2) : place + 3]
        for fact in [*_vat_ids(text, plain), *_registered(text, around), *_found_by(RULES, text, plain)]:
            if (fact.field, str(fact.value)) not in seen:
                seen.add((fact.field, str(fact.value)))
                yield fact


def vat_id_of(text: str) -> str | None:
    """The compact VAT id with its country code, if its check digits are right; else None."""
    compact = re.sub(r"[^0-9A-Z]", "", text.upper())
    try:
        if compact.startswith("GB"):
            return f"GB{gb_vat.validate(compact[2:])}"
        if compact.startswith("CHE"):
            return str(uid.validate(compact[:12]))
        return str(vat.validate(compact))
    except ValidationError:
        return None


_VAT_PREFIX: Final = re.compile(
    r"\b(AT ?U|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI|CHE)"
    r"[ .:-]{0,2}([0-9A-Z](?:[ .-]?[0-9A-Z]){5,13})"
)
_VAT_LABEL: Final = re.compile(
    r"\b(?:u?st\.?-?id|ust-?id|umsatzsteuer|uid|vat\b|v\.a\.t|tva\b|t\.v\.a|iva\b|i\.v\.a|btw\b|nif\b|cif\b|moms\b|alv\b"
    r"|nip\b|dič|dic\b|mwst|ndmva|momsreg|tax id|vies|ov[aá])",
    re.IGNORECASE,
)
_LENGTHS: Final = {
    "DE": 9,
    "AT": 8,
    "ATU": 8,
    "IT": 11,
    "ES": 9,
    "PL": 10,
    "PT": 9,
    "NL": 12,
    "SE": 12,
    "BE": 10,
    "FR": 11,
}


def _vat_ids(text: str, plain: str) -> Iterator[PageFact]:
    prefixed = list(_VAT_PREFIX.finditer(text))
    labelled = bool(prefixed) and _VAT_LABEL.search(text) is not None
    for found in prefixed:
        prefix = found[1].replace(" ", "")
        rest = re.sub(r"[^0-9A-Z]", "", found[2])
        valid = next((v for end in range(len(rest), 5, -1) if (v := vat_id_of(prefix + rest[:end]))), None)
        quote = quote_of(text, around=found.span())
        if valid:
            yield PageFact(PageField.VAT_ID, valid, 0.95 if labelled else 0.85, "vat_id", quote)
        elif labelled and len(rest) >= (length := _LENGTHS.get(prefix, 99)) and rest[:length].isdigit():
            yield PageFact(PageField.VAT_ID, prefix + rest[:length], _WRONG_CHECK_DIGIT, "wrong_check_digit", quote)
    yield from _found_by(VAT_RULES, text, plain)


_GERMAN: Final = re.compile(
    r"\b(HR ?[AB]|GnR|PR|VR)\b[\s.:,-]{0,3}(?:(?:Nr|Nummer|No)\.?[\s:]{0,3})?(\d{1,6})(?: ?([A-Z]{1,3})\b(?!\w))?"
)
_COURT: Final = re.compile(
    r"(?:Amtsgerichts?|Registergerichts?|Handelsregister(?: des)?(?: beim)?)[\s:]{1,3}(?:Amtsgerichts?\s)?"
    r"((?:Bad |Frankfurt am |Freiburg im )?[A-ZÄÖÜ][A-Za-zäöüß]{2,25}(?:[ -]\(?[A-ZÄÖÜ][a-zäöüß]{3,20}\)?)?)"
)
_NO_COURT: Final = frozenset({"Amtsgericht", "Handelsregister", "Registergericht", "Registernummer", "Nummer"})


def _registered(text: str, around: Sequence[str]) -> Iterator[PageFact]:
    """Entries of German registers; the court that keeps the register may be on a line nearby."""
    for found in _GERMAN.finditer(text):
        number = f"{found[1].replace(' ', '')} {found[2]}{' ' + found[3] if found[3] and len(found[3]) == 1 else ''}"
        court = next((c[1] for line in (text, *around) if (c := _COURT.search(line[:_MAX_LINE]))), None)
        quote = quote_of(text, around=found.span())
        named = court and not _NO_COURT & set(court.split())
        value = f"{number}, Amtsgericht {court}" if named else number
        yield PageFact(PageField.REGISTER_NUMBER, value, 0.9 if named else 0.75, "register_number", quote)


def _checked(check: Callable[[str], str], shown: str = "{}") -> Normalise:
    def normalise(text: str) -> str | None:
        try:
            return shown.format(check(text))
        except ValidationError:
            return None

    return normalise


def _digits(length: int, shown: str = "{}") -> Normalise:
    def normalise(text: str) -> str | None:
        digits = re.sub(r"\D", "", text)
        return shown.format(digits) if len(digits) == length else None

    return normalise


def _british(text: str) -> str | None:
    compact = text.upper().replace(" ", "")
    return compact.zfill(8) if compact.isdigit() else compact


def _austrian(text: str) -> str | None:
    compact = text.replace(" ", "").lower()
    return f"FN {compact}" if businessid.is_valid(compact) else None


def _cik(text: str) -> str | None:
    return text.lstrip("0") or None


def _rule(field: PageField, pattern: str, normalise: Normalise, confidence: float, *words: str) -> IdentifierRule:
    return IdentifierRule(field, re.compile(pattern, re.IGNORECASE), normalise, confidence, words)


def _vat_id_in(country: str) -> Normalise:
    return lambda text: vat_id_of(country + text)


_VAT: Final = PageField.VAT_ID
_REGISTER: Final = PageField.REGISTER_NUMBER
VAT_RULES: Final[Sequence[IdentifierRule]] = (
    _rule(_VAT, r"\b(?:p(?:artita)?\.? ?i\.?v\.?a\.?|p\.?iva)" + _GAP + r"(\d{11})\b", _vat_id_in("IT"), 0.9, "iva"),
    _rule(
        _VAT,
        r"\b(?:c\.?i\.?f\.?|n\.?i\.?f\.?)" + _GAP + r"([A-Z]-?\d{7,8}-?[A-Z0-9]?)\b",
        _vat_id_in("ES"),
        0.9,
        "cif",
        "nif",
    ),
    _rule(
        _VAT, r"\b(?:nipc|nif|contribuinte)" + _GAP + r"(\d{9})\b", _vat_id_in("PT"), 0.9, "nif", "nipc", "contribuinte"
    ),
    _rule(_VAT, r"\bNIP" + _GAP + r"(\d{3}[- ]?\d{2,3}[- ]?\d{2}[- ]?\d{2,3})\b", _vat_id_in("PL"), 0.9, "nip"),
    _rule(
        _VAT,
        r"\bVAT" + _GAP + r"(?:reg[a-z.]*\s+)?" + _GAP + r"(\d{3} ?\d{4} ?\d{2})\b",
        _vat_id_in("GB"),
        0.9,
        "vat",
    ),
    _rule(_VAT, r"\b(?:BTW|TVA)" + _GAP + r"BE ?(0\d{3}[. ]?\d{3}[. ]?\d{3})\b", _vat_id_in("BE"), 0.9, "btw", "tva"),
)
RULES: Final[Sequence[IdentifierRule]] = (
    _rule(PageField.LEI, r"\b([0-9A-Z]{18}[0-9]{2})\b", _checked(lei.validate), 0.9),
    _rule(
        PageField.SIRET, r"\bsiret" + _GAP + r"(\d{3} ?\d{3} ?\d{3} ?\d{5})\b", _checked(siret.validate), 0.95, "siret"
    ),
    _rule(PageField.SIREN, r"\bsiren" + _GAP + r"(\d{3} ?\d{3} ?\d{3})\b", _checked(siren.validate), 0.95, "siren"),
    _rule(
        PageField.SIREN,
        r"\bR\.?C\.?S\.?\s(?:de\s)?[A-Z\u00c0-\u00ff -]{0,40}[A-D]?\s?(\d{3} ?\d{3} ?\d{3})\b",
        _checked(siren.validate),
        0.9,
        "rcs",
    ),
    _rule(
        PageField.COMPANY_NUMBER,
        r"\b(?:company|registration|registered|reg\.?|crn)\s*(?:registration\s*)?(?:number|no|nr|num)?[.:#\s]{1,4}"
        r"((?:SC|NI|OC|SO|NC|FC|RC|IP)\d{6}|\d{7,8})\b",
        _british,
        0.8,
        "company",
        "reg",
        "crn",
    ),
    _rule(
        PageField.COMPANY_NUMBER,
        r"\bregistered in (?:england|wales|scotland|northern ireland|the uk|great britain)[^0-9\n]{0,60}?"
        r"((?:SC|NI|OC|SO|NC)\d{6}|\d{7,8})\b",
        _british,
        0.9,
        "registered in",
    ),
    _rule(_REGISTER, r"\bFN[ .:]{0,3}(\d{1,6} ?[a-z])\b", _austrian, 0.9, "fn"),
    _rule(
        _REGISTER,
        r"\b(CHE-?\d{3}\.?\d{3}\.?\d{3})\b",
        _checked(lambda text: uid.format(uid.validate(text))),
        0.95,
        "che",
    ),
    _rule(_REGISTER, r"\bk\.?v\.?k\.?\b" + _GAP + r"(\d{8})\b", _digits(8, "KvK {}"), 0.9, "kvk"),
    _rule(
        _REGISTER,
        r"\borg(?:anisations?)?[. ]{0,2}-?(?:nr|nummer|no|number)[.: ]{0,4}(\d{6}-?\d{4})\b",
        _checked(se_orgnr.validate, "SE {}"),
        0.9,
        "org",
    ),
    _rule(
        _REGISTER,
        r"\borg(?:anisations?)?[. ]{0,2}-?(?:nr|nummer|no|number)[.: ]{0,4}(?:NO ?)?(\d{3} ?\d{3} ?\d{3})\b",
        _checked(no_orgnr.validate, "NO {}"),
        0.9,
        "org",
    ),
    _rule(
        _REGISTER,
        r"\bcvr" + _GAP + r"(?:DK)?(\d{2} ?\d{2} ?\d{2} ?\d{2})\b",
        _checked(cvr.validate, "CVR {}"),
        0.9,
        "cvr",
    ),
    _rule(_REGISTER, r"\by-?tunnus[^0-9]{0,6}(\d{7}-\d)\b", _checked(ytunnus.validate, "FI {}"), 0.9, "tunnus"),
    _rule(_REGISTER, r"\bKRS" + _GAP + r"(\d{10})\b", _digits(10, "KRS {}"), 0.9, "krs"),
    _rule(_REGISTER, r"\bREGON" + _GAP + r"(\d{14}|\d{9})\b", _checked(regon.validate, "REGON {}"), 0.85, "regon"),
    _rule(
        PageField.VAT_ID,
        r"\bNIP" + _GAP + r"(?:PL)?(\d{3}-?\d{2,3}-?\d{2}-?\d{2,3})\b",
        _checked(nip.validate, "PL{}"),
        0.9,
        "nip",
    ),
    _rule(_REGISTER, r"\bI[ČC]O?\b" + _GAP + r"(\d{8})\b", _checked(dic.validate, "IČO {}"), 0.85, "ič", "ic"),
    _rule(
        _REGISTER, r"\bREA\b[^0-9A-Z]{0,4}([A-Z]{2}[ -]{0,3}\d{5,7})\b", lambda text: f"REA {text.upper()}", 0.85, "rea"
    ),
    _rule(
        _REGISTER,
        r"\bCNPJ" + _GAP + r"(\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2})\b",
        _checked(cnpj.validate, "CNPJ {}"),
        0.9,
        "cnpj",
    ),
    _rule(_REGISTER, r"\bABN" + _GAP + r"(\d{2} ?\d{3} ?\d{3} ?\d{3})\b", _checked(abn.validate, "ABN {}"), 0.9, "abn"),
    _rule(_REGISTER, r"\bACN" + _GAP + r"(\d{3} ?\d{3} ?\d{3})\b", _checked(acn.validate, "ACN {}"), 0.9, "acn"),
    _rule(PageField.CIK, r"\bCIK" + _GAP + r"(\d{4,10})\b", _cik, 0.9, "cik"),
)


def _found_by(rules: Sequence[IdentifierRule], text: str, plain: str) -> Iterator[PageFact]:
    for rule in rules:
        for found in rule.pattern.finditer(text) if rule.may_fit(plain) else ():
            value = rule.normalise(found[1])
            if value:
                quote = quote_of(text, around=found.span())
                yield PageFact(rule.field, value, rule.confidence, rule.field.value, quote)
