"""ARCHITECTURE.md agrees with the code: its map, its domains and the names in the lifecycle of a lead."""

import importlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src/leadflood"
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
NAME = re.compile(r"`((?:api|domains|kernel|worker)(?:\.\w+)+)`")


def exists(name: str) -> bool:
    """Whether a module, class, function or method has this name."""
    parts = ["leadflood", *name.split(".")]
    for length in range(len(parts), 1, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute, None)
        return found is not None
    return False


def modules(folder: Path) -> set[str]:
    """The packages and modules in a folder, as the map writes them."""
    packages = {f"{path.name}/" for path in folder.iterdir() if (path / "__init__.py").exists()}
    return packages | {path.name for path in folder.glob("*.py") if path.name != "__init__.py"}


def test_the_map_lists_every_part_of_the_package() -> None:
    block = PAGE.partition("## Project structure\n")[2].partition("```\n")[2].partition("```")[0]

    assert set(re.findall(r"^  (\S+)", block, re.MULTILINE)) == modules(PACKAGE)


def test_the_table_of_domains_lists_all_of_them() -> None:
    """Its order is that of `bootstrap.DOMAINS`, from which it is generated."""
    table = PAGE.partition("| domain | what it does |\n")[2].partition("\n\n")[0]

    assert {f"{name}/" for name in re.findall(r"^\| `(\w+)` \| \w", table, re.MULTILINE)} == modules(
        PACKAGE / "domains"
    )


def test_the_lifecycle_of_a_lead_is_short_and_names_only_what_exists() -> None:
    story = PAGE.partition("## Lead lifecycle\n")[2].partition("\n## ")[0]
    steps = re.findall(r"^\d+\. ", story, re.MULTILINE)
    names = NAME.findall(story)

    assert 10 < len(steps) <= 20
    assert len(names) > 15
    assert [name for name in names if not exists(name)] == []
    assert not exists("domains.leads.service.there_is_none")
