"""Email addresses and phone numbers of a page: from links, structured data and visible text."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final
from urllib.parse import unquote

from leadflood.domains.enrichment.sources.website.data_values import texts_of
from leadflood.domains.enrichment.sources.website.digits import DigitPattern
from leadflood.domains.enrichment.sources.website.organizations import DescribedOrganization
from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, WebPage, quote_of
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.email_domains import free_mail_provider, registrable_domain
from leadflood.kernel.phone_number import normalise_phone
from leadflood.kernel.text import InvalidValue

_BEFORE: Final = 50
"""Characters before a number in which its label stands."""
# This pattern and `_PHONE` begin with a set of characters, to which `re` skips.
_AT: Final = re.compile(r"[@\[({<](?:(?<=@)|\s?(?:at|@|ät|arroba|chez)\s?[\])}>])", re.IGNORECASE)
_EMAIL: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}", re.UNICODE)
_HIDDEN_EMAIL: Final = re.compile(
    r"([\w.+-]{1,64})\s?[\[({<]\s?(?:at|@|ät|arroba|chez)\s?[\])}>]\s?"
    r"([\w-]{1,63}(?:(?:\.|\s?[\[({<]\s?(?:dot|punkt|point|\.)\s?[\])}>]\s?)[\w-]{2,63}){1,4})",
    re.IGNORECASE,
)
_HIDDEN_DOT: Final = re.compile(r"\s?[\[({<]\s?(?:dot|punkt|point|\.)\s?[\])}>]\s?", re.IGNORECASE)
_FILES: Final = ("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "avif", "ico", "pdf", "woff", "mp4")
_EXAMPLES: Final = frozenset({
    "example.com", "example.org", "example.net", "domain.com", "yourdomain.com", "email.com", "mail.com.example",
    "test.com", "acme.test", "sentry.io", "wixpress.com", "sentry.wixpress.com", "sentry-next.wixpress.com",
    "ingest.sentry.io", "yoursite.com", "company.com", "deinedomain.de", "musterfirma.de", "beispiel.de",
    "mysite.com",
})  # fmt: skip
_PLACEHOLDER_NAMES: Final = frozenset({
    "you", "your", "yourname", "your.name", "your-name", "youremail", "your.email", "name", "firstname.lastname",
    "user", "username", "someone", "max.mustermann", "john.doe", "jane.doe", "johndoe", "email",
})  # fmt: skip
_PHONE: Final = DigitPattern(
    r"[\d+(](?<![\w.,/-].)(?:(?<=0)0|(?<=\()\+)?[\d\s()./\u2010-\u2015\u00a0-]{6,28}\d(?![\w])"
)
_PHONE_LABEL: Final = re.compile(
    r"\b(?:tel(?:efon|efoon|ephone|éfono|efono|\.|\b)|t(?=\s?[.:]\s?[+(0])|phone|fon\b|call|mobile|mobil|handy|ring|hotline"
    r"|t[ée]l[ée]phone|t[ée]l\b|telefone|telefonisch|puhelin|puh\b|tlf\b|telefono|fono\b|zentrale|switchboard|ph\b)"
    r"|[☎✆📞📱]",
    re.IGNORECASE,
)
_FAX_LABEL: Final = re.compile(r"\b(?:tele)?fax\b|\bf(?=\s?[.:]\s?[+(0])|télécopie", re.IGNORECASE)
_MAX_SIGNS: Final = 300
_MAX_PHONES: Final = 10
_MAX_EMAILS: Final = 20


def emails_in(page: WebPage, organization: DescribedOrganization | None) -> Iterator[PageFact]:
    """The email addresses of a page, each once: the company's own, then those at providers for the public.

    Addresses at other companies' domains, in examples and in file names are left out.
    """
    seen: set[str] = set()
    for text, quote, method, confidence in _email_candidates(page, organization):
        fact = _email(page, text, quote, method, confidence)
        if fact is not None and str(fact.value) not in seen and len(seen) < _MAX_EMAILS:
            seen.add(str(fact.value))
            yield fact


def phones_in(page: WebPage, organization: DescribedOrganization | None, country: str | None) -> Iterator[PageFact]:
    """The phone numbers of a page in E.164, each once. Fax numbers are left out.

    Args: country: for numbers in national form; ISO 3166-1 alpha-2, None if unknown.
    """
    written = list(_written_numbers(page.text))
    faxes = {number for text, _, _, fax in written if fax and (number := _e164(text, country))}
    seen: set[str] = set(faxes)
    for text, quote, method, confidence in _phone_candidates(page, organization, written):
        number = _e164(text, country)
        if number and number not in seen and len(seen) < _MAX_PHONES + len(faxes):
            seen.add(number)
            yield PageFact(PageField.PHONE, number, confidence, method, quote_of(quote))


def decoded_cloudflare(code: str) -> str | None:
    """An address that Cloudflare's email protection has hidden: hexadecimal bytes, the first of which is the key."""
    try:
        data = bytes.fromhex(code)
    except ValueError:
        return None
    return bytes(byte ^ data[0] for byte in data[1:]).decode("utf-8", "replace") if len(data) > 1 else None


