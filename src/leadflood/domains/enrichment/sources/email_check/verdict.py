"""The verdict about an address: a chain of checks, the first that decides wins. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from leadflood.kernel.email_typos import find_domain_typo
from leadflood.kernel.mail_hosts import MailProvider


class EmailStatus(StrEnum):
    """Verdict about an address. `RISKY`: mail may arrive, but not at the person one thinks of."""

    VALID = "valid"
    INVALID = "invalid"
    RISKY = "risky"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MailDomain:
    """Knowledge about the domain of an address.

    Attributes:
        name: the domain, in A-labels.
        exists: whether the DNS knows it.
        servers: its mail servers.
        refuses: whether it says that it takes no mail.
        has_address: whether it has an address, to which mail goes without mail servers (RFC 5321, 5.1).
        provider: of its mail servers, if known.
        disposable: the provider of disposable mailboxes that lists name for the domain.
        parked: the mail server of a parking service, if it has one.
    """

    name: str
    exists: bool
    servers: Sequence[str] = ()
    refuses: bool = False
    has_address: bool = False
    provider: MailProvider | None = None
    disposable: str | None = None
    parked: str | None = None


@dataclass(frozen=True, slots=True)
class EmailVerdict:
    """A verdict with its reason as a sentence. `check`: stable name of the check that decided."""

    status: EmailStatus
    confidence: float
    check: str
    reason: str


def verdict_of(domain: MailDomain, role: str | None) -> EmailVerdict:
    """The verdict about an address whose syntax is right. The mailbox itself is not asked.

    Args:
        domain: knowledge about its domain.
        role: the reason why the local part names a function instead of a person, if it does.
    """
    return _undeliverable(domain) or _risky(domain, role) or _accepted(domain)


def _undeliverable(domain: MailDomain) -> EmailVerdict | None:
    if not domain.exists:
        typo = find_domain_typo(domain.name)
        hint = f" Did you mean {typo.meant}?" if typo else ""
        return EmailVerdict(EmailStatus.INVALID, 0.97, "domain", f"{domain.name} does not exist.{hint}")
    if domain.refuses:
        return EmailVerdict(EmailStatus.INVALID, 0.98, "null_mx", f"{domain.name} receives no mail.")
    if not domain.servers and not domain.has_address:
        return EmailVerdict(
            EmailStatus.INVALID, 0.95, "no_mx", f"{domain.name} cannot receive mail: it has no mail server."
        )
    return None


def _risky(domain: MailDomain, role: str | None) -> EmailVerdict | None:
    return _of_one_use(domain) or _misdirected(domain) or _of_function(role)


def _of_one_use(domain: MailDomain) -> EmailVerdict | None:
    if domain.disposable:
        reason = f"{domain.name} is a provider of disposable mailboxes ({domain.disposable})."
        return EmailVerdict(EmailStatus.RISKY, 0.95, "disposable_list", reason)
    if domain.provider is not None and domain.provider.disposable:
        reason = f"Mail for {domain.name} goes to {domain.provider.title}, a provider of disposable mailboxes."
        return EmailVerdict(EmailStatus.RISKY, 0.93, "disposable_mx", reason)
    return None


def _misdirected(domain: MailDomain) -> EmailVerdict | None:
    if domain.parked:
        reason = f"{domain.name} is parked, not in use: mail for it goes to {domain.parked}."
        return EmailVerdict(EmailStatus.RISKY, 0.85, "parked", reason)
    typo = find_domain_typo(domain.name)
    if typo is not None and typo.confidence >= _LIKELY_TYPO:
        reason = f"{domain.name} is probably a typo of {typo.meant}."
        return EmailVerdict(EmailStatus.RISKY, 0.8, "typo", reason)
    if not domain.servers:
        reason = f"{domain.name} has no mail server, so mail may not arrive."
        return EmailVerdict(EmailStatus.RISKY, 0.75, "no_mx", reason)
    return None


def _of_function(role: str | None) -> EmailVerdict | None:
    if not role:
        return None
    return EmailVerdict(EmailStatus.RISKY, 0.7, "role", f"Shared address, not that of a person: {role}.")


def _accepted(domain: MailDomain) -> EmailVerdict:
    via = f" ({domain.provider.title})" if domain.provider is not None and domain.provider.key != "self" else ""
    reason = f"{domain.name} accepts mail{via}. Whether the mailbox exists was not checked."
    return EmailVerdict(EmailStatus.UNKNOWN, 0.6, "mx", reason)


_LIKELY_TYPO: Final = 0.85
