"""House style: a file is named for what it does."""

from tests.architecture.source import ROOT

STRAY = frozenset(["base", "common", "core", "helper", "helpers", "manager", "managers", "misc", "util", "utils"])


def test_a_file_is_named_for_what_it_does() -> None:
    paths = [path for folder in ("src", "tests", "scripts") for path in (ROOT / folder).rglob("*")]
    stray = [path for path in paths if path.stem in STRAY and (path.suffix == ".py" or path.is_dir())]

    assert [str(path.relative_to(ROOT)) for path in stray] == [], "name it for what it does, or move it to its user"
