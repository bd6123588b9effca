"""Rows of public corpora, in a folder beside the checkout that is not part of the repository.

A test that reads them carries the marker `samples`: without the folder it is deselected (`tests/support/suite.py`).
"""

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "testdata"


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of `name`, such as `lists/role_accounts.jsonl`."""
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def scored(name: str) -> list[dict[str, Any]]:
    """Rows of `name` whose outcome does not depend on policy."""
    return [row for row in rows(name) if row["expected"].get("verdict") != "policy"]
