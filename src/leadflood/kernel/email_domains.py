"""Domains of addresses: the public suffix list, and the providers of mailboxes for the public.

The word lists lie in `data`, each read once, when first asked for.
"""

from functools import cache
from importlib import resources
from itertools import accumulate

from publicsuffixlist import PublicSuffixList


def with_parents(domain: str) -> list[str]:
    """The domain and the domains above it, down to two labels: a.b.c gives a.b.c and b.c."""
    labels = domain.split(".")
    tails = list(accumulate(reversed(labels), lambda tail, label: f"{label}.{tail}"))
    return tails[:0:-1] or tails


def listed_domain(domain: str, listed: frozenset[str]) -> str | None:
    """The domain itself or the nearest domain above it that is on the list."""
    return next((name for name in with_parents(domain) if name in listed), None)


def free_mail_provider(domain: str) -> str | None:
    """The provider for the public that `domain` belongs to."""
    return listed_domain(domain, free_mail_domains())


def registrable_domain(domain: str) -> str | None:
    """eTLD+1 by the public suffix list, private suffixes included; None for a suffix that is not on it."""
    return public_suffixes().privatesuffix(domain)


@cache
def public_suffixes() -> PublicSuffixList:
    """The public suffix list with its private section; a suffix that is not on it counts as none."""
    return PublicSuffixList(accept_unknown=False)


@cache
def free_mail_domains() -> frozenset[str]:
    """Domains of mailbox, forwarding and internet providers that serve the public."""
    domains: set[str] = set()
    for line in _lines("free_mail.txt"):
        label, colon, suffixes = line.partition(":")
        domains.update(f"{label}.{suffix}" for suffix in suffixes.split()) if colon else domains.update(line.split())
    return frozenset(domains)


@cache
def mistyped_providers() -> tuple[tuple[str, int], ...]:
    """Providers that people mistype, most used first, each with the slips forgiven in its first label."""
    return tuple((domain, int(slips)) for domain, slips in (line.split() for line in _lines("mail_providers.txt")))


@cache
def lookalike_domains() -> frozenset[str]:
    """Real domains close to a provider's."""
    return frozenset(word for line in _lines("mail_lookalikes.txt") for word in line.split())


def _lines(name: str) -> list[str]:
    text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
