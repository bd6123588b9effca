"""A long file as a CRM exports it: only rows without a usable address are rejected; what is left out is reported."""

from pathlib import Path

from tests.support.desk import Desk
from tests.support.messy_file import require_reported, write_messy


async def test_only_rows_without_a_usable_address_are_rejected(desk: Desk, tmp_path: Path) -> None:
    file, rows = tmp_path / "crm.csv", 6000
    planted = write_messy(file, rows=rows)

    done = await desk.run(file.read_bytes(), enrich=False)

    require_reported({action.value: count for action, count in done.counts.items()}, done.errors, planted, rows=rows)
    assert len(await desk.leads()) == rows - planted["blank"] - planted["duplicate"] - planted["no_address"]
