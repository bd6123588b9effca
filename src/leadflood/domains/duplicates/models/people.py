"""Leads in normalized form for comparison, and their comparison keys."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Self

from leadflood.domains.duplicates.models.names import NamePart, generation_of, name_parts
from leadflood.domains.duplicates.models.values import ComparedValue, comparable
from leadflood.domains.duplicates.models.weights import UNTRAINED, Weights
from leadflood.kernel.canonical_mailbox import canonical_mailbox
from leadflood.kernel.company_name import company_key
from leadflood.kernel.email_domains import free_mail_provider, registrable_domain
from leadflood.kernel.email_parts import parse_address
from leadflood.kernel.email_typos import find_domain_typo
from leadflood.kernel.field_types import FieldValue
from leadflood.kernel.mailbox_roles import find_role
from leadflood.kernel.text import search_key


@dataclass(frozen=True, slots=True)
class ComparedLead:
    """The values that a lead is compared by, as given; the phone in E.164, optionally with an extension.

    `fields`: other values by their names in the API, such as `jobTitle`, `website` and `customFields.birthday`.
    """

    email: str
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    phone: str | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A lead in normalized form for comparison. Unknown values are empty.

    Attributes:
        mailbox: one spelling for all addresses of a mailbox, typos in the domain corrected. sure: its probability.
        slip: whether a typo was corrected.
        local, domain: of the mailbox. letters: the letters and digits of the local part.
        role: whether it is the address of a function, such as info@.
        private: whether its domain is that of a mailbox provider.
        companies: the employer as given, and as in the domains of the address and the website.
        values: other fields by name.
    """

    mailbox: str
    sure: float
    slip: bool
    local: str
    letters: str
    domain: str
    role: bool
    private: bool
    first: NamePart
    last: NamePart
    companies: tuple[str, ...]
    phone: str
    values: Mapping[str, ComparedValue]

    @classmethod
    def of(cls, lead: ComparedLead, weights: Weights = UNTRAINED) -> Self:
        """The person that a lead describes. `weights`: those of the workspace."""
        address = _mailbox(lead.email)
        role = _is_role(address.local)
        first, last = lead.first_name or "", lead.last_name or ""
        if not first and not last and not role:
            first, last = _names_in(address.written)
        given, family = name_parts(first, last, weights.names)
        if not family.generation:
            family = replace(family, generation=generation_of("", _NO_WORD.sub(" ", address.written)))
        known = (lead.company or "", _employer(address.domain), _host(lead.fields.get(_WEBSITE)))
        companies = dict.fromkeys(filter(None, (company_key(known[0]), known[1], known[2])))
        return cls(
            mailbox=f"{address.local}@{address.domain}",
            sure=address.sure,
            slip=address.slip,
            local=address.local,
            letters=_letters(address.local),
            domain=address.domain,
            role=role,
            private=free_mail_provider(address.domain) is not None,
            first=given,
            last=family,
            companies=_distinct(companies),
            phone=(lead.phone or "").partition(";")[0],
            values=_values(lead.fields, weights),
        )

    def blocks(self, weights: Weights = UNTRAINED) -> frozenset[int]:
        """Keys of a lead: only leads that share one are compared. Each key tolerates a typo or another spelling."""
        return frozenset(_hashed(parts) for parts in self._blocks(weights))

    def _blocks(self, weights: Weights) -> Iterator[tuple[str, ...]]:
        yield "mailbox", self.mailbox
        if self.phone:
            yield "phone", self.phone
        if len(self.letters) >= _DISTINCT_LOCAL and not self.role:
            yield "local", self.letters
        if self.local and self.domain and not self.private and not self.role:
            yield "domain", self.domain, self.local[:1]
        first, last = self.first.text.replace(" ", ""), self.last.text.replace(" ", "")
        if first and last:
            surprise = self.first.surprise + self.last.surprise
            if surprise >= _RARE_NAME:
                yield "name", *sorted((first, last))
            for company in map(compact, self.companies):
                yield "last", company, last, first[:1]
                yield "first", company, first, last[:1]
                yield "both", *sorted((first, last)), company[:4]
            if surprise >= _RARE_NAME:
                yield "last", "", _skeleton(last), first[:1]
                yield "first", "", _skeleton(first), last[:1]
        for name in weights.keys:
            value = self.values.get(name)
            if value is not None:
                yield from _with_value(name, value.key, (first, last), alone=weights.is_rare(name))


