"""Every setting is described, and every setting that is spoken of exists."""

import re
from collections.abc import Iterator
from pathlib import Path

from leadflood.kernel.config import Settings
from tests.architecture.source import ROOT, Finding, require_none

NAMES = frozenset(f"LEADFLOOD_{name.upper()}" for name in Settings.model_fields)
INTERNAL = frozenset({"LEADFLOOD_HEARTBEAT_FD", "LEADFLOOD_PARENT_FD"})
"""Variables between our own processes, which nobody sets by hand."""

MENTION = re.compile(r"\bLEADFLOOD_[A-Z0-9_]*[A-Z0-9]\b")
SPEAKING = ("*.md", "docs/**/*.md", "deploy/**/*", ".env.example", "justfile", "src/**/*.py")


def unknown_settings(path: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        for name in MENTION.findall(line):
            if name not in NAMES | INTERNAL:
                yield Finding(path, number, "", f"{name} is no field of leadflood.kernel.config.Settings: correct it")


def _spoken() -> Iterator[Path]:
    for pattern in SPEAKING:
        yield from (path for path in ROOT.glob(pattern) if path.is_file() and path.suffix != ".pyc")


def test_every_setting_has_a_description() -> None:
    bare = [name for name, field in Settings.model_fields.items() if not (field.description or "").strip()]

    assert bare == [], "describe it in src/leadflood/kernel/config.py"


def test_every_setting_that_is_spoken_of_exists() -> None:
    require_none(
        finding
        for path in _spoken()
        for finding in unknown_settings(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    )
