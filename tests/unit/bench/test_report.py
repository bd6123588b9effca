"""What a run leaves behind for people."""

from pathlib import Path

from tests.bench import report
from tests.bench.ratios import Aim, Ratio, compare


def test_the_report_has_every_table_as_markdown(tmp_path: Path) -> None:
    compared = compare([Ratio("post", "floor", 0.5)], {"post ÷ floor": 1.0})
    tables = report.verdicts([Aim("pickup, p50 ms", 12, 10, at_most=True)], compared)

    report.write_markdown(tmp_path / "report.md", {"cores": 2}, tables, tmp_path / "report.svg")

    lines = [" ".join(line.split()) for line in (tmp_path / "report.md").read_text(encoding="utf-8").splitlines()]
    assert "- cores: 2" in lines
    assert "![Ratios](report.svg)" in lines
    assert "| pickup, p50 ms | 12 | ≤ 10 | missed |" in lines
    assert "| post ÷ floor | 1.00 | 0.50 | worse |" in lines
