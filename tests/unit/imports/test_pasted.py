"""Pasted rows become a file."""

import pytest

from leadflood.domains.imports.models.pasted import as_file


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("ada@acme.com\ngrace@navy.example", "Email\nada@acme.com\ngrace@navy.example"),
        ("\r\n  ada@acme.com \r\n", "Email\n\r\n  ada@acme.com \r\n"),
        ("E-Mail\nada@acme.com", "E-Mail\nada@acme.com"),
        ("Name\tE-Mail\nZoë\tzoe@acme.com", "Name\tE-Mail\nZoë\tzoe@acme.com"),
        ("", ""),
    ],
)
def test_a_list_of_addresses_gets_a_header_and_other_rows_stay_as_they_are(text: str, file: str) -> None:
    assert as_file(text) == file.encode()
