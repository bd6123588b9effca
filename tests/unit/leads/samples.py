"""Rows of the shared development samples, which are not part of the repository."""

import json
from pathlib import Path
from typing import Any

import pytest

_TESTDATA = Path(__file__).resolve().parents[4] / "shared" / "testdata"


def rows(name: str) -> list[dict[str, Any]]:
    """The scored rows of `name`, such as `email/agreed.jsonl`; skips the test where the samples are missing."""
    if not _TESTDATA.is_dir():
        pytest.skip(f"{_TESTDATA} is missing")
    lines = (_TESTDATA / name).read_text(encoding="utf-8").splitlines()
    parsed = [json.loads(line) for line in lines]
    return [row for row in parsed if row["expected"].get("verdict") != "policy"]
