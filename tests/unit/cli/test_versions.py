"""Doctor's checks of Python and PostgreSQL."""

from datetime import date

import pytest

from leadflood.cli.versions import PYTHONS, bundled_postgresql, postgresql_remedy, python_remedy, this_python

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("running", "today", "remedy"),
    [
        ((3, 11, 15), TODAY, ""),
        ((3, 11, 20), TODAY, ""),
        ((3, 11, 7), TODAY, "install Python 3.11.15"),
        ((3, 11, 15), date(2027, 10, 31), ""),
        ((3, 11, 15), date(2027, 11, 1), "no security fixes since October 2027"),
        ((3, 99, 0), TODAY, ""),
    ],
)
def test_an_outdated_python_is_named_with_the_remedy(running: tuple[int, int, int], today: date, remedy: str) -> None:
    told = python_remedy(running, today)

    assert remedy in told if remedy else told == ""


def test_the_table_knows_the_python_that_runs_the_tests() -> None:
    assert this_python()[:2] in PYTHONS


def test_a_server_older_than_the_bundled_one_of_its_line_is_told_and_others_are_not_judged() -> None:
    major, minor = map(int, bundled_postgresql().split(".")[:2])

    assert f"PostgreSQL {major}.{minor}" in postgresql_remedy(f"{major}.{minor - 1}")
    for other in (f"{major}.{minor}", f"{major}.{minor + 1}", f"{major - 1}.0", f"{major + 1}.0", "19beta1", ""):
        assert postgresql_remedy(other) == ""