Candidate = tuple[str, str, str, float]
"""A text, its quote, the method that found it, and the confidence."""


def _email_candidates(page: WebPage, organization: DescribedOrganization | None) -> Iterator[Candidate]:
    text = page.text
    if organization is not None:
        for given in _of_contacts(organization, "email"):
            yield given.removeprefix("mailto:"), given, organization.method, 0.92
    for target, _ in page.links:
        if target.lower().startswith("mailto:"):
            yield unquote(target[7:].partition("?")[0]).strip(), target, "mailto_link", 0.92
        elif "/cdn-cgi/l/email-protection" in target and (address := decoded_cloudflare(target.rpartition("#")[2])):
            yield address, target, "protected_email", 0.9
    for element in page.tree.css("[data-cfemail]")[:50]:
        code = element.attributes.get("data-cfemail") or ""
        if address := decoded_cloudflare(code):
            yield address, code, "protected_email", 0.9
    yield from _written_emails(text)


def _written_emails(text: str) -> Iterator[Candidate]:
    """Addresses in the visible text, written with @ or spelled: the parts around each sign are looked at."""
    for sign in islice(_AT.finditer(text), _MAX_SIGNS):
        start, end = max(0, sign.start() - 66), sign.end() + 200
        around = text[start:end]
        pattern, method, confidence = (
            (_EMAIL, "visible_text", 0.85) if sign[0] == "@" else (_HIDDEN_EMAIL, "spelled_email", 0.8)
        )
        found = next((one for one in pattern.finditer(around) if one.start() <= sign.start() - start < one.end()), None)
        if found:
            address = found[0] if sign[0] == "@" else f"{found[1]}@{_HIDDEN_DOT.sub('.', found[2])}"
            yield address, quote_of(" ".join(found[0].split())), method, confidence


def _email(page: WebPage, text: str, quote: str, method: str, confidence: float) -> PageFact | None:
    if text.rpartition(".")[2].lower() in _FILES:
        return None
    try:
        address = parse_email(text.strip(" .,;:<>\"'"))
    except InvalidValue:
        return None
    local, _, domain = address.norm.rpartition("@")
    if domain in _EXAMPLES or local in _PLACEHOLDER_NAMES:
        return None
    if registrable_domain(domain) != page.domain:
        if not free_mail_provider(domain):
            return None
        confidence -= 0.3
    return PageFact(PageField.EMAIL, address.norm, round(confidence, 2), method, quote_of(quote))


def _phone_candidates(
    page: WebPage, organization: DescribedOrganization | None, written: Sequence[tuple[str, str, bool, bool]]
) -> Iterator[Candidate]:
    if organization is not None:
        for text in _of_contacts(organization, "telephone"):
            yield text, text, organization.method, 0.9
    for target, _ in page.links:
        if target.lower().startswith("tel:"):
            yield unquote(target[4:]).strip(), target, "tel_link", 0.9
    for text, quote, labelled, fax in written:
        if labelled:
            yield text, quote, "visible_text", 0.85
        elif not fax and text.lstrip("(").startswith("+"):
            yield text, quote, "visible_text", 0.75


def _written_numbers(text: str) -> Iterator[tuple[str, str, bool, bool]]:
    """Possible phone numbers: text and quote, whether a phone label stands before it, and whether a fax label.

    The label is on the same line, or the line before ends with it.
    """
    for found in islice(_PHONE.for_text(text).finditer(text), _MAX_SIGNS):
        start = found.start()
        line = text.rfind("\n", 0, start) + 1
        lead = text[max(line, start - _BEFORE) : start]
        if start - line < 3:  # noqa: PLR2004  the number is alone on its line
            lead = text[max(text.rfind("\n", 0, max(0, line - 1)) + 1, start - _BEFORE) : start]
        phone, fax = _last(_PHONE_LABEL, lead), _last(_FAX_LABEL, lead)
        end = text.find("\n", start)
        yield found[0].strip(), quote_of(text[line:end], around=(start - line, 0)), phone > fax, fax > phone


def _last(label: re.Pattern[str], text: str) -> int:
    """The place of the last label in a text; -1 without one."""
    return max((found.start() for found in label.finditer(text)), default=-1)


def _of_contacts(organization: DescribedOrganization, key: str) -> Iterator[str]:
    data = organization.data
    yield from texts_of(data.get(key))
    points = data.get("contactPoint") or data.get("contactPoints") or data.get("ContactPoint")
    for point in points if isinstance(points, list) else [points]:
        if isinstance(point, dict):
            yield from texts_of(point.get(key))


def _e164(text: str, country: str | None) -> str | None:
    spelled = re.sub("[\u2010-\u2015]", "-", text.replace("(0)", "") if "+" in text or text.startswith("00") else text)
    try:
        return normalise_phone(spelled.strip(), country)
    except InvalidValue:
        return None
