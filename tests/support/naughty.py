"""Texts that software tends to trip over: words with a meaning, numbers, scripts, invisible characters, markup, paths.

`naughty.json` are our own, so that every run has them; those of the samples come on top where the samples are.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.samples import rows

Texts = Callable[[], list[str]]


def own() -> list[str]:
    """Strings of the repository."""
    texts: list[str] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return texts


def of_samples() -> list[str]:
    """Strings of the samples."""
    return [row["input"] for row in rows("strings/naughty.jsonl")]


texts = pytest.mark.parametrize("texts", [own, pytest.param(of_samples, marks=pytest.mark.samples)])
