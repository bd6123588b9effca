"""Validation at the command line, in a process of its own: nothing but the command has imported domains there."""

import subprocess
import sys

SCRIPT = """
from leadflood.cli.validation import checked
from leadflood.domains.identity.contracts import CreateApiKey
print(*checked(CreateApiKey, {"name": "CRM", "scopes": ["leads:write", "tags:read"]}).scopes)
"""


def test_what_domains_declare_is_known_when_values_are_validated() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("leads:write tags:read\n", "")
