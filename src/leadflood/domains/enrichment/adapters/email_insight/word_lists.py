"""The word lists beside this file and the two list packages, each read once, when first asked for."""

from functools import cache
from importlib import resources

from publicsuffixlist import PublicSuffixList


@cache
def public_suffixes() -> PublicSuffixList:
    """The public suffix list with its private section; a suffix that is not on it counts as none."""
    return PublicSuffixList(accept_unknown=False)


@cache
def disposable_domains() -> frozenset[str]:
    """Domains of disposable mailboxes."""
    # The package is one big set literal: a late import spares modules that do not use it.
    from disposable_email_domains import blocklist  # noqa: PLC0415

    return frozenset(blocklist)


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
    return tuple((domain, int(slips)) for domain, slips in (line.split() for line in _lines("providers.txt")))


@cache
def lookalike_domains() -> frozenset[str]:
    """Real domains close to a provider's."""
    return frozenset(_words("lookalikes.txt"))


@cache
def role_words() -> frozenset[str]:
    """Words that name a function or group, in many languages, accents folded."""
    return frozenset(word for word in _words("role_words.txt") if not word.startswith("*"))


@cache
def whole_role_words() -> frozenset[str]:
    """Words that name a function only when they are the whole local part."""
    return frozenset(word[1:] for word in _words("role_words.txt") if word.startswith("*"))


@cache
def role_places() -> frozenset[str]:
    """Places that offices name their mailbox after."""
    return frozenset(_words("role_places.txt"))


@cache
def given_names() -> frozenset[str]:
    """Common given names, accents folded."""
    return frozenset(word.removeprefix("*") for word in _words("given_names.txt"))


@cache
def given_names_only() -> frozenset[str]:
    """The given names that are hardly ever family names."""
    return frozenset(word for word in _words("given_names.txt") if not word.startswith("*"))


@cache
def name_particles() -> frozenset[str]:
    """Words that belong to the family name behind them."""
    return frozenset(_words("name_particles.txt"))


def _lines(name: str) -> list[str]:
    text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _words(name: str) -> list[str]:
    return [word for line in _lines(name) for word in line.split()]
