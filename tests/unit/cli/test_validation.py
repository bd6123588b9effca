"""Validation at the command line."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from leadflood.cli import app

# Nothing but the command has imported domains in a process of its own.
SCRIPT = """
from leadflood.cli.validation import checked
from leadflood.domains.identity.contracts import CreateApiKey
print(*checked(CreateApiKey, {"name": "CRM", "scopes": ["leads:write", "tags:read"]}).scopes)
"""


def test_what_domains_declare_is_known_when_values_are_validated() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("leads:write tags:read\n", "")


@pytest.mark.parametrize("command", ["job show", "import show", "lead restore", "note delete", "job list --lead"])
def test_what_is_no_id_is_named_without_words_of_a_parser(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "123"])

    assert done.exit_code == 2
    assert "'123' is not an ID." in done.output


@pytest.mark.parametrize("command", ["outcome import", "company import", "icp import"])
def test_a_file_that_does_not_exist_is_named(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "/no/such/file.csv"])

    assert done.exit_code == 2
    assert "'/no/such/file.csv' does not exist" in done.output
