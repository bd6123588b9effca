"""House style: a file is named for what it does, and a class has a name of its own."""

import re

from tests.architecture.source import ROOT, sources

_CLASS = re.compile(r"^ *class (\w+)", re.MULTILINE)
STRAY = frozenset(["base", "common", "core", "helper", "helpers", "manager", "managers", "misc", "util", "utils"])


def test_a_file_is_named_for_what_it_does() -> None:
    paths = [path for folder in ("src", "tests", "scripts") for path in (ROOT / folder).rglob("*")]
    stray = [path for path in paths if path.stem in STRAY and (path.suffix == ".py" or path.is_dir())]

    assert [str(path.relative_to(ROOT)) for path in stray] == [], "name it for what it does, or move it to its user"


def test_no_two_classes_of_the_package_have_the_same_name() -> None:
    places: dict[str, list[str]] = {}
    for source in sources("src/leadflood"):
        for name in _CLASS.findall(source.text):
            places.setdefault(name, []).append(source.path)

    assert len(places) > 100
    assert {name: found for name, found in places.items() if len(found) > 1} == {}, "give one of them a name of its own"
