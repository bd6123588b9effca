"""Requests that Schemathesis makes up, in a process of their own: what it makes and keeps of them takes 150 MB."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_request_breaks_the_contract() -> None:
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "schemathesis", "tests/contract/schemathesis_requests.py"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
