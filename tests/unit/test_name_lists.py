"""Several names in one cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.kernel.name_lists import join_names, split_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("VIP; Berlin", ["VIP", "Berlin"]),
        ("VIP,Berlin|Paris\nRome", ["VIP", "Berlin", "Paris", "Rome"]),
        (' "Berlin, 2026" ; VIP', ["Berlin, 2026", "VIP"]),
        ('"VIP","Hot lead"', ["VIP", "Hot lead"]),
        ('5" pipes; VIP', ['5" pipes', "VIP"]),
        ('"open; VIP', ['"open', "VIP"]),
        ('"a" b; c', ['"a" b', "c"]),
        ("; ,|\n", []),
        ("", []),
        ("🎉; 名前", ["🎉", "名前"]),
    ],
)
def test_names_are_separated_as_people_do(text: str, names: list[str]) -> None:
    assert split_names(text) == names


@given(st.lists(st.text(min_size=1).filter(lambda name: name == name.strip() and bool(name))))
def test_joined_names_come_back(names: list[str]) -> None:
    assert split_names(join_names(names)) == names
