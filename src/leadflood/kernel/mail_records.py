"""Reading the DNS records of a domain about mail: MX, SPF, DMARC."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MAX_INCLUDES: Final = 40
_POLICIES: Final = frozenset({"none", "quarantine", "reject"})


@dataclass(frozen=True, slots=True)
class MailServers:
    """The mail servers of a domain, most preferred first. `refuses`: it says that it takes no mail (RFC 7505)."""

    hosts: tuple[str, ...]
    refuses: bool


def mail_servers(records: Sequence[str]) -> MailServers:
    """The mail servers of MX records in presentation format: `10 mx.acme.com`. Damaged records are left out."""
    ranked: list[tuple[int, str]] = []
    for record in records:
        preference, _, host = record.strip().partition(" ")
        name = host.strip().removesuffix(".").lower()
        if preference.isascii() and preference.isdigit():
            ranked.append((int(preference), name))
    refuses = bool(ranked) and all(name == "" for _, name in ranked)
    return MailServers(tuple(name for _, name in sorted(ranked) if name), refuses)


def spf_includes(texts: Sequence[str]) -> list[str]:
    """The domains that an SPF record names by `include`, `redirect`, `a`, `mx` and `exists` (RFC 7208)."""
    record = next((text for text in texts if text.lower().split(" ", 1)[0] == "v=spf1"), None)
    if record is None:
        return []
    found: list[str] = []
    for term in record.split()[1:]:
        name, mark, target = term.lstrip("+-~?").partition(":" if ":" in term else "=")
        if mark and name.lower() in {"include", "redirect", "a", "mx", "exists"}:
            domain = target.partition("/")[0].removesuffix(".").lower()
            found.append(domain.rpartition("}.")[2] if "%{" in domain else domain)
    return [domain for domain in found if domain][:_MAX_INCLUDES]


def dmarc_policy(texts: Sequence[str], *, of_subdomain: bool = False) -> str | None:
    """The policy of a DMARC record: `none`, `quarantine` or `reject`; None without a valid record.

    Args:
        texts: TXT records of `_dmarc.` and the domain.
        of_subdomain: whether the record is of a domain above; then its `sp` counts first.
    """
    records = [text for text in texts if text.replace(" ", "").lower().startswith("v=dmarc1")]
    if len(records) != 1:
        return None  # several are none (RFC 7489, 6.6.3)
    tags: dict[str, str] = {}
    for part in records[0].split(";"):
        name, _, value = part.partition("=")
        tags.setdefault(name.strip().lower(), value.strip().lower())
    policy = (tags.get("sp") if of_subdomain else None) or tags.get("p") or "none"
    return policy if policy in _POLICIES else "none"
