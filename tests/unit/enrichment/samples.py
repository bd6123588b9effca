"""Rows of the shared development samples, which are not part of the repository, and leads to enrich."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.enrichment.adapters.email_insight import EmailInsight
from leadflood.domains.enrichment.models import Field, FoundValue, KnownLead

_TESTDATA = Path(__file__).resolve().parents[4] / "shared" / "testdata"


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of `name`, such as `lists/role_accounts.jsonl`; skips the test where the samples are missing."""
    if not _TESTDATA.is_dir():
        pytest.skip(f"{_TESTDATA} is missing")
    return [json.loads(line) for line in (_TESTDATA / name).read_text(encoding="utf-8").splitlines()]


def lead(email: str, *, first_name: str | None = None, last_name: str | None = None) -> KnownLead:
    return KnownLead(UUID(int=1), email, email.lower(), first_name=first_name, last_name=last_name)


async def receipts(
    email: str, *, first_name: str | None = None, last_name: str | None = None
) -> dict[Field, FoundValue]:
    """What `email_insight` finds, by field."""
    found = await EmailInsight().enrich(lead(email, first_name=first_name, last_name=last_name))
    return {value.field: value for value in found}


async def values(
    email: str, *, first_name: str | None = None, last_name: str | None = None
) -> dict[Field, str | bool | float]:
    by_field = await receipts(email, first_name=first_name, last_name=last_name)
    return {field: found.value for field, found in by_field.items()}
