"""Addresses of a function, a group or a machine instead of a person (RFC 2142 and everyday practice)."""

import re
from dataclasses import dataclass
from functools import cache

from leadflood.kernel.email_parts import fold
from leadflood.kernel.word_lists import (
    given_names,
    role_places,
    role_words,
    whole_role_words,
)

_MACHINE = ("noreply", "donotreply", "mailerdaemon", "nepasrepondre", "nichtantworten", "noresponder")
_GROUP_ENDINGS = ("team", "support", "service", "services", "office", "department", "helpdesk", "notifications")
_FILLERS = frozenset({"and", "de", "del", "der", "des", "di", "do", "et", "for", "la", "le", "my", "of", "our", "the"})
_FIRM = frozenset({
    "abuse", "admin", "billing", "contact", "info", "marketing", "newsletter", "notification", "noreply", "reply",
    "sales",
})  # fmt: skip
"""Words that are never names: after an unknown word they still indicate a role."""

_SHORT_PARTS = frozenset({"hr", "it", "pr", "qa", "rh", "uk", "us", "eu", "dev", "ops", "web", "all"})
_MIN_PART = 4
_MAX_NUMBER = 4


@dataclass(frozen=True, slots=True)
class RoleSign:
    """Reason why a local part is considered a role, and its confidence."""

    confidence: float
    because: str


def tokens_of(mailbox: str) -> list[str]:
    """The folded words of a local part, without the digits around them."""
    words = (re.sub(r"^\d+|\d+$", "", word) for word in re.split(r"[\W_]+", fold(mailbox)))
    return [word for word in words if word]


def find_role(mailbox: str, known_names: frozenset[str] = frozenset()) -> RoleSign | None:
    """The sign that `mailbox` (the local part without its tag) belongs to a role, or None.

    Args:
        mailbox: such as `sales.emea`.
        known_names: the lead's own names, folded; a word among them is a name and no role.
    """
    tokens = tokens_of(mailbox)
    joined = "".join(tokens)
    if not tokens:
        digits = re.sub(r"\D", "", mailbox)
        is_number = 0 < len(digits) <= _MAX_NUMBER and re.fullmatch(r"[\d._-]+", mailbox)
        return RoleSign(0.6, "a short number") if is_number else None
    if known_names.intersection([*tokens, joined]):
        return None
    return _as_words(tokens, joined) or _as_compound(joined, tokens)


def is_function_word(token: str) -> bool:
    """Whether a folded word names a function; places do not count, they are people's names too."""
    return token in role_words()


def _as_words(tokens: list[str], joined: str) -> RoleSign | None:
    if joined in role_words() or joined in whole_role_words():
        return RoleSign(0.95, f"'{joined}' is a function")
    if joined in role_places():
        return RoleSign(0.7, f"'{joined}' is a place")
    if any(machine in joined for machine in _MACHINE):
        return RoleSign(0.95, "no one reads replies")
    named = any(token in role_words() for token in tokens)
    if named and _role_vocabulary().issuperset(tokens):
        return RoleSign(0.9, f"'{'.'.join(tokens)}' is made of function words")
    return None


@cache
def _role_vocabulary() -> frozenset[str]:
    return role_words() | role_places() | _FILLERS


def _as_compound(joined: str, tokens: list[str]) -> RoleSign | None:
    if any(token in given_names() for token in tokens):
        return None
    if _splits_into_roles(joined):
        return RoleSign(0.85, f"'{joined}' is made of function words")
    if len(tokens) > 1 and len(tokens[0]) > 1 and tokens[-1] in _FIRM:
        return RoleSign(0.75, f"'{tokens[-1]}' is a function")
    ending = next((word for word in _GROUP_ENDINGS if joined.endswith(word) and joined != word), None)
    return RoleSign(0.75, f"'{joined}' ends in '{ending}'") if ending else None


def _splits_into_roles(joined: str) -> bool:
    """Whether the word is a sequence of role words, as `customersupport` is."""
    reachable = {0}
    for end in range(1, len(joined) + 1):
        if any(start in reachable and _is_part(joined[start:end]) for start in range(end)):
            reachable.add(end)
    return len(joined) in reachable


def _is_part(word: str) -> bool:
    return word in _SHORT_PARTS or (len(word) >= _MIN_PART and word in role_words())
