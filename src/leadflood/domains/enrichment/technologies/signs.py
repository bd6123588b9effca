"""The signs of technologies, from `technologies.toml` or a file in its format, indexed by their literal texts."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

KINDS: Final = (
    "hosts",
    "files",
    "segments",
    "headers",
    "cookies",
    "generator",
    "metas",
    "ids",
    "attributes",
    "txt",
    "spf",
    "mx",
    "ns",
)
"""Kinds of signs, as the file names them."""
_MAX_FILE: Final = 5 * 1024 * 1024


class InvalidTechnologies(ValueError):
    """The file of technologies cannot be used; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class Technology:
    """A technology: its name, its category, the technologies that it runs on, and its signs by kind."""

    name: str
    category: str
    implies: tuple[str, ...]
    signs: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class SignIndex:
    """Names of technologies by their signs.

    Attributes:
        technologies: by name.
        exact: names by kind and sign.
        hosts: by host, pairs of path and name; an empty path stands for all.
        cookie_starts: beginnings of names of cookies, with the name of the technology.
        txt_starts: beginnings of TXT records by their first four characters.
    """

    technologies: Mapping[str, Technology]
    exact: Mapping[str, Mapping[str, tuple[str, ...]]]
    hosts: Mapping[str, tuple[tuple[str, str], ...]]
    cookie_starts: tuple[tuple[str, str], ...]
    txt_starts: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def of(self, kind: str, sign: str) -> tuple[str, ...]:
        """Names of the technologies with this sign."""
        return self.exact[kind].get(sign, ())

    def of_host(self, host: str, path: str) -> Sequence[tuple[str, str]]:
        """Names of the technologies that serve a path of a host or of a domain above it, each with its sign."""
        found: list[tuple[str, str]] = []
        name = host
        while name:
            for start, technology in self.hosts.get(name, ()):
                if path.startswith(start):
                    found.append((technology, name + start))
            name = name.partition(".")[2]
        return found

    def of_domain(self, kind: str, host: str) -> tuple[tuple[str, ...], str]:
        """Names of the technologies whose sign is a host or a domain above it, the nearest, and that sign."""
        name = host
        while name:
            if found := self.exact[kind].get(name):
                return found, name
            name = name.partition(".")[2]
        return (), ""


def load_technologies(text: str) -> SignIndex:
    """The index of a file in the format of `technologies.toml`. Raises: InvalidTechnologies."""
    if len(text) > _MAX_FILE:
        raise InvalidTechnologies("The file of technologies is larger than 5 MB.")
    try:
        listed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidTechnologies(f"The file of technologies is not valid TOML: {error}.") from error
    technologies = {name: _technology(name, entry) for name, entry in listed.items()}
    for one in technologies.values():
        for name in one.implies:
            if name not in technologies:
                raise InvalidTechnologies(f"{one.name} implies {name}, which is not listed.")
    return _indexed(technologies)


@cache
def technology_index() -> SignIndex:
    """The index of the technologies that are part of the program."""
    return load_technologies(files(__package__).joinpath("technologies.toml").read_text(encoding="utf-8"))


def _technology(name: str, entry: object) -> Technology:
    if not isinstance(entry, dict) or not isinstance(entry.get("category"), str):
        raise InvalidTechnologies(f"{name} has no category.")
    unknown = set(entry) - {*KINDS, "category", "implies"}
    if unknown:
        raise InvalidTechnologies(f"{name} has {', '.join(sorted(unknown))}, which is no kind of sign.")
    signs: dict[str, tuple[str, ...]] = {}
    for kind in (*KINDS, "implies"):
        given = entry.get(kind, [])
        if not isinstance(given, list) or not all(isinstance(sign, str) and sign for sign in given):
            raise InvalidTechnologies(f"{name}: {kind} is not a list of texts.")
        signs[kind] = tuple(given)
    implies = signs.pop("implies")
    wrong = next((sign for each in signs.values() for sign in each if sign != sign.lower()), None)
    if wrong:
        raise InvalidTechnologies(f"{name}: {wrong!r} is not in lower case.")
    return Technology(name, entry["category"], implies, signs)


def _indexed(technologies: Mapping[str, Technology]) -> SignIndex:
    exact: dict[str, dict[str, tuple[str, ...]]] = {kind: {} for kind in KINDS}
    hosts: dict[str, tuple[tuple[str, str], ...]] = {}
    cookie_starts: list[tuple[str, str]] = []
    txt_starts: dict[str, tuple[tuple[str, str], ...]] = {}
    for one in technologies.values():
        for kind, signs in one.signs.items():
            for sign in signs:
                if kind == "hosts":
                    host, slash, path = sign.partition("/")
                    hosts[host] = (*hosts.get(host, ()), (slash + path, one.name))
                elif kind == "cookies" and sign.endswith("*"):
                    cookie_starts.append((sign[:-1], one.name))
                elif kind == "txt":
                    txt_starts[sign[:4]] = (*txt_starts.get(sign[:4], ()), (sign, one.name))
                else:
                    exact[kind][sign] = (*exact[kind].get(sign, ()), one.name)
    return SignIndex(technologies, exact, hosts, tuple(cookie_starts), txt_starts)
