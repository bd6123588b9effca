"""Word lists: functions, places, given names and name particles, each read from `data` on first use."""

from functools import cache
from importlib import resources


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
    """Words that belong to the following family name."""
    return frozenset(_words("name_particles.txt"))


def _lines(name: str) -> list[str]:
    text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _words(name: str) -> list[str]:
    return [word for line in _lines(name) for word in line.split()]
