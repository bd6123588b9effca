"""The life of a lead in ARCHITECTURE.md names what there is."""

import importlib
import re
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[2] / "ARCHITECTURE.md").read_text(encoding="utf-8")
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


def test_the_life_of_a_lead_is_short_and_names_what_there_is() -> None:
    story = PAGE.partition("## The life of a lead\n")[2].partition("\n## ")[0]
    steps = re.findall(r"^\d+\. ", story, re.MULTILINE)
    names = NAME.findall(story)

    assert 10 < len(steps) <= 20
    assert len(names) > 15
    assert [name for name in names if not exists(name)] == []
    assert not exists("domains.leads.service.there_is_none")