def _skeleton(name: str) -> str:
    """The first letter of a name and its other consonants: `fsr` for "fisher" and "fishier"."""
    return name[:1] + _TWICE.sub(r"\1", _VOWELS.sub("", name[1:]))


def compact(company: str) -> str:
    """A company's key without spaces."""
    return company.replace(" ", "")


@dataclass(frozen=True, slots=True)
class _Mailbox:
    local: str
    written: str
    domain: str
    sure: float
    slip: bool


_VOWELS: Final = re.compile("[aeiouyh]+")
_TWICE: Final = re.compile(r"(.)\1+")
_WEBSITE: Final = "website"
_DISTINCT_LOCAL: Final = 6
_RARE_NAME: Final = 14.0
"""Bits: more leads share a more common name than are compared with each other."""
_NOT_IN_WORDS: Final = re.compile("[^a-z0-9\u0080-\uffff]+")
_NO_WORD: Final = re.compile(r"[\W_]+")
_TWO_WORDS: Final = re.compile(r"([^\W\d_]{2,})[._]([^\W\d_]{2,}(?:-[^\W\d_]{2,})?)")
_HOST: Final = re.compile(r"(?:https?://)?(?:www\.)?([^/:?#]+)", re.IGNORECASE)


def _mailbox(email: str) -> _Mailbox:
    address = parse_address(email)
    if address is None:
        local, _, domain = email.casefold().rpartition("@")
        return _Mailbox(local, local, domain, 1.0, slip=False)
    typo = _typo(address.domain)
    if typo is not None:
        address = parse_address(f"{address.local}@{typo[0]}") or address
    mailbox = canonical_mailbox(address)
    local, _, domain = mailbox.email.rpartition("@")
    sure = mailbox.confidence * (typo[1] if typo else 1.0)
    return _Mailbox(local, address.mailbox, domain, sure, slip=typo is not None)


@lru_cache(maxsize=20_000)
def _typo(domain: str) -> tuple[str, float] | None:
    found = find_domain_typo(domain)
    return (found.meant, found.confidence) if found else None


@lru_cache(maxsize=20_000)
def _is_role(local: str) -> bool:
    return bool(local) and find_role(local) is not None


def _names_in(local: str) -> tuple[str, str]:
    """Given and family name of an address in the form first.last."""
    found = _TWO_WORDS.fullmatch(local)
    return (found[1], found[2]) if found else ("", "")


def _letters(local: str) -> str:
    return _NOT_IN_WORDS.sub("", search_key(local))


@lru_cache(maxsize=50_000)
def _employer(domain: str) -> str:
    """The label of a company's own domain, which is often a short form of its name."""
    if not domain or free_mail_provider(domain):
        return ""
    label = (registrable_domain(domain) or "").partition(".")[0]
    return _NO_WORD.sub(" ", label).strip()


def _host(website: FieldValue | None) -> str:
    found = _HOST.match(website) if isinstance(website, str) else None
    return _employer(found[1].lower()) if found else ""


def _values(fields: Mapping[str, FieldValue], weights: Weights) -> dict[str, ComparedValue]:
    """Values of all fields except the website, which counts as the employer."""
    found: dict[str, ComparedValue] = {}
    for name, value in fields.items():
        known = weights.fields.get(name)
        compared = None if name == _WEBSITE else comparable(value, known.kind if known else None)
        if compared is not None:
            found[name] = compared
    return found


def _distinct(companies: Mapping[str, None]) -> tuple[str, ...]:
    """Companies without repetitions that differ in spaces only."""
    return tuple({compact(company): company for company in reversed(list(companies))}.values())[::-1]


def _with_value(field_name: str, key: str, names: Sequence[str], *, alone: bool) -> Iterator[tuple[str, ...]]:
    beginnings = {name[:1] for name in names if name}
    if alone or not beginnings:
        yield "value", field_name, key
    else:
        yield from (("value", field_name, key, beginning) for beginning in beginnings)


def _hashed(parts: tuple[str, ...]) -> int:
    digest = blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
